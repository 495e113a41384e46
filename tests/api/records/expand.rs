use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, closed, open};

crate::both![
    references_become_the_records_they_refer_to,
    levels_are_expanded_up_to_the_limit,
    what_is_no_reference_is_refused,
    expanded_records_obey_the_rules_of_their_collection,
    expanded_records_have_their_own_field_lists_and_masks,
    references_that_are_hidden_are_not_expanded,
    the_fields_of_a_page_are_chosen_after_expanding,
    answers_that_would_grow_out_of_bounds_are_refused,
];

fn reference(name: &str, collection: &str) -> Value {
    json!({"name": name, "type": "reference", "collection": collection, "on_delete": "set_null"})
}

/// Countries, people in them with friends, and books by people.
async fn library(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn_with(backend, |config| config.limits.record_bytes = 4 << 20).await;
    app.collection(
        "countries",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let people = json!([
        {"name": "name", "type": "text"},
        {"name": "salary", "type": "number"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"},
        reference("country", "countries"),
        reference("friend", "people")
    ]);
    app.collection("people", &people, &open()).await;
    let books = json!([{"name": "title", "type": "text"}, reference("author", "people"), reference("editor", "people")]);
    app.collection("books", &books, &open()).await;
    let user = app.register().await;
    (app, user)
}

struct Shelf {
    country: String,
    ann: String,
    bob: String,
    book: String,
}

async fn fill(user: &User) -> Shelf {
    let country = user.create_id("countries", &json!({"name": "Land"})).await;
    let ann = json!({"name": "Ann", "salary": 5, "mail": "ann@example.com", "country": country});
    let ann = user.create_id("people", &ann).await;
    let bob = user
        .create_id("people", &json!({"name": "Bob", "friend": ann}))
        .await;
    user.patch(&format!("/records/people/{ann}"), &json!({"friend": bob}))
        .await
        .ok(200);
    let book = user
        .create_id("books", &json!({"title": "Book", "author": ann}))
        .await;
    Shelf {
        country,
        ann,
        bob,
        book,
    }
}

async fn references_become_the_records_they_refer_to(backend: Backend) {
    let (_app, user) = library(backend).await;
    let shelf = fill(&user).await;
    let second = json!({"title": "Second", "author": shelf.ann, "editor": shelf.bob});
    user.create("books", &second).await;
    let path = format!("/records/books/{}", shelf.book);
    let plain = user.get(&path).await.ok(200);
    assert_eq!(plain["author"], shelf.ann.as_str());
    let expanded = user
        .get(&format!("{path}?expand=author,editor"))
        .await
        .ok(200);
    let mut ann = user
        .get(&format!("/records/people/{}", shelf.ann))
        .await
        .ok(200);
    ann.as_object_mut().unwrap().remove("account_name");
    assert_eq!(
        (&expanded["author"], &expanded["editor"]),
        (&ann, &Value::Null)
    );
    assert_eq!(expanded["title"], "Book");
    let page = user
        .get("/records/books?expand=author,editor&sort=title")
        .await
        .ok(200);
    assert_eq!(page["items"][0]["author"], ann);
    assert_eq!(page["items"][1]["author"], ann);
    assert_eq!(page["items"][1]["editor"]["name"], "Bob");
    assert_eq!(page["items"][0]["account_name"], user.account_slug.as_str());
    let walked = user
        .get("/records/books?expand=author&sort=author&limit=1&cursor=")
        .await
        .ok(200);
    assert_eq!(walked["items"][0]["author"], ann);
    let next = [
        ("cursor", walked["next_cursor"].as_str().unwrap()),
        ("sort", "author"),
        ("expand", "author"),
    ];
    assert_eq!(
        user.query("/records/books", &next).await.ok(200)["items"][0]["author"],
        ann
    );
}

async fn levels_are_expanded_up_to_the_limit(backend: Backend) {
    let (_app, user) = library(backend).await;
    let shelf = fill(&user).await;
    let path = format!("/records/books/{}", shelf.book);
    let query = [(
        "expand",
        "author.country,author.friend.friend.friend, author.nonsense.deeper,author.name",
    )];
    let book = user.query(&path, &query).await.ok(200);
    assert_eq!(book["author"]["country"]["id"], shelf.country.as_str());
    assert_eq!(book["author"]["friend"]["name"], "Bob");
    assert_eq!(book["author"]["friend"]["friend"]["name"], "Ann");
    // The fourth level stays an id.
    assert_eq!(
        book["author"]["friend"]["friend"]["friend"],
        shelf.bob.as_str()
    );
    assert_eq!(
        book["author"]["friend"]["friend"]["country"],
        shelf.country.as_str()
    );
    assert_eq!(book["author"]["name"], "Ann");
    assert_eq!(
        user.get(&format!("{path}?expand=")).await.ok(200)["author"],
        shelf.ann.as_str()
    );
}

async fn what_is_no_reference_is_refused(backend: Backend) {
    let (_app, user) = library(backend).await;
    let shelf = fill(&user).await;
    for path in [
        "/records/books".to_owned(),
        format!("/records/books/{}", shelf.book),
    ] {
        for expand in [
            "title",
            "nonsense",
            "created_by",
            "author,title",
            "title.author",
            ".author",
        ] {
            let refusal = user
                .query(&path, &[("expand", expand)])
                .await
                .refused(400, "not a reference field");
            assert_eq!(refusal["error"], "Invalid expand field", "{expand}");
        }
        let many = "author.friend.".repeat(100);
        user.query(&path, &[("expand", &many)])
            .await
            .refused(400, "at most");
    }
}

async fn expanded_records_obey_the_rules_of_their_collection(backend: Backend) {
    let (app, user) = library(backend).await;
    let shelf = fill(&user).await;
    let path = format!("/records/books/{}?expand=author.friend,editor", shelf.book);
    app.rules("people", &json!({"view_rule": "name = 'Ann'"}))
        .await;
    let book = user.get(&path).await.ok(200);
    assert_eq!(
        (&book["author"]["name"], &book["author"]["friend"]),
        (&json!("Ann"), &Value::Null)
    );
    app.rules("people", &json!({"view_rule": "name = 'Bob'"}))
        .await;
    assert_eq!(user.get(&path).await.ok(200)["author"], Value::Null);
    assert_eq!(
        user.get("/records/books?expand=author").await.ok(200)["items"][0]["author"],
        Value::Null
    );
    app.rules("people", &json!({"view_rule": null})).await;
    assert_eq!(user.get(&path).await.ok(200)["author"], Value::Null);
    assert_eq!(
        app.admin.get(&path).await.ok(200)["author"]["friend"]["name"],
        "Bob"
    );
    app.rules("people", &json!({"view_rule": "@request.auth.id != ''"}))
        .await;
    assert_eq!(
        app.visitor_of(&user).get(&path).await.ok(200)["author"],
        Value::Null
    );
    assert_eq!(user.get(&path).await.ok(200)["author"]["name"], "Ann");
    // The list rule of the target says nothing about single records.
    app.rules("people", &json!({"view_rule": "", "list_rule": null}))
        .await;
    assert_eq!(
        app.visitor_of(&user).get(&path).await.ok(200)["author"]["name"],
        "Ann"
    );
}

async fn expanded_records_have_their_own_field_lists_and_masks(backend: Backend) {
    let (app, user) = library(backend).await;
    let shelf = fill(&user).await;
    let colleague = app.colleague_of(&user).await;
    app.rules(
        "people",
        &json!({"view_fields": ["name", "mail", "friend"], "list_fields": ["salary"]}),
    )
    .await;
    let path = format!(
        "/records/books/{}?expand=author.country,author.friend",
        shelf.book
    );
    for (caller, mail) in [(&user, "ann@example.com"), (&colleague, "a***@example.com")] {
        for book in [
            caller.get(&path).await.ok(200),
            caller.get("/records/books?expand=author").await.ok(200)["items"][0].clone(),
        ] {
            let author = book["author"].as_object().unwrap();
            assert_eq!(
                (&author["name"], &author["mail"]),
                (&json!("Ann"), &json!(mail))
            );
            assert!(
                !author.contains_key("salary") && !author.contains_key("country"),
                "{book}"
            );
        }
    }
    let author = app.admin.get(&path).await.ok(200)["author"].clone();
    assert_eq!(
        (&author["mail"], &author["country"]["name"]),
        (&json!("ann@example.com"), &json!("Land"))
    );
}

async fn references_that_are_hidden_are_not_expanded(backend: Backend) {
    let (app, user) = library(backend).await;
    let shelf = fill(&user).await;
    app.rules(
        "books",
        &json!({"list_fields": ["title"], "view_fields": ["title", "author"]}),
    )
    .await;
    let listed = user.get("/records/books?expand=author").await.ok(200)["items"][0].clone();
    assert!(
        !listed.as_object().unwrap().contains_key("author"),
        "{listed}"
    );
    let path = format!("/records/books/{}?expand=author,editor", shelf.book);
    let viewed = user.get(&path).await.ok(200);
    assert_eq!(viewed["author"]["name"], "Ann");
    assert!(
        !viewed.as_object().unwrap().contains_key("editor"),
        "{viewed}"
    );
    // A locked collection is locked here, too.
    app.rules("books", &closed_lists()).await;
    user.get("/records/books?expand=author")
        .await
        .refused(403, "locked");
}

fn closed_lists() -> Value {
    let mut rules = closed();
    rules["list_rule"] = Value::Null;
    rules
}

async fn the_fields_of_a_page_are_chosen_after_expanding(backend: Backend) {
    let (_app, user) = library(backend).await;
    let shelf = fill(&user).await;
    for path in [
        "/records/books".to_owned(),
        format!("/records/books/{}", shelf.book),
    ] {
        let of = |answer: Value| {
            if answer["items"].is_array() {
                answer["items"][0].clone()
            } else {
                answer
            }
        };
        let book = of(user
            .get(&format!("{path}?expand=author&fields=author"))
            .await
            .ok(200));
        assert_eq!(book["author"]["name"], "Ann");
        assert!(!book.as_object().unwrap().contains_key("title"));
        let book = of(user
            .get(&format!("{path}?expand=author&fields=title"))
            .await
            .ok(200));
        assert!(!book.as_object().unwrap().contains_key("author"), "{book}");
    }
}

async fn answers_that_would_grow_out_of_bounds_are_refused(backend: Backend) {
    let (_app, user) = library(backend).await;
    let author = user
        .create_id("people", &json!({"name": "x".repeat(2_000_000)}))
        .await;
    let books: Vec<Value> = (0..20)
        .map(|n| json!({"title": n.to_string(), "author": author}))
        .collect();
    user.post("/records/books/batch", &json!({"records": books}))
        .await
        .ok(201);
    let refusal = user
        .get("/records/books?expand=author")
        .await
        .refused(400, "too large");
    assert_eq!(refusal["error"], "Invalid expand field");
    let page = user
        .get("/records/books?expand=author&limit=10")
        .await
        .ok(200);
    assert_eq!(page["items"].as_array().unwrap().len(), 10);
}
