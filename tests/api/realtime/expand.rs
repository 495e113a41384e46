//! References in events are expanded as REST expands them, with the rights of whoever listens.

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, Ws, closed, eventually, open};

crate::both![
    events_show_what_references_lead_to,
    each_listener_sees_what_rest_shows_it,
    what_may_not_be_seen_of_a_target_is_not_shown,
    records_that_are_there_and_events_that_were_missed_are_expanded,
    a_slow_reader_sees_the_same,
    whoever_may_see_otherwise_is_told_to_fetch_again,
    changes_during_a_break_are_told,
    a_stream_expands_too,
    what_is_no_reference_is_refused,
    those_who_see_the_same_share_it,
    too_much_stays_ids,
];

fn reference(name: &str, collection: &str) -> Value {
    json!({"name": name, "type": "reference", "collection": collection, "on_delete": "set_null"})
}

/// Countries, people in them with friends, and books by people.
async fn library(backend: Backend) -> (TestApp, User, User) {
    let app = TestApp::spawn_with(backend, |config| {
        config.realtime.queue_frames = 64;
        config.limits.record_bytes = 4 << 20;
    })
    .await;
    app.collection(
        "countries",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let people = json!([
        {"name": "name", "type": "text"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"},
        {"name": "owner", "type": "text"},
        reference("country", "countries"),
        reference("friend", "people")
    ]);
    app.collection("people", &people, &open()).await;
    let books = json!([{"name": "title", "type": "text"}, {"name": "text", "type": "text"},
        reference("author", "people"), reference("editor", "people")]);
    app.collection("books", &books, &open()).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    (app, owner, colleague)
}

struct People {
    ann: String,
    bob: String,
}

async fn people(user: &User) -> People {
    let country = user.create_id("countries", &json!({"name": "Land"})).await;
    let ann =
        json!({"name": "Ann", "mail": "ann@example.com", "owner": user.id, "country": country});
    let ann = user.create_id("people", &ann).await;
    let bob = user
        .create_id("people", &json!({"name": "Bob", "friend": ann}))
        .await;
    user.patch(&format!("/records/people/{ann}"), &json!({"friend": bob}))
        .await
        .ok(200);
    People { ann, bob }
}

/// The next frame that tells something.
async fn frame(ws: &mut Ws) -> Value {
    loop {
        let frame = ws.frame().await;
        if frame["type"] != "checkpoint" {
            return frame;
        }
    }
}

/// The data of the next frame, which must be this event.
async fn event(ws: &mut Ws, kind: &str) -> Value {
    let frame = frame(ws).await;
    assert_eq!(frame["type"], kind, "{frame}");
    frame["data"].clone()
}

async fn subscribe(ws: &mut Ws, more: &Value) -> Value {
    let mut message =
        json!({"action": "subscribe", "collection": "books", "ref": 1, "expand": ["author"]});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    ws.send(&message).await;
    let ack = frame(ws).await;
    assert_eq!(ack["type"], "subscribed", "{ack}");
    ack["cursor"].clone()
}

async fn listen(user: &User, more: &Value) -> Ws {
    let mut ws = Ws::connect(user).await;
    subscribe(&mut ws, more).await;
    ws
}

/// What REST shows; events do not name the account.
async fn viewed(user: &User, id: &Value, expand: &str) -> Value {
    let mut book = user
        .query(
            &format!("/records/books/{}", id.as_str().unwrap()),
            &[("expand", expand)],
        )
        .await
        .ok(200);
    book["account_name"] = Value::Null;
    book
}

async fn events_show_what_references_lead_to(backend: Backend) {
    let (app, user, _) = library(backend).await;
    let People { ann, bob } = people(&user).await;
    let deep = "author.friend.friend.friend,author.country,editor,author.nonsense";
    let mut ws = listen(&user, &json!({"expand": deep, "old": true})).await;
    let mut of_admin = listen(
        &app.admin,
        &json!({"expand": deep.split(',').collect::<Vec<_>>()}),
    )
    .await;
    let mut plain = listen(&user, &json!({"expand": null})).await;
    let mut narrow = listen(&user, &json!({"fields": ["title", "editor"]})).await;
    let id = user
        .create_id("books", &json!({"title": "Book", "author": ann}))
        .await;
    let created = frame(&mut ws).await;
    assert_eq!(created["type"], "books.create");
    let data = &created["data"];
    assert_eq!(data["author"]["country"]["name"], "Land");
    assert_eq!(data["author"]["friend"]["friend"]["name"], "Ann");
    assert_eq!(
        data["author"]["friend"]["friend"]["friend"],
        bob.as_str(),
        "the fourth level stays an id"
    );
    assert_eq!(
        (&data["editor"], &data["title"]),
        (&Value::Null, &json!("Book"))
    );
    assert_eq!(*data, viewed(&user, &data["id"], deep).await);
    assert_eq!(
        event(&mut of_admin, "books.create").await,
        viewed(&app.admin, &data["id"], deep).await
    );
    assert_eq!(
        event(&mut plain, "books.create").await["author"],
        ann.as_str()
    );
    let narrowed = event(&mut narrow, "books.create").await;
    assert!(
        !narrowed.as_object().unwrap().contains_key("author"),
        "{narrowed}"
    );
    // What was there before is told as it was.
    user.patch(&format!("/records/books/{id}"), &json!({"editor": bob}))
        .await
        .ok(200);
    let updated = frame(&mut ws).await;
    assert_eq!(
        (
            &updated["data"]["editor"]["name"],
            &updated["old"]["author"]
        ),
        (&json!("Bob"), &json!(ann))
    );
    // What a record shows is what is there when it is told, and changes of it are told to those who
    // listen to it.
    user.patch(&format!("/records/people/{bob}"), &json!({"name": "Rob"}))
        .await
        .ok(200);
    user.patch(&format!("/records/books/{id}"), &json!({"title": "Again"}))
        .await
        .ok(200);
    assert_eq!(
        event(&mut ws, "books.update").await["editor"]["name"],
        "Rob"
    );
    user.delete(&format!("/records/people/{bob}")).await.ok(204);
    let emptied = event(&mut ws, "books.update").await;
    assert_eq!(
        (&emptied["editor"], &emptied["author"]["name"]),
        (&Value::Null, &json!("Ann"))
    );
    user.delete(&format!("/records/books/{id}")).await.ok(204);
    assert_eq!(event(&mut ws, "books.delete").await, json!({"id": id}));
}

async fn each_listener_sees_what_rest_shows_it(backend: Backend) {
    let (app, user, colleague) = library(backend).await;
    let People { ann, .. } = people(&user).await;
    let hers = colleague
        .create_id("people", &json!({"name": "Eve", "owner": colleague.id}))
        .await;
    app.rules(
        "people",
        &json!({"view_rule": "owner = @request.auth.id", "view_fields": ["name", "owner"]}),
    )
    .await;
    let mut listeners = Vec::new();
    for who in [&user, &colleague, &app.admin] {
        listeners.push((who, listen(who, &json!({})).await));
    }
    for author in [&ann, &hers] {
        user.create("books", &json!({"title": "Book", "author": author}))
            .await;
        for (who, ws) in &mut listeners {
            let data = event(ws, "books.create").await;
            assert_eq!(data, viewed(who, &data["id"], "author").await);
            let is_own = (*author == ann) == (who.id == user.id);
            assert_eq!(
                data["author"].is_object(),
                is_own || who.id == app.admin.id,
                "{data}"
            );
        }
    }
    let stranger = app.register().await;
    let foreign = stranger
        .create_id("people", &json!({"name": "Foe", "owner": user.id}))
        .await;
    app.rules("people", &json!({"view_rule": ""})).await;
    let mut of_admin = listen(&app.admin, &json!({})).await;
    // Nothing can refer to another account's record.
    user.post("/records/books", &json!({"author": foreign}))
        .await
        .refused(400, "");
    stranger
        .create("books", &json!({"title": "Other", "author": foreign}))
        .await;
    assert_eq!(
        event(&mut of_admin, "books.create").await["author"]["name"],
        "Foe"
    );
}

async fn what_may_not_be_seen_of_a_target_is_not_shown(backend: Backend) {
    let (app, user, colleague) = library(backend).await;
    let People { ann, .. } = people(&user).await;
    let (mut own, mut other) = (
        listen(&user, &json!({})).await,
        listen(&colleague, &json!({})).await,
    );
    let mut told = async |author: &str| {
        user.create("books", &json!({"title": "Book", "author": author}))
            .await;
        [
            own.next_of("books.create").await,
            other.next_of("books.create").await,
        ]
        .map(|frame| frame["data"].clone())
    };
    let [own, other] = told(&ann).await;
    assert_eq!(own["author"]["mail"], "ann@example.com");
    assert_eq!(
        other["author"]["mail"], "a***@example.com",
        "the first of the account sees personal data"
    );
    app.rules(
        "people",
        &json!({"view_fields": ["name"], "list_fields": ["mail"]}),
    )
    .await;
    for data in told(&ann).await {
        let author = data["author"].as_object().unwrap();
        assert!(
            author.contains_key("name") && !author.contains_key("mail"),
            "{data}"
        );
    }
    app.rules("people", &json!({"view_rule": "name = 'Bob'"}))
        .await;
    for data in told(&ann).await {
        assert_eq!(data["author"], Value::Null);
    }
    app.rules("people", &json!({"view_rule": null})).await;
    for data in told(&ann).await {
        assert_eq!(data["author"], Value::Null);
    }
    // A reference that is hidden is not expanded.
    app.rules("people", &json!({"view_rule": ""})).await;
    app.rules("books", &json!({"list_fields": ["title"]})).await;
    for data in told(&ann).await {
        assert!(!data.as_object().unwrap().contains_key("author"), "{data}");
    }
    // Rules about other records are judged as well.
    app.rules("books", &json!({"list_fields": "*"})).await;
    let query = "SELECT COUNT(*) FROM countries WHERE name = :name";
    app.admin
        .post(
            "/macros",
            &json!({"name": "is_country", "sql_query": query, "parameters": ["name"]}),
        )
        .await
        .ok(201);
    app.rules("people", &json!({"view_rule": "@is_country(name) > 0"}))
        .await;
    assert_eq!(told(&ann).await[0]["author"], Value::Null);
    user.create("countries", &json!({"name": "Ann"})).await;
    assert_eq!(told(&ann).await[1]["author"]["name"], "Ann");
}

async fn records_that_are_there_and_events_that_were_missed_are_expanded(backend: Backend) {
    let (app, user, colleague) = library(backend).await;
    let People { ann, bob } = people(&user).await;
    app.rules("people", &json!({"view_rule": "name = 'Ann'"}))
        .await;
    let mut ws = listen(&user, &json!({})).await;
    let first = user
        .create_id(
            "books",
            &json!({"title": "0", "author": ann, "editor": bob}),
        )
        .await;
    let cursor = ws.next_of("books.create").await["cursor"].clone();
    for n in 1..100 {
        user.create(
            "books",
            &json!({"title": n.to_string(), "author": ann, "editor": bob}),
        )
        .await;
    }
    user.delete(&format!("/records/books/{first}"))
        .await
        .ok(204);
    for who in [&user, &colleague] {
        let mut ws = listen(
            who,
            &json!({"since": cursor, "expand": "author.country,editor"}),
        )
        .await;
        for n in 1..100 {
            let data = event(&mut ws, "books.create").await;
            assert_eq!(data["title"], n.to_string());
            assert_eq!(
                (&data["author"]["country"]["name"], &data["editor"]),
                (&json!("Land"), &Value::Null),
                "{data}"
            );
            let mail = if who.id == user.id {
                "ann@example.com"
            } else {
                "a***@example.com"
            };
            assert_eq!(data["author"]["mail"], mail);
        }
        assert_eq!(event(&mut ws, "books.delete").await, json!({"id": first}));
        let replayed = frame(&mut ws).await;
        assert_eq!(
            (&replayed["type"], &replayed["count"]),
            (&json!("replayed"), &json!(100))
        );
        let mut ws = listen(who, &json!({"snapshot": true, "sort": "title", "limit": 3})).await;
        let snapshot = frame(&mut ws).await;
        let page = who
            .get("/records/books?expand=author&sort=title&limit=3")
            .await
            .ok(200);
        for (shown, mut listed) in snapshot["items"]
            .as_array()
            .unwrap()
            .iter()
            .zip(page["items"].as_array().unwrap().clone())
        {
            listed["account_name"] = Value::Null;
            assert_eq!(*shown, listed);
            assert_eq!(shown["author"]["name"], "Ann");
        }
        assert_eq!(frame(&mut ws).await["type"], "live");
    }
}

async fn a_slow_reader_sees_the_same(backend: Backend) {
    let (_app, user, _) = library(backend).await;
    let People { ann, .. } = people(&user).await;
    let mut slow = listen(&user, &json!({"expand": "author.friend"})).await;
    // More than the sockets' buffers and the queue can hold.
    let text = "x".repeat(60_000);
    for n in 0..200 {
        user.create(
            "books",
            &json!({"title": n.to_string(), "text": text, "author": ann}),
        )
        .await;
    }
    for n in 0..200 {
        let data = event(&mut slow, "books.create").await;
        assert_eq!(
            (&data["title"], &data["author"]["friend"]["name"]),
            (&json!(n.to_string()), &json!("Bob"))
        );
    }
    user.create("books", &json!({"title": "live again", "author": ann}))
        .await;
    assert_eq!(
        event(&mut slow, "books.create").await["author"]["friend"]["name"],
        "Bob"
    );
}

async fn expect_resync(ws: &mut Ws, reason: &str) {
    let frame = frame(ws).await;
    assert_eq!(
        (&frame["type"], &frame["reason"]),
        (&json!("resync"), &json!(reason)),
        "{frame}"
    );
}

async fn silent(ws: &mut Ws) {
    ws.send(&json!({"action": "ping"})).await;
    assert_eq!(frame(ws).await["type"], "pong");
}

async fn whoever_may_see_otherwise_is_told_to_fetch_again(backend: Backend) {
    let (app, _, colleague) = library(backend).await;
    let mut ws = listen(&colleague, &json!({"expand": "author.country"})).await;
    let mut of_admin = listen(&app.admin, &json!({})).await;
    let mut plain = listen(&colleague, &json!({"expand": null})).await;
    // What is done with a target otherwise is nothing to those who only see single records of it.
    app.rules("people", &json!({"list_rule": null, "create_rule": null}))
        .await;
    app.rules(
        "people",
        &json!({"view_rule": "@request.auth.role = 'admin'"}),
    )
    .await;
    expect_resync(&mut ws, "rules").await;
    app.rules("countries", &json!({"view_fields": ["name"]}))
        .await;
    expect_resync(&mut ws, "rules").await;
    app.admin
        .patch(&format!("/users/{}", colleague.id), &json!({"role_id": 1}))
        .await
        .ok(200);
    expect_resync(&mut ws, "access").await;
    let fields =
        json!({"fields": [{"name": "name", "type": "text"}, {"name": "more", "type": "text"}]});
    app.admin
        .put("/collections/countries", &fields)
        .await
        .ok(200);
    expect_resync(&mut ws, "schema").await;
    app.collection("others", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    app.rules("others", &closed()).await;
    for ws in [&mut ws, &mut of_admin, &mut plain] {
        silent(ws).await;
    }
}

async fn changes_during_a_break_are_told(backend: Backend) {
    let (app, owner, colleague) = library(backend).await;
    app.collection("pages", &json!([reference("book", "books")]), &open())
        .await;
    let mut ws = listen(
        &colleague,
        &json!({"collection": "pages", "expand": "book"}),
    )
    .await;
    // A place after everything that has happened so far.
    let mut now = async || {
        owner.create("pages", &json!({})).await;
        ws.next_of("pages.create").await["cursor"].clone()
    };
    let since = async |expand: &str, cursor: &Value| {
        let wish = json!({"collection": "pages", "expand": expand, "since": cursor});
        let frame = frame(&mut listen(&colleague, &wish).await).await;
        frame["reason"]
            .as_str()
            .or(frame["type"].as_str())
            .unwrap()
            .to_owned()
    };
    let role = async |role: u32| {
        app.admin
            .patch(
                &format!("/users/{}", colleague.id),
                &json!({"role_id": role}),
            )
            .await
            .ok(200);
    };
    let cursor = now().await;
    role(1).await;
    now().await;
    assert_eq!(
        since("book", &cursor).await,
        "pages.create",
        "no rule reads the role"
    );
    assert_eq!(
        since("book.author", &cursor).await,
        "access",
        "who sees personal data may be another question"
    );
    let cursor = now().await;
    app.rules(
        "books",
        &json!({"view_rule": "@request.auth.role = 'admin'"}),
    )
    .await;
    now().await;
    assert_eq!(since("book", &cursor).await, "rules");
    assert_eq!(since("", &cursor).await, "pages.create");
    let cursor = now().await;
    role(2).await;
    now().await;
    assert_eq!(since("book", &cursor).await, "access");
    let cursor = now().await;
    let fields =
        json!({"fields": [{"name": "name", "type": "text"}, {"name": "more", "type": "text"}]});
    app.admin
        .put("/collections/countries", &fields)
        .await
        .ok(200);
    now().await;
    assert_eq!(since("book.author.country", &cursor).await, "schema");
    assert_eq!(since("book.author", &cursor).await, "pages.create");
}

async fn a_stream_expands_too(backend: Backend) {
    let (_app, user, _) = library(backend).await;
    let People { ann, .. } = people(&user).await;
    user.create("books", &json!({"title": "Book", "author": ann}))
        .await;
    let mut sse = Sse::open(
        &user,
        "?collection=books&expand=author.friend,editor&snapshot=true",
    )
    .await;
    let snapshot = sse.notice("snapshot").await;
    assert_eq!(snapshot.data["items"][0]["author"]["friend"]["name"], "Bob");
    let cursor = sse.notice("live").await.data["cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    user.create("books", &json!({"title": "Next", "author": ann}))
        .await;
    assert_eq!(
        sse.event().await.data["data"]["author"]["friend"]["name"],
        "Bob"
    );
    let mut late = Sse::resume(&user, "?collection=books&expand=author", &cursor).await;
    assert_eq!(late.event().await.data["data"]["author"]["name"], "Ann");
    for (query, problem) in [
        ("collection=books&expand=title", "'title'"),
        ("collections=books,people&expand=author", "'author'"),
    ] {
        user.get(&format!("/realtime/subscribe?{query}"))
            .await
            .refused(400, problem);
    }
}

async fn what_is_no_reference_is_refused(backend: Backend) {
    let (_app, user, _) = library(backend).await;
    let mut ws = Ws::connect(&user).await;
    for (expand, problem) in [
        (json!(["title"]), "'title'"),
        (json!("author,nonsense"), "'nonsense'"),
        (json!("title.author"), "'title'"),
        (json!("author.friend.".repeat(100)), "at most"),
        (json!({"author": true}), "'expand'"),
        (json!([7]), "'expand'"),
    ] {
        for snapshot in [false, true] {
            let message = json!({"action": "subscribe", "collection": "books", "ref": "r", "expand": expand,
                "snapshot": snapshot});
            ws.send(&message).await;
            let refusal = frame(&mut ws).await;
            assert_eq!(
                (&refusal["code"], &refusal["ref"]),
                (&json!("invalid_message"), &json!("r")),
                "{refusal}"
            );
            assert!(
                refusal["error"].as_str().unwrap().contains(problem),
                "{refusal}"
            );
        }
    }
    ws.send(&json!({"action": "subscribe", "collection": "nowhere", "expand": "author"}))
        .await;
    assert_eq!(frame(&mut ws).await["code"], "not_found");
    ws.send(&json!({"action": "subscribe", "collection": "books", "expand": " , "}))
        .await;
    assert_eq!(
        frame(&mut ws).await["type"],
        "subscribed",
        "no name is no wish"
    );
}

async fn those_who_see_the_same_share_it(backend: Backend) {
    let (app, user, colleague) = library(backend).await;
    let third = app.colleague_of(&user).await;
    let mut all = Vec::new();
    for (who, expand) in [
        (&colleague, "author.friend,editor"),
        (&third, "editor,author.friend"),
        (&user, "editor"),
    ] {
        all.push(listen(who, &json!({"expand": expand})).await);
    }
    let sizes = async || {
        let connections =
            app.admin.get("/admin/realtime/connections").await.ok(200)["items"].clone();
        let shown = |connection: &Value| {
            let subscription = &connection["subscriptions"][0];
            (
                subscription["expand"].as_str().unwrap().to_owned(),
                subscription["group_size"].as_u64().unwrap(),
            )
        };
        connections
            .as_array()
            .unwrap()
            .iter()
            .map(shown)
            .collect::<Vec<_>>()
    };
    let both = ("author.friend,editor".to_owned(), 2);
    assert_eq!(
        sizes().await,
        [("editor".to_owned(), 1), both.clone(), both]
    );
    app.rules("people", &json!({"view_rule": "owner = @request.auth.id"}))
        .await;
    let apart = async || sizes().await.iter().all(|(_, size)| *size == 1);
    eventually("groups of those who see people of their own", apart).await;
}

async fn too_much_stays_ids(backend: Backend) {
    let (_app, user, _) = library(backend).await;
    let large = user
        .create_id("people", &json!({"name": "x".repeat(1_100_000)}))
        .await;
    let small = user.create_id("people", &json!({"name": "small"})).await;
    let mut ws = listen(&user, &json!({})).await;
    user.create("books", &json!({"author": large})).await;
    user.create("books", &json!({"author": small})).await;
    assert_eq!(
        event(&mut ws, "books.create").await["author"],
        large.as_str()
    );
    assert_eq!(
        event(&mut ws, "books.create").await["author"]["name"],
        "small"
    );
    // What waits to be sent is limited, too.
    let books: Vec<Value> = (0..8)
        .map(|n| json!({"title": n.to_string(), "author": large}))
        .collect();
    user.post("/records/books/batch", &json!({"records": books}))
        .await
        .ok(201);
    let snapshot =
        json!({"action": "subscribe", "collection": "books", "expand": "author", "snapshot": true});
    let mut other = Ws::connect(&user).await;
    other.send(&snapshot).await;
    let refusal = frame(&mut other).await;
    assert_eq!(refusal["code"], "invalid_message");
    assert!(
        refusal["error"].as_str().unwrap().contains("too large"),
        "{refusal}"
    );
}
