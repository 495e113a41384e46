use serde_json::{Value, json};

use super::{SECRET, World};
use crate::harness::{Backend, Sse, Ws};

crate::both![whoever_subscribes_to_everything_hears_nothing_of_another_account];

async fn whoever_subscribes_to_everything_hears_nothing_of_another_account(backend: Backend) {
    let world = Box::pin(World::new(backend)).await;
    let (a, b) = (&world.a, &world.b);
    let mut of_a = Ws::connect(a).await;
    of_a.subscribe("posts").await;
    let mut ws = Ws::connect(b).await;
    let mut sse = Sse::open(b, "?collections=posts,notes,*").await;
    // From the beginning of the log as well.
    let beginning = {
        let frame = async {
            b.create("posts", &json!({})).await;
            sse.event().await.id.unwrap()
        };
        let cursor: String = frame.await;
        format!("{}:0", cursor.split(':').next().unwrap())
    };
    let mut replayed = Sse::resume(b, "?collections=posts,notes", &beginning).await;
    for collection in [
        "posts",
        "notes",
        "*",
        "users",
        "accounts",
        "change_log",
        "col_posts",
        "POSTS",
    ] {
        for account in [
            Value::Null,
            json!(b.account_slug),
            json!(a.account_slug),
            json!(a.account_id),
            json!("*"),
        ] {
            ws.send(&json!({"action": "subscribe", "collection": collection, "account": account}))
                .await;
            ws.frame().await;
        }
    }
    let id = a.create_id("posts", &json!({"title": SECRET})).await;
    a.patch(
        &format!("/records/posts/{id}"),
        &json!({"title": format!("{SECRET} 2")}),
    )
    .await
    .ok(200);
    let body = json!({"records": [{"title": SECRET}, {"title": SECRET}]});
    a.post("/records/notes/batch", &body).await.ok(201);
    world
        .app
        .admin
        .patch(&format!("/records/posts/{id}"), &json!({"title": SECRET}))
        .await
        .ok(200);
    world
        .app
        .visitor_of(a)
        .create("posts", &json!({"title": SECRET}))
        .await;
    a.delete(&format!("/records/posts/{id}")).await.ok(204);
    let last = b.create_id("posts", &json!({"title": "the end"})).await;
    let mut heard = Vec::new();
    loop {
        let frame = ws.frame().await;
        heard.push(frame.to_string());
        if frame["id"] == last.as_str() {
            break;
        }
    }
    for stream in [&mut sse, &mut replayed] {
        loop {
            let event = stream.event().await;
            heard.push(event.data.to_string());
            if event.data["id"] == last.as_str() {
                break;
            }
        }
    }
    for frame in &heard {
        for mark in [SECRET, &a.account_id, &a.id, &id] {
            assert!(!frame.contains(mark), "{frame}");
        }
    }
    // A itself heard it all.
    assert_eq!(of_a.expect_event("posts.create").await["title"], SECRET);
}
