//! What superadmins see of the open connections, and that they can end one.

use serde_json::{Value, json};

use crate::harness::{Answer, Backend, Sse, TestApp, User, Ws, eventually, open};

crate::both![
    connections_are_told_with_their_users_and_subscriptions,
    connections_are_found_by_account_user_and_protocol_page_by_page,
    a_connection_that_reads_too_slowly_is_told_to_be_behind,
    a_connection_can_be_ended_and_its_client_is_told,
    nobody_but_superadmins_looks_at_connections,
];

const PATH: &str = "/admin/realtime/connections";

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    (app, user)
}

async fn listed(app: &TestApp, query: &str) -> Vec<Value> {
    let list = app.admin.get(&format!("{PATH}{query}")).await.ok(200);
    list["items"].as_array().unwrap().clone()
}

async fn connections_are_told_with_their_users_and_subscriptions(backend: Backend) {
    let (app, user) = posts(backend).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    let wish = json!({"action": "subscribe", "collection": "posts", "ref": "open", "filter": "n > 1", "record": "01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2",
        "fields": ["n"], "operations": ["create"]});
    ws.send(&wish).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    let _other = Sse::open(&user, "?collection=posts").await;
    user.create("posts", &json!({"n": 1})).await;
    ws.expect_event("posts.create").await;
    let list = app.admin.get(PATH).await.ok(200);
    assert_eq!(
        (&list["total"], list["items"].as_array().unwrap().len()),
        (&json!(2), 2)
    );
    assert_eq!(
        list["items"][0]["protocol"], "sse",
        "the newest comes first"
    );
    let told = &list["items"][1];
    assert_eq!(
        (&told["protocol"], &told["email"]),
        (&json!("ws"), &json!(user.email))
    );
    assert_eq!(
        (&told["user_id"], &told["account_id"]),
        (&json!(user.id), &json!(user.account_id))
    );
    assert_eq!(
        (&told["account_name"], &told["address"]),
        (&json!(user.account_slug), &json!("127.0.0.1"))
    );
    assert_eq!(
        (&told["opened_by"], &told["api_key_id"]),
        (&Value::Null, &Value::Null)
    );
    assert!(
        told["since"].as_str().unwrap().ends_with('Z') && told["expires_at"].is_string(),
        "{told}"
    );
    assert_eq!(
        (&told["pulling"], &told["behind"], &told["sent"]),
        (&json!(false), &json!(0), &json!(3))
    );
    assert_eq!(
        (&told["queued_frames"], &told["queued_bytes"]),
        (&json!(0), &json!(0))
    );
    let all = json!({"collection": "posts", "ref": null, "account_id": user.account_id, "record": null, "filter": null,
        "fields": null, "expand": null, "operations": ["create", "update", "delete"], "live": true, "group_size": 1});
    assert_eq!(told["subscriptions"][0], all);
    let one = json!({"collection": "posts", "ref": "open", "account_id": user.account_id, "record": "01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2",
        "filter": "n > 1", "fields": ["n"], "expand": null, "operations": ["create"], "live": true, "group_size": 1});
    assert_eq!(told["subscriptions"][1], one);
    // Whoever sees the same shares a group.
    let mut third = Ws::connect(&user).await;
    third.subscribe("posts").await;
    let told = &listed(&app, "?limit=1").await[0];
    assert_eq!(told["subscriptions"][0]["group_size"], 2);
    drop(third);
    eventually("two connections", async || {
        app.admin.get(PATH).await.ok(200)["total"] == 2
    })
    .await;
}

async fn connections_are_found_by_account_user_and_protocol_page_by_page(backend: Backend) {
    let (app, user) = posts(backend).await;
    let other = app.register().await;
    let key = json!({"name": "listener", "account_id": other.account_id});
    let key = app.admin.post("/admin/api-keys", &key).await.ok(201);
    let text = key["key"].as_str().unwrap();
    let _all = (
        Ws::connect(&user).await,
        Sse::open(
            &app.anonymous().with_header("x-api-key", text),
            "?collection=posts",
        )
        .await,
        Ws::connect(&other).await,
        Ws::connect(&user).await,
    );
    let emails = |items: &[Value]| {
        let emails = items
            .iter()
            .map(|item| item["email"].as_str().unwrap().to_owned());
        emails.collect::<Vec<_>>()
    };
    let found = listed(&app, &format!("?user_id={}", user.id)).await;
    assert_eq!(
        emails(&found),
        [&user.email, &user.email].map(String::as_str)
    );
    let found = listed(&app, &format!("?account={}", other.account_slug)).await;
    assert_eq!(found.len(), 2);
    assert_eq!(found[1]["api_key_id"], key["id"]);
    assert_eq!(listed(&app, "?protocol=sse").await.len(), 1);
    assert_eq!(listed(&app, "?protocol=pocketbase").await.len(), 0);
    let first = app
        .admin
        .get(&format!("{PATH}?limit=3&protocol=ws"))
        .await
        .ok(200);
    assert_eq!(first["items"].as_array().unwrap().len(), 3);
    let page = app.admin.get(&format!("{PATH}?limit=3")).await.ok(200);
    let last = page["items"][2]["id"].as_str().unwrap();
    let rest = app
        .admin
        .get(&format!("{PATH}?limit=3&before={last}"))
        .await
        .ok(200);
    assert_eq!(
        (&rest["total"], rest["items"].as_array().unwrap().len()),
        (&json!(4), 1)
    );
    for query in [
        "limit=0",
        "limit=501",
        "before=x",
        "user_id=x",
        "protocol=carrier-pigeon",
        "account=nowhere",
    ] {
        let answer = app.admin.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        assert!(
            answer.text.contains(query.split('=').next().unwrap()),
            "{query}: {}",
            answer.text
        );
    }
}

async fn a_connection_that_reads_too_slowly_is_told_to_be_behind(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.realtime.queue_frames = 4).await;
    let long = json!([{"name": "text", "type": "text"}]);
    app.collection("posts", &long, &open()).await;
    let user = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    // More than the sockets take in.
    let records: Vec<Value> = (0..10)
        .map(|_| json!({"text": "x".repeat(60_000)}))
        .collect();
    for _ in 0..30 {
        user.post("/records/posts/batch", &json!({"records": records}))
            .await
            .ok(201);
    }
    let behind = async || {
        let told = listed(&app, "").await.remove(0);
        told["pulling"] == true && told["behind"].as_i64().unwrap() > 10
    };
    eventually("a connection that is behind", behind).await;
    for _ in 0..300 {
        ws.frame().await;
    }
    let caught_up = async || {
        let told = listed(&app, "").await.remove(0);
        told["pulling"] == false && told["behind"] == 0 && told["sent"] == 301
    };
    eventually("a connection that has caught up", caught_up).await;
}

async fn a_connection_can_be_ended_and_its_client_is_told(backend: Backend) {
    let (app, user) = posts(backend).await;
    let (mut ws, mut kept) = (Ws::connect(&user).await, Ws::connect(&user).await);
    let id = listed(&app, "").await[1]["id"].as_str().unwrap().to_owned();
    app.admin.delete(&format!("{PATH}/{id}")).await.ok(204);
    let end = ws.end().await;
    assert_eq!(
        (end.code, end.reason.as_str()),
        (1008, "Closed by an administrator")
    );
    kept.subscribe("posts").await;
    eventually("the end", async || {
        app.admin.get(PATH).await.ok(200)["total"] == 1
    })
    .await;
    let gone: Answer = app.admin.delete(&format!("{PATH}/{id}")).await;
    gone.refused(404, "");
    app.admin
        .delete(&format!("{PATH}/nonsense"))
        .await
        .refused(404, "");
    let trail = async || {
        let rows = app
            .admin
            .get("/audit-logs?table_name=realtime_connections")
            .await
            .ok(200);
        rows.to_string().contains(&id)
    };
    eventually("an entry in the trail", trail).await;
}

async fn nobody_but_superadmins_looks_at_connections(backend: Backend) {
    let (app, user) = posts(backend).await;
    let _ws = Ws::connect(&user).await;
    let id = listed(&app, "").await[0]["id"].as_str().unwrap().to_owned();
    user.get(PATH).await.refused(403, "Superadmin");
    app.anonymous().get(PATH).await.refused(401, "");
    user.delete(&format!("{PATH}/{id}"))
        .await
        .refused(403, "Superadmin");
    app.anonymous()
        .delete(&format!("{PATH}/{id}"))
        .await
        .refused(401, "");
    assert_eq!(listed(&app, "").await.len(), 1);
}
