use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, open};

crate::both![
    collections_are_named_in_every_published_form,
    both_paths_serve_the_same_stream,
    a_stream_goes_on_after_its_last_event,
    a_cursor_of_another_life_is_answered_with_resync,
    a_browser_knows_where_to_go_on_before_the_first_event,
    a_stream_may_begin_with_what_is_there,
    a_plain_stream_never_sees_a_new_kind_of_event,
    more_than_a_hundred_collections_are_refused,
];

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    for name in ["posts", "notes", "marks"] {
        app.collection(name, &json!([{"name": "n", "type": "number"}]), &open())
            .await;
    }
    let user = app.register().await;
    (app, user)
}

async fn collections_are_named_in_every_published_form(backend: Backend) {
    let (app, user) = posts(backend).await;
    let all = [
        "posts.create",
        "posts.update",
        "notes.create",
        "notes.update",
    ];
    let cases: &[(&str, &[&str])] = &[
        ("?collection=posts&collection=notes", &all),
        ("?collections=posts&collections=notes", &all),
        ("?collections=posts,notes", &all),
        ("?collection=posts", &all[..2]),
        (
            "?collections=posts%3Acreate%2Cdelete&collections=notes:update",
            &["posts.create", "notes.update"],
        ),
        (
            "?collections=posts,notes&operations=update",
            &["posts.update", "notes.update"],
        ),
        ("", &[]),
    ];
    for (query, expected) in cases {
        let marks = if query.is_empty() {
            "?collection=marks"
        } else {
            "&collection=marks"
        };
        let marks = if query.contains("operations=") {
            "&collections=marks:update"
        } else {
            marks
        };
        let with_token = format!("{query}{marks}&token={}", user.token);
        let mut sse = Sse::open(&app.anonymous(), &with_token).await;
        let mut ids = Vec::new();
        for collection in ["posts", "notes", "marks"] {
            let id = user.create_id(collection, &json!({"n": 1})).await;
            user.patch(&format!("/records/{collection}/{id}"), &json!({"n": 2}))
                .await
                .ok(200);
            ids.push(id);
        }
        let mut heard = Vec::new();
        loop {
            let event = sse.event().await.data;
            // What was written just before may come as well.
            if ids.iter().any(|id| event["id"] == id.as_str()) {
                heard.push(event["type"].as_str().unwrap().to_owned());
            }
            if heard.last().is_some_and(|kind| kind == "marks.update") {
                break;
            }
        }
        heard.retain(|kind| !kind.starts_with("marks"));
        assert_eq!(heard, *expected, "{query}");
    }
}

async fn both_paths_serve_the_same_stream(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut sse = Sse::open_at(&user, "/realtime/events?collection=posts").await;
    let created = user.create("posts", &json!({"n": 1})).await;
    let event = sse.event().await;
    assert_eq!(event.data["data"], created);
    assert!(
        event
            .id
            .is_some_and(|id| event.data["cursor"] == id.as_str())
    );
    assert!(sse.comments.iter().any(|comment| comment == "connected"));
}

async fn numbers(sse: &mut Sse, count: usize) -> Vec<Value> {
    let mut numbers = Vec::new();
    for _ in 0..count {
        numbers.push(json!(sse.event().await.data["data"]["n"].as_f64()));
    }
    numbers
}

async fn a_stream_goes_on_after_its_last_event(backend: Backend) {
    let (app, user) = posts(backend).await;
    let mut sse = Sse::open(&user, "?collection=posts").await;
    let mut cursors = Vec::new();
    for n in 0..3 {
        user.create("posts", &json!({"n": n})).await;
        cursors.push(sse.event().await.id.unwrap());
    }
    drop(sse);
    let stranger = app.register().await;
    for n in 3..30 {
        user.create("posts", &json!({"n": n})).await;
        user.create("notes", &json!({"n": n})).await;
        stranger.create("posts", &json!({"n": -1})).await;
    }
    // By header and by query; what was missed comes first, then what happens now, nothing twice.
    let by_query = [
        format!("&last_event_id={}", cursors[0]),
        format!("&since={}", cursors[0]),
    ];
    let mut streams = vec![
        Sse::resume(&user, "?collection=posts", &cursors[0]).await,
        Sse::open(&user, &format!("?collection=posts{}", by_query[0])).await,
        Sse::open(&user, &format!("?collection=posts{}", by_query[1])).await,
    ];
    user.create("posts", &json!({"n": 30})).await;
    let expected: Vec<Value> = (1..31).map(|n| json!(f64::from(n))).collect();
    for stream in &mut streams {
        assert_eq!(numbers(stream, 30).await, expected);
    }
    user.create("posts", &json!({"n": 31})).await;
    assert_eq!(numbers(&mut streams[0], 1).await, [json!(31.0)]);
    // Another account's cursor shows nothing of the account.
    let mut theirs = Sse::resume(&stranger, "?collection=posts", &cursors[0]).await;
    assert_eq!(numbers(&mut theirs, 27).await, vec![json!(-1.0); 27]);
}

async fn a_cursor_of_another_life_is_answered_with_resync(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut witness = Sse::open(&user, "?collection=posts").await;
    user.create("posts", &json!({"n": 1})).await;
    // From here on, no cursor is from before the collection.
    witness.event().await;
    for cursor in [
        "nonsense",
        "other-epoch:5",
        "a:b:c",
        "x:-1",
        "x:99999999999999999999",
    ] {
        let mut sse = Sse::resume(&user, "?collection=posts", cursor).await;
        let resync = sse.notice("resync").await;
        assert_eq!(
            (&resync.data["type"], &resync.data["reason"]),
            (&json!("resync"), &json!("epoch")),
            "{cursor}"
        );
        let known = resync.id.unwrap();
        let created = user.create_id("posts", &json!({"n": 7})).await;
        assert_eq!(sse.event().await.data["id"], created.as_str());
        let mut again = Sse::resume(&user, "?collection=posts", &known).await;
        assert_eq!(again.event().await.data["id"], created.as_str());
    }
}

async fn a_browser_knows_where_to_go_on_before_the_first_event(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let mut sse = Sse::open(&user, "?collection=posts").await;
    user.create("marks", &json!({})).await;
    let id = user.create_id("posts", &json!({"n": 1})).await;
    let first = sse.event().await;
    assert_eq!(first.data["id"], id.as_str());
    let mut fresh = Sse::open(&user, "?collection=posts").await;
    // The id stands in the greeting, which `open` has read; parsing it takes an event.
    let last = user.create_id("posts", &json!({"n": 2})).await;
    let event = fresh.event().await;
    assert_eq!(event.data["id"], last.as_str());
    let idle = Sse::open(&user, "?collection=posts").await;
    let known = idle.greeted_at().unwrap();
    drop(idle);
    let missed = user.create_id("posts", &json!({"n": 3})).await;
    let mut again = Sse::resume(&user, "?collection=posts", &known).await;
    assert_eq!(again.event().await.data["id"], missed.as_str());
}

async fn a_stream_may_begin_with_what_is_there(backend: Backend) {
    let (_app, user) = posts(backend).await;
    for n in 0..5 {
        user.create("posts", &json!({"n": n})).await;
    }
    let query = "?collection=posts&snapshot=true&filter=n%3E1&sort=n&fields=n&limit=2";
    let mut sse = Sse::open(&user, query).await;
    let page = sse.notice("snapshot").await.data;
    let shown: Vec<Option<f64>> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["n"].as_f64())
        .collect();
    assert_eq!(
        (shown, &page["has_more"]),
        (vec![Some(2.0), Some(3.0)], &json!(true))
    );
    assert!(sse.notice("live").await.id.is_some());
    user.create("posts", &json!({"n": 1})).await;
    user.create("posts", &json!({"n": 9})).await;
    assert_eq!(numbers(&mut sse, 1).await, [json!(9.0)]);
    for bad in [
        "?collection=posts&collection=notes&snapshot=true",
        "?collection=posts&filter=%3D",
        "?collection=posts&limit=x",
    ] {
        let status = user.get(&format!("/realtime/subscribe{bad}")).await.status;
        assert!((400..423).contains(&status), "{bad}: {status}");
    }
}

async fn a_plain_stream_never_sees_a_new_kind_of_event(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.checkpoint_seconds = 1;
        config.realtime.heartbeat_seconds = 1;
    })
    .await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    let mut sse = Sse::open(&user, "?collection=posts").await;
    app.rules("posts", &json!({"list_rule": "n > 0"})).await;
    user.create("posts", &json!({"n": 0})).await;
    let mut names = Vec::new();
    while names.len() < 3 {
        names.push(sse.any_event().await.unwrap().name);
    }
    assert_eq!(names, ["heartbeat"; 3]);
    // Checkpoints have no data: only what a browser keeps has moved.
    assert_ne!(sse.last_event_id, sse.greeted_at());
}

async fn more_than_a_hundred_collections_are_refused(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let names: Vec<String> = (0..101).map(|index| format!("c{index}")).collect();
    user.get(&format!(
        "/realtime/subscribe?collections={}",
        names.join(",")
    ))
    .await
    .refused(400, "100");
    Sse::open(&user, &format!("?collections={}", names[..100].join(","))).await;
}
