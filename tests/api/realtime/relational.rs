//! Rules about other records decide about events as they decide about lists.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, eventually, open};

crate::both![
    events_are_judged_by_rules_about_other_records,
    one_record_is_judged_by_the_view_rule,
    whoever_may_see_other_records_now_is_told_to_fetch_them,
    what_was_missed_is_judged_too_and_a_change_of_sight_is_told,
    a_snapshot_goes_on_with_the_rule,
    another_macro_of_the_same_name_is_another_rule,
    everybody_holds_what_the_list_shows_whatever_changes,
];

/// `projects` are open to whoever has a record in `members` with their key.
async fn start(backend: Backend) -> (TestApp, User, User) {
    let app = TestApp::spawn_with(backend, |config| config.realtime.queue_frames = 8).await;
    let members = json!([{"name": "user", "type": "text"}, {"name": "project", "type": "text"},
        {"name": "note", "type": "text"}]);
    app.collection("members", &members, &open()).await;
    let projects = json!([{"name": "key", "type": "text"}, {"name": "n", "type": "number"}]);
    app.collection("projects", &projects, &open()).await;
    let query = "SELECT COUNT(*) FROM members WHERE user = @request.auth.id AND project = :project";
    let body = json!({"name": "memberships", "sql_query": query, "parameters": ["project"]});
    app.admin.post("/macros", &body).await.ok(201);
    app.rules(
        "projects",
        &json!({"list_rule": "@memberships(key) > 0", "view_rule": "@memberships(key) > 1"}),
    )
    .await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    (app, owner, colleague)
}

async fn join(owner: &User, user: &User, project: &str) -> String {
    owner
        .create_id("members", &json!({"user": user.id, "project": project}))
        .await
}

async fn subscribe(ws: &mut Ws, more: &Value) -> Value {
    let mut message = json!({"action": "subscribe", "collection": "projects"});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ws.send(&message).await;
    let ack = ws.frame().await;
    assert_eq!(ack["type"], "subscribed", "{ack}");
    ack["cursor"].clone()
}

async fn events_are_judged_by_rules_about_other_records(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    join(&owner, &colleague, "a").await;
    let (mut of_owner, mut ws) = (Ws::connect(&owner).await, Ws::connect(&colleague).await);
    subscribe(&mut of_owner, &json!({})).await;
    subscribe(&mut ws, &json!({})).await;
    let mut sse = Sse::open(&colleague, "?collection=projects&filter=n+%3E+1").await;
    let mut of_admin = Ws::connect(&app.admin).await;
    subscribe(&mut of_admin, &json!({})).await;
    let shown = owner
        .create_id("projects", &json!({"key": "a", "n": 1}))
        .await;
    let hidden = owner
        .create_id("projects", &json!({"key": "b", "n": 1}))
        .await;
    let change = async |id: &str, body: Value| {
        app.admin
            .patch(&format!("/records/projects/{id}"), &body)
            .await
            .ok(200)
    };
    change(&shown, json!({"n": 2})).await;
    change(&shown, json!({"key": "b"})).await;
    change(&hidden, json!({"n": 3})).await;
    change(&hidden, json!({"key": "a"})).await;
    app.admin
        .delete(&format!("/records/projects/{hidden}"))
        .await
        .ok(204);
    let told = |frame: &Value| {
        let text = |key: &str| frame[key].as_str().unwrap_or("-").to_owned();
        let whose = if frame["id"] == shown.as_str() {
            "shown"
        } else {
            "hidden"
        };
        format!(
            "{} {} {whose} {}",
            text("operation"),
            text("change"),
            frame["data"]["n"]
        )
    };
    let expected = [
        "create - shown 1",
        "update - shown 2",
        "delete left shown null",
        "update entered hidden 3",
        "delete - hidden null",
    ];
    for line in expected {
        assert_eq!(told(&ws.frame().await), line);
    }
    for line in [
        "update entered shown 2",
        "delete left shown null",
        "update entered hidden 3",
        "delete - hidden null",
    ] {
        assert_eq!(told(&sse.event().await.data), line, "with a filter besides");
    }
    for _ in 0..7 {
        assert!(
            of_admin.frame().await["operation"].is_string(),
            "superadmins hear everything"
        );
    }
    of_owner.send(&json!({"action": "ping"})).await;
    assert_eq!(
        of_owner.frame().await["type"],
        "pong",
        "who is no member hears nothing"
    );
}

/// The next frame that does not ask to fetch everything. When a client is told to fetch everything
/// depends on who is quicker.
async fn next_event(ws: &mut Ws) -> Value {
    loop {
        let frame = ws.frame().await;
        if frame["type"] != "resync" {
            return frame;
        }
    }
}

async fn one_record_is_judged_by_the_view_rule(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    app.collection("marks", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    join(&owner, &colleague, "a").await;
    let id = owner
        .create_id("projects", &json!({"key": "a", "n": 1}))
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"record": id})).await;
    ws.subscribe("marks").await;
    let path = format!("/records/projects/{id}");
    app.admin.patch(&path, &json!({"n": 2})).await.ok(200);
    owner.create("marks", &json!({"n": 1})).await;
    assert_eq!(
        next_event(&mut ws).await["type"],
        "marks.create",
        "the list rule alone would let it through"
    );
    join(&owner, &colleague, "a").await;
    assert_eq!(ws.next_of("resync").await["reason"], "access");
    app.admin.patch(&path, &json!({"n": 3})).await.ok(200);
    assert_eq!(next_event(&mut ws).await["data"]["n"], 3);
}

async fn whoever_may_see_other_records_now_is_told_to_fetch_them(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    let (mut plain, mut knowing) = (Ws::connect(&colleague).await, Ws::connect(&colleague).await);
    subscribe(&mut plain, &json!({})).await;
    subscribe(&mut knowing, &json!({"ref": 1})).await;
    owner.create("projects", &json!({"key": "a", "n": 1})).await;
    let member = join(&owner, &colleague, "a").await;
    // Whether the record is shown before depends on which of the two is quicker.
    assert_eq!(knowing.next_of("resync").await["reason"], "access");
    // What the rule does not read, and other accounts' records, concern nobody.
    let path = format!("/records/members/{member}");
    owner.patch(&path, &json!({"note": "hello"})).await.ok(200);
    let stranger = app.register().await;
    stranger
        .create("members", &json!({"user": colleague.id, "project": "a"}))
        .await;
    owner.create("projects", &json!({"key": "a", "n": 2})).await;
    assert_eq!(knowing.expect_event("projects.create").await["n"], 2);
    owner.patch(&path, &json!({"project": "b"})).await.ok(200);
    assert_eq!(knowing.frame().await["reason"], "access");
    owner.create("projects", &json!({"key": "a", "n": 3})).await;
    owner.create("projects", &json!({"key": "b", "n": 4})).await;
    assert_eq!(knowing.expect_event("projects.create").await["n"], 4);
    owner.delete(&path).await.ok(204);
    assert_eq!(knowing.frame().await["reason"], "access");
    // Those who know nothing of it see from then on what they may see.
    while plain.expect_event("projects.create").await["n"] != 2 {}
    assert_eq!(plain.expect_event("projects.create").await["n"], 4);
}

async fn what_was_missed_is_judged_too_and_a_change_of_sight_is_told(backend: Backend) {
    let (_app, owner, colleague) = start(backend).await;
    join(&owner, &colleague, "a").await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1})).await;
    owner
        .create("projects", &json!({"key": "a", "n": -1}))
        .await;
    let cursor = ws.next_of("projects.create").await["cursor"].clone();
    for n in 0..30 {
        owner
            .create(
                "projects",
                &json!({"key": if n % 3 == 0 { "a" } else { "b" }, "n": n}),
            )
            .await;
    }
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1, "since": cursor})).await;
    for n in 0..10 {
        assert_eq!(ws.expect_event("projects.create").await["n"], n * 3);
    }
    let replayed = ws.frame().await;
    assert_eq!(
        (&replayed["type"], &replayed["count"]),
        (&json!("replayed"), &json!(10))
    );
    drop(ws);
    join(&owner, &colleague, "b").await;
    owner
        .create("projects", &json!({"key": "b", "n": 99}))
        .await;
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1, "since": replayed["cursor"]})).await;
    let resync = ws.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync"), &json!("access")),
        "{resync}"
    );
    owner
        .create("projects", &json!({"key": "b", "n": 100}))
        .await;
    loop {
        let frame = ws.frame().await;
        if frame["data"]["n"] == 100 {
            break;
        }
    }
}

async fn a_snapshot_goes_on_with_the_rule(backend: Backend) {
    let (_app, owner, colleague) = start(backend).await;
    join(&owner, &colleague, "a").await;
    for key in ["a", "b", "a"] {
        owner.create("projects", &json!({"key": key, "n": 1})).await;
    }
    let mut ws = Ws::connect(&colleague).await;
    subscribe(&mut ws, &json!({"ref": 1, "snapshot": true})).await;
    assert_eq!(
        next_event(&mut ws).await["items"].as_array().unwrap().len(),
        2
    );
    assert_eq!(next_event(&mut ws).await["type"], "live");
    owner.create("projects", &json!({"key": "b", "n": 2})).await;
    owner.create("projects", &json!({"key": "a", "n": 3})).await;
    assert_eq!(next_event(&mut ws).await["data"]["n"], 3);
}

async fn another_macro_of_the_same_name_is_another_rule(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    let mut ws = Ws::connect(&colleague).await;
    let cursor = subscribe(&mut ws, &json!({"ref": 1})).await;
    app.collection("others", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let id = app.admin.get("/macros").await.ok(200)[0]["id"]
        .as_i64()
        .unwrap();
    let query = json!({"sql_query": "SELECT COUNT(*) FROM members WHERE :project != ''"});
    app.admin
        .put(&format!("/macros/{id}"), &query)
        .await
        .ok(200);
    let resync = ws.frame().await;
    assert_eq!(
        (&resync["type"], &resync["reason"]),
        (&json!("resync"), &json!("rules")),
        "{resync}"
    );
    join(&owner, &owner, "x").await;
    assert_eq!(ws.frame().await["reason"], "access");
    owner.create("projects", &json!({"key": "a", "n": 1})).await;
    assert_eq!(ws.expect_event("projects.create").await["n"], 1);
    let mut late = Ws::connect(&colleague).await;
    subscribe(&mut late, &json!({"ref": 1, "since": cursor})).await;
    assert_eq!(late.frame().await["reason"], "rules");
}

type Held = Arc<Mutex<BTreeMap<String, Value>>>;

/// Holds what it hears, and fetches everything again when it is told to.
async fn hear(user: User, held: Held) {
    let list = async || {
        let page = user.get("/records/projects?limit=100").await.ok(200);
        let items = page["items"].as_array().unwrap().iter();
        items
            .map(|item| (item["id"].as_str().unwrap().to_owned(), item["n"].clone()))
            .collect()
    };
    let mut ws = Ws::connect(&user).await;
    subscribe(&mut ws, &json!({"ref": 1})).await;
    *held.lock().unwrap() = list().await;
    loop {
        let frame = ws.patient_frame().await;
        if frame["type"] == "resync" {
            let listed = list().await;
            *held.lock().unwrap() = listed;
        }
        let Some(id) = frame["id"].as_str().map(str::to_owned) else {
            continue;
        };
        let mut held = held.lock().unwrap();
        match frame["operation"].as_str().unwrap() {
            "delete" => held.remove(&id),
            _ => held.insert(id, frame["data"]["n"].clone()),
        };
    }
}

async fn everybody_holds_what_the_list_shows_whatever_changes(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    let clients = [owner.clone(), colleague.clone()].map(|user| {
        let held = Held::default();
        let task = tokio::spawn(hear(user.clone(), held.clone()));
        (user, held, task)
    });
    let write = async |seed: u64| {
        let mut state = seed;
        let mut roll = |sides: usize| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % sides
        };
        let keys = ["a", "b", "c"];
        let (mut projects, mut members) = (Vec::new(), Vec::new());
        for n in 0..40 {
            match roll(5) {
                0 | 1 => {
                    projects.push(
                        owner
                            .create_id("projects", &json!({"key": keys[roll(3)], "n": n}))
                            .await,
                    );
                }
                2 if !projects.is_empty() => {
                    let id = &projects[roll(projects.len())];
                    let body = json!({"key": keys[roll(3)], "n": n});
                    app.admin
                        .patch(&format!("/records/projects/{id}"), &body)
                        .await
                        .ok(200);
                }
                3 if !members.is_empty() => {
                    let id: String = members.swap_remove(roll(members.len()));
                    owner
                        .delete(&format!("/records/members/{id}"))
                        .await
                        .ok(204);
                }
                _ => {
                    let user = if roll(2) == 0 { &owner } else { &colleague };
                    members.push(join(&owner, user, keys[roll(3)]).await);
                }
            }
        }
    };
    tokio::join!(write(1), write(2), write(3));
    for (user, held, task) in &clients {
        let holds = async || {
            let page = user.get("/records/projects?limit=100").await.ok(200);
            let items = page["items"].as_array().unwrap().iter();
            let listed: BTreeMap<String, Value> = items
                .map(|item| (item["id"].as_str().unwrap().to_owned(), item["n"].clone()))
                .collect();
            listed == *held.lock().unwrap()
        };
        eventually("what the list shows", holds).await;
        task.abort();
    }
}
