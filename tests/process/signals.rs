//! How the program starts and ends.

use serde_json::json;

use crate::harness::{Backend, Database, PASSWORD, Process, Sse, Ws, soon};

crate::both![
    a_server_that_is_asked_to_end_sends_everyone_away_and_ends_well,
    what_was_written_is_there_after_a_restart,
    a_subscriber_goes_on_after_a_crash_where_it_was,
    a_websocket_client_goes_on_after_a_crash_where_it_was,
];

async fn a_server_that_is_asked_to_end_sends_everyone_away_and_ends_well(backend: Backend) {
    let database = Database::create(backend).await;
    let mut server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let mut ws = Ws::connect(&admin).await;
    ws.subscribe("anything").await;
    let ending = tokio::task::spawn_blocking(move || server.terminate());
    assert_eq!(ws.end().await.code, 1001);
    assert!(soon("the end", ending).await.unwrap());
}

async fn what_was_written_is_there_after_a_restart(backend: Backend) {
    let database = Database::create(backend).await;
    let mut server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let collection =
        json!({"name": "items", "fields": [{"name": "a", "type": "text"}], "view_rule": ""});
    admin.post("/collections", &collection).await.ok(201);
    let id = admin.create_id("items", &json!({"a": "b"})).await;
    assert!(server.terminate());
    // The secret is configured, so tokens and sessions go on as well.
    let server = Process::serve(&database, &[]);
    let again = server
        .anonymous()
        .with_header("authorization", &format!("Bearer {}", admin.token));
    assert_eq!(
        again.get(&format!("/records/items/{id}")).await.ok(200)["a"],
        "b"
    );
    server
        .anonymous()
        .login("system", &admin.email, PASSWORD)
        .await;
}

async fn a_subscriber_goes_on_after_a_crash_where_it_was(backend: Backend) {
    let database = Database::create(backend).await;
    let mut server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let collection = json!({"name": "items", "fields": [{"name": "n", "type": "number"}]});
    admin.post("/collections", &collection).await.ok(201);
    let mut stream = Sse::open(&admin, "?collection=items").await;
    admin.create("items", &json!({"n": 0})).await;
    let seen = stream.event().await;
    drop(stream);
    for n in 1..20 {
        admin.create("items", &json!({"n": n})).await;
    }
    server.kill();
    let server = Process::serve(&database, &[]);
    let again = server
        .anonymous()
        .with_header("authorization", &format!("Bearer {}", admin.token));
    let mut stream = Sse::resume(&again, "?collection=items", &seen.id.unwrap()).await;
    again.create("items", &json!({"n": 20})).await;
    for n in 1..21 {
        assert_eq!(
            stream.event().await.data["data"]["n"].as_f64(),
            Some(f64::from(n))
        );
    }
}

async fn a_websocket_client_goes_on_after_a_crash_where_it_was(backend: Backend) {
    let database = Database::create(backend).await;
    let mut server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let collection = json!({"name": "items", "fields": [{"name": "n", "type": "number"}]});
    admin.post("/collections", &collection).await.ok(201);
    let mut ws = Ws::connect(&admin).await;
    ws.send(&json!({"action": "subscribe", "collection": "items", "ref": "a"}))
        .await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    admin.create("items", &json!({"n": 0})).await;
    let mut seen = ws.frame().await["cursor"].clone();
    for round in 0..3 {
        for n in 0..10 {
            admin_at(&server, &admin)
                .create("items", &json!({"n": round * 20 + n}))
                .await;
        }
        server.kill();
        server = Process::serve(&database, &[]);
        let again = admin_at(&server, &admin);
        for n in 10..20 {
            again.create("items", &json!({"n": round * 20 + n})).await;
        }
        let mut ws = Ws::connect_to(&server.base, &admin.token).await;
        ws.send(&json!({"action": "subscribe", "collection": "items", "ref": "a", "since": seen}))
            .await;
        assert_eq!(ws.frame().await["type"], "subscribed");
        let mut numbers = Vec::new();
        while numbers.len() < 20 {
            let frame = ws.frame().await;
            if frame["operation"].is_string() {
                numbers.push(frame["data"]["n"].as_f64().unwrap());
                seen = frame["cursor"].clone();
            }
        }
        assert_eq!(
            numbers,
            (round * 20..round * 20 + 20)
                .map(f64::from)
                .collect::<Vec<_>>()
        );
    }
}

/// The same user at a server that has begun anew.
fn admin_at(server: &Process, admin: &crate::harness::User) -> crate::harness::Client {
    server
        .anonymous()
        .with_header("authorization", &format!("Bearer {}", admin.token))
}
