use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open};

crate::both![
    a_renamed_field_keeps_its_data_and_everything_that_names_it_follows,
    a_renamed_field_keeps_its_constraints_and_indexes,
    fields_are_renamed_together_with_other_changes,
    what_cannot_be_renamed_is_refused_and_changes_nothing,
    a_renamed_collection_keeps_records_references_and_rules,
    an_old_name_can_be_used_again,
];

fn fields() -> Value {
    json!([
        {"name": "title", "type": "text", "unique": true, "discloses_existence": true, "searchable": true},
        {"name": "owner", "type": "text", "index": true},
        {"name": "n", "type": "number", "default": 1},
        {"name": "parent", "type": "reference", "collection": "posts", "on_delete": "cascade"},
        {"name": "shout", "type": "computed", "expression": "upper( title )", "return_type": "text"}
    ])
}

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let mut rules = open();
    rules["list_rule"] =
        json!("owner = @request.auth.id || @owns_record('owner') || title = 'owner'");
    rules["create_rule"] = json!("@request.data.owner = @request.auth.id");
    rules["view_fields"] = json!("[\"owner\", \"shout\"]");
    app.collection("posts", &fields(), &rules).await;
    let user = app.register().await;
    (app, user)
}

async fn a_renamed_field_keeps_its_data_and_everything_that_names_it_follows(backend: Backend) {
    let (app, user) = start(backend).await;
    let mine = json!({"name": "mine", "sql_query": "SELECT count(*) FROM posts WHERE owner = $1", "parameters": ["owner"]});
    let path = format!(
        "/macros/{}",
        app.admin.post("/macros", &mine).await.ok(201)["id"]
    );
    app.rules("posts", &json!({"delete_rule": "@mine(owner) > 0"}))
        .await;
    let id = user
        .create_id("posts", &json!({"title": "a", "owner": user.id}))
        .await;
    let rename = json!({"rename": {"owner": "author", "title": "name"}});
    let changed = app.admin.put("/collections/posts", &rename).await.ok(200);
    let names: Vec<&Value> = changed["schema"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| &field["name"])
        .collect();
    assert_eq!(names, ["name", "author", "n", "parent", "shout"]);
    assert_eq!(changed["schema"][4]["expression"], "upper( name )");
    let rules = app.admin.get("/collections/posts/rules").await.ok(200);
    assert_eq!(
        rules["list_rule"],
        "author = @request.auth.id || @owns_record('author') || name = 'owner'"
    );
    assert_eq!(
        rules["create_rule"],
        "@request.data.author = @request.auth.id"
    );
    assert_eq!(rules["delete_rule"], "@mine(author) > 0");
    assert_eq!(rules["view_fields"], "[\"author\",\"shout\"]");
    let query = app.admin.get(&path).await.ok(200)["sql_query"].clone();
    assert_eq!(query, "SELECT count(*) FROM posts WHERE author = $1");
    let listed = user.get("/records/posts").await.ok(200);
    let record = &listed["items"][0];
    assert_eq!(
        (&record["name"], &record["author"], &record["shout"]),
        (&json!("a"), &json!(user.id), &json!("A"))
    );
    assert!(record.get("title").is_none());
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    user.create("posts", &json!({"name": "b", "author": user.id}))
        .await;
    assert_eq!(ws.expect_event("posts.create").await["name"], "b");
    user.delete(&format!("/records/posts/{id}")).await.ok(204);
    user.post("/records/posts", &json!({"title": "c", "author": user.id}))
        .await
        .problems(&[("title", "unknown_field")]);
}

async fn a_renamed_field_keeps_its_constraints_and_indexes(backend: Backend) {
    let (app, user) = start(backend).await;
    let one = user
        .create_id("posts", &json!({"title": "a", "owner": user.id}))
        .await;
    let rename =
        json!({"rename": {"title": "name", "n": "number", "parent": "above", "owner": "author"}});
    app.admin.put("/collections/posts", &rename).await.ok(200);
    let child = json!({"name": "b", "author": user.id, "above": one});
    user.create("posts", &child).await;
    let refusal = user
        .post("/records/posts", &child)
        .await
        .refused(409, "name");
    assert_eq!(refusal["field"], "name");
    let filled = user
        .create_id("posts", &json!({"author": user.id, "above": one}))
        .await;
    assert_eq!(
        app.admin
            .get(&format!("/records/posts/{filled}"))
            .await
            .ok(200)["number"]
            .as_f64(),
        Some(1.0)
    );
    // New fields take the old names, with everything that belongs to them.
    let mut fields = app.admin.get("/collections/posts").await.ok(200)["schema"].clone();
    fields.as_array_mut().unwrap().extend([
        json!({"name": "title", "type": "text", "unique": true}),
        json!({"name": "owner", "type": "text", "index": true}),
        json!({"name": "parent", "type": "reference", "collection": "posts", "on_delete": "set_null"}),
    ]);
    app.admin
        .put("/collections/posts", &json!({"fields": fields}))
        .await
        .ok(200);
    app.admin
        .delete(&format!("/records/posts/{one}"))
        .await
        .ok(204);
    assert_eq!(app.admin.get("/records/posts").await.ok(200)["total"], 0);
}

async fn fields_are_renamed_together_with_other_changes(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("posts", &json!({"title": "a", "owner": user.id}))
        .await;
    let mut fields = fields();
    fields[0] = json!({"name": "name", "type": "text"});
    fields
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "tag", "type": "text"}));
    let body = json!({"fields": fields, "rename": {"title": "name"}, "view_rule": "name = 'a'"});
    let changed = app.admin.put("/collections/posts", &body).await.ok(200);
    assert_eq!(
        (
            &changed["fields_count"],
            &changed["schema"][4]["expression"]
        ),
        (&json!(6), &json!("upper( name )"))
    );
    let second = user
        .create("posts", &json!({"name": "a", "owner": user.id, "tag": "x"}))
        .await;
    let path = format!("/records/posts/{}", second["id"].as_str().unwrap());
    assert_eq!(user.get(&path).await.ok(200)["shout"], "A");
}

async fn what_cannot_be_renamed_is_refused_and_changes_nothing(backend: Backend) {
    let (app, _) = start(backend).await;
    for (rename, field, code) in [
        (json!({"nothing": "x"}), "rename.nothing", "field_unknown"),
        (
            json!({"title": "owner"}),
            "rename.title",
            "field_name_duplicate",
        ),
        (
            json!({"title": "OWNER"}),
            "rename.title",
            "field_name_duplicate",
        ),
        (
            json!({"title": "id"}),
            "rename.title",
            "field_name_reserved",
        ),
        (
            json!({"title": "1x"}),
            "rename.title",
            "field_name_invalid_format",
        ),
        (json!({"title": ""}), "rename.title", "field_name_required"),
    ] {
        app.admin
            .put("/collections/posts", &json!({"rename": rename}))
            .await
            .problems(&[(field, code)]);
    }
    let twice = json!({"rename": {"title": "x", "owner": "X"}});
    let answer = app.admin.put("/collections/posts", &twice).await;
    answer.problems(&[
        ("rename.owner", "field_name_duplicate"),
        ("rename.title", "field_name_duplicate"),
    ]);
    app.admin
        .put("/collections/posts", &json!({"rename": ["title"]}))
        .await
        .refused(422, "");
    // One of several changes that cannot be done stops all.
    let body = json!({"rename": {"title": "name"}, "list_rule": "title = 'x'"});
    app.admin
        .put("/collections/posts", &body)
        .await
        .refused(400, "title");
    let before = app.admin.get("/collections/posts").await.ok(200);
    assert_eq!(before["schema"][0]["name"], "title");
    for (name, status) in [("po", 400), ("1posts", 400), ("", 400)] {
        app.admin
            .post("/collections/posts/rename", &json!({"name": name}))
            .await
            .refused(status, "");
    }
    app.collection("pages", &json!([{"name": "a", "type": "text"}]), &open())
        .await;
    let refusal = app
        .admin
        .post("/collections/posts/rename", &json!({"name": "PAGES"}))
        .await
        .refused(409, "PAGES");
    assert_eq!(refusal["field"], "name");
    app.admin
        .post("/collections/nowhere/rename", &json!({"name": "other"}))
        .await
        .refused(404, "");
    app.admin
        .post("/collections/posts/rename", &json!({}))
        .await
        .refused(422, "");
    assert_eq!(app.admin.get("/collections/posts").await.ok(200), before);
}

async fn a_renamed_collection_keeps_records_references_and_rules(backend: Backend) {
    let (app, user) = start(backend).await;
    let reference = json!([{"name": "post", "type": "reference", "collection": "Posts", "on_delete": "cascade"}]);
    app.collection("notes", &reference, &open()).await;
    let counted = json!({"name": "counted", "sql_query": "SELECT count(*) FROM col_posts"});
    let counted = format!(
        "/macros/{}",
        app.admin.post("/macros", &counted).await.ok(201)["id"]
    );
    app.rules("notes", &json!({"list_rule": "@counted() > 0"}))
        .await;
    let post = user
        .create_id("posts", &json!({"title": "a", "owner": user.id}))
        .await;
    let note = user.create_id("notes", &json!({"post": post})).await;
    let renamed = app
        .admin
        .post("/collections/posts/rename", &json!({"name": "Articles"}))
        .await
        .ok(200);
    assert_eq!(
        (&renamed["name"], &renamed["table_name"]),
        (&json!("Articles"), &json!("col_articles"))
    );
    assert_eq!(
        (
            &renamed["records_count"],
            &renamed["schema"][3]["collection"]
        ),
        (&json!(1), &json!("Articles"))
    );
    user.get("/records/posts").await.refused(404, "");
    assert_eq!(
        user.get("/records/Articles").await.ok(200)["items"][0]["title"],
        "a"
    );
    assert_eq!(
        app.admin.get("/collections/notes").await.ok(200)["schema"][0]["collection"],
        "Articles"
    );
    assert_eq!(
        app.admin.get(&counted).await.ok(200)["sql_query"],
        "SELECT count(*) FROM col_Articles"
    );
    assert_eq!(user.get("/records/notes").await.ok(200)["total"], 1);
    // Events, constraints and cascades go on.
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("Articles").await;
    let refusal = user
        .post(
            "/records/Articles",
            &json!({"title": "a", "owner": user.id}),
        )
        .await
        .refused(409, "title");
    assert_eq!(refusal["field"], "title");
    let child = user
        .create(
            "Articles",
            &json!({"title": "b", "owner": user.id, "parent": post}),
        )
        .await;
    assert_eq!(ws.expect_event("Articles.create").await["id"], child["id"]);
    user.post("/records/notes", &json!({"post": note}))
        .await
        .problems(&[("post", "invalid_reference")]);
    user.delete(&format!("/records/Articles/{post}"))
        .await
        .ok(204);
    assert_eq!(app.admin.get("/records/notes").await.ok(200)["total"], 0);
    // In another case, it is the same table.
    app.admin
        .post("/collections/Articles/rename", &json!({"name": "articles"}))
        .await
        .ok(200);
    assert_eq!(user.get("/records/articles").await.ok(200)["total"], 0);
}

async fn an_old_name_can_be_used_again(backend: Backend) {
    let (app, user) = start(backend).await;
    user.create("posts", &json!({"title": "a", "owner": user.id}))
        .await;
    app.admin
        .post("/collections/posts/rename", &json!({"name": "articles"}))
        .await
        .ok(200);
    app.collection("posts", &fields(), &open()).await;
    user.create("posts", &json!({"title": "a"})).await;
    for (name, expected) in [("posts", Value::Null), ("articles", json!(user.id))] {
        let list = app.admin.get(&format!("/records/{name}")).await.ok(200);
        assert_eq!(
            (&list["total"], &list["items"][0]["owner"]),
            (&json!(1), &expected),
            "{name}"
        );
    }
    app.admin.delete("/collections/articles").await.ok(200);
    app.admin
        .post("/collections/posts/rename", &json!({"name": "articles"}))
        .await
        .ok(200);
    assert_eq!(user.get("/records/articles").await.ok(200)["total"], 1);
}
