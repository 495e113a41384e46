//! Hooks of an embedding program.

use std::future::ready;
use std::sync::{Arc, Mutex};

use serde_json::json;
use snackbase::hooks::{Abort, HookOptions, Hooks};

use crate::harness::{Backend, PASSWORD, Sse, TestApp, Ws, eventually, open};

crate::both![
    before_hooks_run_by_priority_and_change_what_is_stored,
    an_abort_stores_nothing_and_tells_its_message_and_status,
    hooks_see_whose_record_it_is_and_who_writes,
    after_hooks_run_once_for_every_way_to_write,
    what_a_hook_makes_of_a_record_is_validated,
    hooks_of_sign_in_and_registration_can_refuse,
    realtime_hooks_see_connections_subscriptions_and_messages,
];

/// What the hooks noted.
type Notes = Arc<Mutex<Vec<String>>>;

fn note(notes: &Notes, text: impl Into<String>) {
    notes.lock().unwrap().push(text.into());
}

async fn app(backend: Backend, hooks: impl FnOnce(Hooks) -> Hooks) -> TestApp {
    let app = TestApp::spawn_hooked(backend, |_| {}, hooks).await;
    for name in ["posts", "pages"] {
        let fields = json!([{"name": "title", "type": "text"}, {"name": "n", "type": "number"}]);
        app.collection(name, &fields, &open()).await;
    }
    app
}

async fn before_hooks_run_by_priority_and_change_what_is_stored(backend: Backend) {
    let append = |hooks: Hooks, options: HookOptions, word: &'static str| {
        hooks.on_record_before_create_with(options, move |mut event| {
            let title = event.data["title"].as_str().unwrap_or_default().to_owned();
            event.data.insert("title".into(), json!(title + word));
            ready(Ok(event))
        })
    };
    let app = app(backend, |hooks| {
        let hooks = append(hooks, HookOptions::default(), " second");
        let hooks = append(hooks, HookOptions::default(), " third");
        let hooks = append(hooks, HookOptions::default().priority(5), " first");
        append(hooks, HookOptions::collection("pages"), " page")
    })
    .await;
    let user = app.register().await;
    let body = json!({"title": "a"});
    assert_eq!(
        user.create("posts", &body).await["title"],
        "a first second third"
    );
    assert_eq!(
        user.create("pages", &body).await["title"],
        "a first second third page"
    );
    let batch = user
        .post("/records/posts/batch", &json!({"records": [body]}))
        .await
        .ok(201);
    assert_eq!(batch["created"][0]["title"], "a first second third");
}

async fn an_abort_stores_nothing_and_tells_its_message_and_status(backend: Backend) {
    let app = app(backend, |hooks| {
        hooks
            .on_record_before_create(async |event| {
                if event.data["title"] == "bad" {
                    Err(Abort::new("No bad titles").with_status(409))
                } else {
                    Ok(event)
                }
            })
            .on_record_before_update(async |event| {
                if event.data.contains_key("n") {
                    Err(Abort::new("Numbers stay"))
                } else {
                    Ok(event)
                }
            })
            .on_record_before_delete(async |event| {
                if event.collection == "posts" {
                    Err(Abort::new("Posts stay").with_status(500))
                } else {
                    Ok(event)
                }
            })
    })
    .await;
    let user = app.register().await;
    user.post("/records/posts", &json!({"title": "bad"}))
        .await
        .refused(409, "No bad titles");
    let batch = json!({"records": [{"title": "good"}, {"title": "bad"}]});
    user.post("/records/posts/batch", &batch)
        .await
        .refused(409, "No bad titles");
    assert_eq!(user.get("/records/posts").await.ok(200)["total"], 0);
    let id = user.create_id("posts", &json!({"title": "good"})).await;
    let path = format!("/records/posts/{id}");
    user.patch(&path, &json!({"n": 5}))
        .await
        .refused(400, "Numbers stay");
    user.put(&path, &json!({"n": 5}))
        .await
        .refused(400, "Numbers stay");
    user.patch(&path, &json!({"title": "better"})).await.ok(200);
    // A hook refuses a client; it cannot make the server fail.
    user.delete(&path).await.refused(400, "Posts stay");
    user.delete_with("/records/posts/batch", &json!({"ids": [id]}))
        .await
        .refused(400, "Posts stay");
    assert_eq!(user.get(&path).await.ok(200)["title"], "better");
}

async fn hooks_see_whose_record_it_is_and_who_writes(backend: Backend) {
    let notes = Notes::default();
    let seen = notes.clone();
    let app = app(backend, |hooks| {
        hooks.on_record_before_update(move |event| {
            note(
                &seen,
                format!(
                    "{} {} {} {}",
                    event.collection,
                    event.account_id,
                    event.record_id.clone().unwrap(),
                    event.caller.actor()
                ),
            );
            ready(Ok(event))
        })
    })
    .await;
    let user = app.register().await;
    let id = user.create_id("posts", &json!({})).await;
    let path = format!("/records/posts/{id}");
    user.patch(&path, &json!({})).await.ok(200);
    app.admin.patch(&path, &json!({})).await.ok(200);
    app.visitor_of(&user).patch(&path, &json!({})).await.ok(200);
    let expected = [user.id.as_str(), &app.admin.id, "anonymous"]
        .map(|actor| format!("posts {} {id} {actor}", user.account_id));
    assert_eq!(*notes.lock().unwrap(), expected);
}

async fn after_hooks_run_once_for_every_way_to_write(backend: Backend) {
    let notes = Notes::default();
    let (created, updated, deleted) = (notes.clone(), notes.clone(), notes.clone());
    let app = app(backend, |hooks| {
        hooks
            .on_record_after_create(move |event| {
                note(&created, format!("create {}", event.record().unwrap()["n"]));
                ready(Ok(event))
            })
            .on_record_after_update(move |event| {
                note(
                    &updated,
                    format!(
                        "update {} {}",
                        event.previous().unwrap()["n"],
                        event.record().unwrap()["n"]
                    ),
                );
                ready(Ok(event))
            })
            .on_record_after_delete(move |event| {
                note(
                    &deleted,
                    format!("delete {}", event.previous().unwrap()["n"]),
                );
                ready(Err(Abort::new("too late to stop anything")))
            })
    })
    .await;
    let user = app.register().await;
    let id = user.create_id("posts", &json!({"n": 1.5})).await;
    user.patch(&format!("/records/posts/{id}"), &json!({"n": 2.5}))
        .await
        .ok(200);
    user.delete(&format!("/records/posts/{id}")).await.ok(204);
    user.post(
        "/records/posts/batch",
        &json!({"records": [{"n": 3.5}, {"n": 4.5}]}),
    )
    .await
    .ok(201);
    user.post(
        "/records/posts/batch",
        &json!({"records": [{"n": 5.5}, {"n": "no"}]}),
    )
    .await
    .refused(400, "");
    user.create("posts", &json!({"n": 6.5})).await;
    eventually("the last hook", async || {
        notes
            .lock()
            .unwrap()
            .last()
            .is_some_and(|last| last == "create 6.5")
    })
    .await;
    let expected = [
        "create 1.5",
        "update 1.5 2.5",
        "delete 2.5",
        "create 3.5",
        "create 4.5",
        "create 6.5",
    ];
    assert_eq!(*notes.lock().unwrap(), expected);
}

async fn what_a_hook_makes_of_a_record_is_validated(backend: Backend) {
    let app = app(backend, |hooks| {
        hooks.on_record_before_create(async |mut event| {
            event.data.insert("n".into(), json!("no number"));
            Ok(event)
        })
    })
    .await;
    let user = app.register().await;
    user.post("/records/posts", &json!({"title": "a"}))
        .await
        .problems(&[("n", "invalid_type")]);
}

async fn hooks_of_sign_in_and_registration_can_refuse(backend: Backend) {
    let notes = Notes::default();
    let (registered, entered, left) = (notes.clone(), notes.clone(), notes.clone());
    let app = app(backend, |hooks| {
        hooks
            .on_auth_before_register(async |event| {
                if event.email.starts_with("bad") {
                    Err(Abort::new("Not you").with_status(403))
                } else {
                    Ok(event)
                }
            })
            .on_auth_before_login(async |event| {
                if event.email.starts_with("user2") {
                    Err(Abort::new("Not today").with_status(403))
                } else {
                    Ok(event)
                }
            })
            .on_auth_after_register(move |event| {
                note(&registered, format!("registered {}", event.email));
                ready(Ok(event))
            })
            .on_auth_after_login(move |event| {
                note(&entered, format!("in {}", event.email));
                ready(Ok(event))
            })
            .on_auth_after_logout(move |event| {
                note(&left, format!("out {}", event.email));
                ready(Ok(event))
            })
    })
    .await;
    let user = app.register().await;
    user.post("/auth/logout", &json!({})).await.ok(200);
    let register = |email: &str, slug: &str| json!({"email": email, "password": PASSWORD, "account_name": slug});
    app.anonymous()
        .post("/auth/register", &register("bad@example.com", "unwanted"))
        .await
        .refused(403, "Not you");
    app.anonymous()
        .post("/auth/register", &register("user2@example.com", "second"))
        .await
        .ok(201);
    let login = json!({"account": "second", "email": "user2@example.com", "password": PASSWORD});
    app.anonymous()
        .post("/auth/login", &login)
        .await
        .refused(403, "Not today");
    let expected = [
        "in root@example.com",
        "registered user1@example.com",
        "in user1@example.com",
        "out user1@example.com",
        "registered user2@example.com",
    ];
    assert_eq!(*notes.lock().unwrap(), expected);
    assert_eq!(
        app.admin.get("/accounts?search=unwanted").await.ok(200)["total"],
        0
    );
}

async fn realtime_hooks_see_connections_subscriptions_and_messages(backend: Backend) {
    let notes = Notes::default();
    let [connect, disconnect, subscribe, unsubscribe, message] =
        std::array::from_fn(|_| notes.clone());
    let app = app(backend, |hooks| {
        hooks
            .on_realtime_connect(move |event| {
                if event
                    .caller
                    .principal()
                    .is_some_and(|user| user.email.starts_with("user2"))
                {
                    return ready(Err(Abort::new("Not you").with_status(403)));
                }
                note(&connect, "connect");
                ready(Ok(event))
            })
            .on_realtime_disconnect(move |event| {
                note(&disconnect, "disconnect");
                ready(Ok(event))
            })
            .on_realtime_subscribe(move |event| {
                let collection = event.collection.clone().unwrap();
                note(&subscribe, format!("subscribe {collection}"));
                ready(if collection == "pages" {
                    Err(Abort::new("No pages"))
                } else {
                    Ok(event)
                })
            })
            .on_realtime_unsubscribe(move |event| {
                note(
                    &unsubscribe,
                    format!("unsubscribe {}", event.collection.clone().unwrap()),
                );
                ready(Ok(event))
            })
            .on_realtime_message(move |event| {
                note(
                    &message,
                    format!(
                        "message {}",
                        event.message.clone().unwrap()["action"]
                            .as_str()
                            .unwrap_or_default()
                    ),
                );
                ready(Ok(event))
            })
    })
    .await;
    let (user, refused) = (app.register().await, app.register().await);
    assert_eq!(
        Ws::try_connect(&app.base, &format!("?token={}", refused.token), &[])
            .await
            .err(),
        Some(403)
    );
    refused
        .get("/realtime/subscribe?collection=posts")
        .await
        .refused(403, "Not you");
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    ws.send(&json!({"action": "subscribe", "collection": "pages"}))
        .await;
    assert_eq!(ws.frame().await["error"], "No pages");
    ws.send(&json!({"action": "unsubscribe", "collection": "posts"}))
        .await;
    ws.frame().await;
    ws.close().await;
    eventually("the end", async || {
        notes
            .lock()
            .unwrap()
            .last()
            .is_some_and(|last| last == "disconnect")
    })
    .await;
    let mut expected = vec![
        "connect",
        "message subscribe",
        "subscribe posts",
        "message subscribe",
        "subscribe pages",
    ];
    expected.extend(["message unsubscribe", "unsubscribe posts", "disconnect"]);
    let seen: Vec<String> = notes.lock().unwrap().clone();
    let seen: Vec<&str> = seen.iter().map(String::as_str).collect();
    assert_eq!(seen, expected);
    // Streams have the same hooks, as far as they have such events.
    let stream = Sse::open(&user, "?collection=posts").await;
    drop(stream);
    eventually("the stream's end", async || {
        notes
            .lock()
            .unwrap()
            .iter()
            .filter(|text| *text == "disconnect")
            .count()
            >= 2
    })
    .await;
    assert!(
        notes
            .lock()
            .unwrap()
            .iter()
            .filter(|text| *text == "subscribe posts")
            .count()
            == 2
    );
}
