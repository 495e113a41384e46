//! Rooms over two servers on one PostgreSQL.

use serde_json::{Value, json};

use crate::harness::{Backend, Database, PASSWORD, Process, User, Ws, eventually, soon};

/// Two nodes, and a user of an account on each of them.
struct Nodes {
    one: Process,
    two: Process,
    here: User,
    there: User,
    database: Database,
}

impl Nodes {
    async fn start(grace: &str) -> Option<Self> {
        let database = Database::create(Backend::postgres()?).await;
        let variables = [("ROOMS_GRACE_SECONDS", grace)];
        let (one, two) = (
            Process::serve(&database, &variables),
            Process::serve(&database, &variables),
        );
        let admin = one.admin().await;
        let body = json!({"pattern": "doc:{id}", "join_rule": "", "publish_rule": "", "presence_rule": "", "history": 9});
        admin.post("/realtime/rooms", &body).await.ok(201);
        let body =
            json!({"email": "user@example.com", "password": PASSWORD, "account_name": "acme"});
        one.anonymous().post("/auth/register", &body).await.ok(201);
        let here = one
            .anonymous()
            .login("acme", "user@example.com", PASSWORD)
            .await;
        let body = json!({"email": "other@example.com", "password": PASSWORD, "account_id": here.account_id,
            "role_id": 2, "email_verified": true});
        admin.post("/users", &body).await.ok(201);
        let there = two
            .anonymous()
            .login("acme", "other@example.com", PASSWORD)
            .await;
        let admin = two.admin().await;
        let defined = async || admin.get("/realtime/rooms").await.ok(200)["total"] == 1;
        eventually("the definition on the other node", defined).await;
        Some(Self {
            one,
            two,
            here,
            there,
            database,
        })
    }
}

/// Waits for a diff whose list has this connection in it, and returns the entry.
async fn told(ws: &mut Ws, list: &str, conn: &Value) -> Value {
    loop {
        let diff = loop {
            let frame = ws.patient_frame().await;
            if frame["type"] == "room.diff" {
                break frame;
            }
        };
        if let Some(entry) = diff[list]
            .as_array()
            .unwrap()
            .iter()
            .find(|entry| entry["conn"] == *conn)
        {
            return entry.clone();
        }
    }
}

/// Waits until whoever joins sees this member there.
async fn sees(user: &User, conn: &Value, meta: &Value) {
    let mut ws = Ws::connect(user).await;
    soon("a member of another node", async {
        loop {
            let state = ws.join("doc:1").await;
            let members = state["members"].as_array().unwrap();
            if members
                .iter()
                .any(|member| member["conn"] == *conn && member["meta"] == *meta)
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_and_messages_of_one_node_are_seen_on_the_other() {
    let Some(nodes) = Nodes::start("600").await else {
        return;
    };
    let (mut a, mut b) = (
        Ws::connect(&nodes.here).await,
        Ws::connect(&nodes.there).await,
    );
    let of_a = a.join_as("doc:1", &json!({"presence": {"n": 1}})).await["self"].clone();
    let of_b = b.join("doc:1").await["self"].clone();
    assert_eq!(told(&mut a, "joins", &of_b).await["user"], nodes.there.id);
    sees(&nodes.there, &of_a, &json!({"n": 1})).await;
    // Longer than a notification may be, and in order.
    let long = "ü".repeat(7_000);
    for n in 0..50 {
        a.publish("doc:1", "long", &json!({"n": n, "text": long}))
            .await;
    }
    for n in 0..50 {
        let message = b.next_of("room.message").await;
        assert_eq!(
            (&message["data"]["n"], &message["data"]["text"]),
            (&json!(n), &json!(long))
        );
        assert_eq!(
            (&message["from"], &message["user"]),
            (&of_a, &json!(nodes.here.id))
        );
    }
    nodes
        .here
        .post(
            "/realtime/rooms/doc:1/publish",
            &json!({"event": "over http"}),
        )
        .await
        .ok(204);
    assert_eq!(b.next_of("room.message").await["event"], "over http");
    // The other node remembers, too.
    let mut late = Ws::connect(&nodes.there).await;
    let state = late.join_as("doc:1", &json!({"history": 2})).await;
    assert_eq!(state["messages"][1]["event"], "over http");
    a.ask(&json!({"action": "presence", "room": "doc:1", "presence": {"n": 2}, "ref": 1}))
        .await;
    assert_eq!(
        told(&mut b, "updates", &of_a).await["meta"],
        json!({"n": 2})
    );
    a.ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
        .await;
    told(&mut b, "leaves", &of_a).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_loses_the_right_leaves_on_every_node() {
    let Some(nodes) = Nodes::start("600").await else {
        return;
    };
    let (mut a, mut b) = (
        Ws::connect(&nodes.here).await,
        Ws::connect(&nodes.there).await,
    );
    a.join("doc:1").await;
    let of_b = b.join("doc:1").await["self"].clone();
    told(&mut a, "joins", &of_b).await;
    let admin = nodes.one.admin().await;
    // Said on one node, and the connection is on the other.
    admin
        .delete(&format!("/users/{}", nodes.there.id))
        .await
        .ok(204);
    assert_eq!(b.end().await.code, 1008);
    told(&mut a, "leaves", &of_b).await;
    let definition = admin.get("/realtime/rooms").await.ok(200)["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let there = nodes.two.admin().await;
    there
        .patch(
            &format!("/realtime/rooms/{definition}"),
            &json!({"join_rule": null}),
        )
        .await
        .ok(200);
    assert_eq!(a.next_of("room.left").await["reason"], "access");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_dies_takes_its_members_along_and_a_new_one_learns_who_is_there() {
    let Some(mut nodes) = Nodes::start("600").await else {
        return;
    };
    let (mut a, mut b) = (
        Ws::connect(&nodes.here).await,
        Ws::connect(&nodes.there).await,
    );
    let of_a = a.join("doc:1").await["self"].clone();
    let of_b = b.join("doc:1").await["self"].clone();
    told(&mut a, "joins", &of_b).await;
    nodes.two.kill();
    told(&mut a, "leaves", &of_b).await;
    let third = Process::serve(&nodes.database, &[]);
    let there = third
        .anonymous()
        .login("acme", "other@example.com", PASSWORD)
        .await;
    sees(&there, &of_a, &json!({})).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_comes_back_on_another_node_is_there_once() {
    let Some(nodes) = Nodes::start("600").await else {
        return;
    };
    let mut watching = Ws::connect(&nodes.there).await;
    watching.join("doc:1").await;
    let mut lost = Ws::connect(&nodes.here).await;
    let before = lost.join("doc:1").await["self"].clone();
    told(&mut watching, "joins", &before).await;
    lost.close().await;
    let again = nodes
        .two
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    let mut back = Ws::connect(&again).await;
    // The first node may not have noticed yet that the connection is lost.
    soon("the end of the lost member", async {
        loop {
            let state = back.join("doc:1").await;
            if state["members"]
                .as_array()
                .unwrap()
                .iter()
                .all(|member| member["conn"] != before)
            {
                return;
            }
            back.ask(&json!({"action": "leave", "room": "doc:1", "ref": 1}))
                .await;
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    })
    .await;
    let state = back.join("doc:1").await;
    assert_eq!(state["members"].as_array().unwrap().len(), 2, "{state}");
}
