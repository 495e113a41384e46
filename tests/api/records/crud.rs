use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    a_created_record_is_answered_complete_and_can_be_fetched,
    defaults_are_stored_and_an_explicit_null_overrides_them,
    put_keeps_what_is_not_sent_and_reapplies_defaults,
    patch_changes_only_what_is_sent,
    an_empty_patch_touches_the_record,
    a_deleted_record_is_gone,
    system_fields_cannot_be_written,
    unknown_fields_and_all_other_problems_are_reported_together,
    what_does_not_exist_is_404_in_the_same_words,
    unique_values_clash_within_an_account_only,
    fields_narrow_a_single_record,
    a_superadmin_may_choose_the_account_of_a_record,
];

async fn posts(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "text", "required": true},
        {"name": "status", "type": "text", "default": "draft"},
        {"name": "views", "type": "number", "default": 0},
        {"name": "slug", "type": "text", "unique": true},
        {"name": "body", "type": "text"}
    ]);
    app.collection("posts", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn a_created_record_is_answered_complete_and_can_be_fetched(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let created = user.create("posts", &json!({"title": "Hello"})).await;
    let id = created["id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    assert_eq!(created["account_id"], user.account_id.as_str());
    assert_eq!(created["created_by"], user.id.as_str());
    assert_eq!(created["updated_by"], user.id.as_str());
    assert_eq!(created["created_at"], created["updated_at"]);
    let at = created["created_at"].as_str().unwrap();
    assert!(
        at.ends_with('Z') && at.contains('T') && at.len() == 24,
        "{at}"
    );
    assert_eq!(created["account_name"], Value::Null);
    let expected = [
        ("title", json!("Hello")),
        ("status", json!("draft")),
        ("slug", Value::Null),
        ("body", Value::Null),
    ];
    for (field, value) in expected {
        assert_eq!(created[field], value, "{field}");
    }
    assert!(created["views"].as_f64().is_some_and(|views| views == 0.0));
    let fetched = user.get(&format!("/records/posts/{id}")).await.ok(200);
    assert_eq!(fetched, created);
}

async fn defaults_are_stored_and_an_explicit_null_overrides_them(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let created = user
        .create("posts", &json!({"title": "", "status": null}))
        .await;
    assert_eq!(
        (&created["title"], &created["status"]),
        (&json!(""), &Value::Null)
    );
    let missing = json!({"status": "x"});
    user.post("/records/posts", &missing)
        .await
        .problems(&[("title", "required_missing")]);
    let null = json!({"title": null});
    user.post("/records/posts", &null)
        .await
        .problems(&[("title", "required_null")]);
}

async fn put_keeps_what_is_not_sent_and_reapplies_defaults(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let id = user
        .create_id(
            "posts",
            &json!({"title": "a", "body": "kept", "status": "live"}),
        )
        .await;
    let path = format!("/records/posts/{id}");
    let changed = user.put(&path, &json!({"title": "b"})).await.ok(200);
    assert_eq!(changed["title"], "b");
    assert_eq!(changed["body"], "kept");
    assert_eq!(changed["status"], "draft");
    assert_eq!(changed, user.get(&path).await.ok(200));
    user.put(&path, &json!({"body": "x"}))
        .await
        .problems(&[("title", "required_missing")]);
}

async fn patch_changes_only_what_is_sent(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let id = user
        .create_id(
            "posts",
            &json!({"title": "a", "body": "kept", "status": "live"}),
        )
        .await;
    let path = format!("/records/posts/{id}");
    let changed = user.patch(&path, &json!({"views": 7})).await.ok(200);
    assert_eq!(changed["views"].as_f64(), Some(7.0));
    assert_eq!(
        (&changed["title"], &changed["status"], &changed["body"]),
        (&json!("a"), &json!("live"), &json!("kept"))
    );
    let cleared = user.patch(&path, &json!({"body": null})).await.ok(200);
    assert_eq!(cleared["body"], Value::Null);
    user.patch(&path, &json!({"title": null}))
        .await
        .problems(&[("title", "required_null")]);
}

async fn an_empty_patch_touches_the_record(backend: Backend) {
    let (app, user) = posts(backend).await;
    let before = user.create("posts", &json!({"title": "a"})).await;
    let other = app.colleague_of(&user).await;
    let path = format!("/records/posts/{}", before["id"].as_str().unwrap());
    let after = other.patch(&path, &json!({})).await.ok(200);
    assert_eq!(after["updated_by"], other.id.as_str());
    assert_eq!(after["created_by"], user.id.as_str());
    assert_eq!(after["created_at"], before["created_at"]);
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str());
}

async fn a_deleted_record_is_gone(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let id = user.create_id("posts", &json!({"title": "a"})).await;
    let path = format!("/records/posts/{id}");
    let answer = user.delete(&path).await;
    assert_eq!((answer.status, answer.text.as_str()), (204, ""));
    user.get(&path).await.refused(404, "");
    user.delete(&path).await.refused(404, "");
    user.patch(&path, &json!({"title": "b"}))
        .await
        .refused(404, "");
}

async fn system_fields_cannot_be_written(backend: Backend) {
    let (app, user) = posts(backend).await;
    let id = user.create_id("posts", &json!({"title": "a"})).await;
    for field in [
        "id",
        "account_id",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    ] {
        let body = json!({"title": "b", field: "x"});
        for answer in [
            user.post("/records/posts", &body).await,
            user.put(&format!("/records/posts/{id}"), &body).await,
            user.patch(&format!("/records/posts/{id}"), &body).await,
        ] {
            let body = answer.refused(422, field);
            assert_eq!(body["detail"]["error"], "Field access denied");
            assert_eq!(body["detail"]["field_type"], "system");
            assert_eq!(body["detail"]["unauthorized_fields"], json!([field]));
        }
    }
    let body = json!({"title": "b", "created_by": "somebody"});
    app.admin
        .post("/records/posts", &body)
        .await
        .refused(422, "created_by");
    assert_eq!(
        user.get(&format!("/records/posts/{id}")).await.ok(200)["title"],
        "a"
    );
}

async fn unknown_fields_and_all_other_problems_are_reported_together(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let body = json!({"nope": 1, "status": 5, "views": "many", "account_name": "x"});
    let answer = user.post("/records/posts", &body).await;
    answer.problems(&[
        ("nope", "unknown_field"),
        ("account_name", "unknown_field"),
        ("title", "required_missing"),
        ("status", "invalid_type"),
        ("views", "invalid_type"),
    ]);
    let answer = user
        .post("/records/posts", &json!({"title": "a", "nope": 1}))
        .await
        .refused(400, "nope");
    assert_eq!(answer["error"], "Validation error");
}

async fn what_does_not_exist_is_404_in_the_same_words(backend: Backend) {
    let (app, user) = posts(backend).await;
    let stranger = app.register().await;
    let hidden = stranger
        .create_id("posts", &json!({"title": "theirs"}))
        .await;
    let absent = "01890000-0000-7000-8000-000000000000";
    let mut answers = Vec::new();
    for id in [hidden.as_str(), absent, "no-uuid"] {
        let path = format!("/records/posts/{id}");
        answers.push(user.get(&path).await.refused(404, ""));
        answers.push(
            user.patch(&path, &json!({"title": "b"}))
                .await
                .refused(404, ""),
        );
        answers.push(user.delete(&path).await.refused(404, ""));
    }
    assert!(
        answers.iter().all(|answer| answer == &answers[0]),
        "{answers:?}"
    );
    assert_eq!(answers[0]["error"], "Not found");
    for caller in [&user, &app.admin] {
        caller.get("/records/nowhere").await.refused(404, "nowhere");
        caller
            .post("/records/nowhere", &json!({}))
            .await
            .refused(404, "nowhere");
        caller
            .get(&format!("/records/nowhere/{absent}"))
            .await
            .refused(404, "nowhere");
        // Names of collections are case-sensitive.
        caller.get("/records/Posts").await.refused(404, "Posts");
    }
}

async fn unique_values_clash_within_an_account_only(backend: Backend) {
    let (app, user) = posts(backend).await;
    user.create("posts", &json!({"title": "a", "slug": "one"}))
        .await;
    let clash = user
        .post("/records/posts", &json!({"title": "b", "slug": "one"}))
        .await
        .refused(409, "slug");
    assert_eq!(
        (&clash["error"], &clash["field"]),
        (&json!("Conflict"), &json!("slug"))
    );
    let other = user
        .create_id("posts", &json!({"title": "c", "slug": "two"}))
        .await;
    let path = format!("/records/posts/{other}");
    let clash = user
        .patch(&path, &json!({"slug": "one"}))
        .await
        .refused(409, "slug");
    assert_eq!(clash["field"], "slug");
    // Null is no value that could clash, and another account is another world.
    user.create("posts", &json!({"title": "d"})).await;
    user.create("posts", &json!({"title": "e"})).await;
    let stranger = app.register().await;
    stranger
        .create("posts", &json!({"title": "a", "slug": "one"}))
        .await;
}

async fn fields_narrow_a_single_record(backend: Backend) {
    let (_app, user) = posts(backend).await;
    let id = user
        .create_id("posts", &json!({"title": "a", "body": "b"}))
        .await;
    let record = user
        .get(&format!("/records/posts/{id}?fields=title,account_name"))
        .await
        .ok(200);
    let mut keys: Vec<&String> = record.as_object().unwrap().keys().collect();
    keys.sort();
    let system = [
        "account_id",
        "account_name",
        "created_at",
        "created_by",
        "id",
        "title",
        "updated_at",
        "updated_by",
    ];
    assert_eq!(keys, system);
}

async fn a_superadmin_may_choose_the_account_of_a_record(backend: Backend) {
    let (app, user) = posts(backend).await;
    let body = json!({"title": "given", "account_id": user.account_id});
    let given = app.admin.create("posts", &body).await;
    assert_eq!(
        (&given["account_id"], &given["created_by"]),
        (&json!(user.account_id), &json!(app.admin.id))
    );
    let path = format!("/records/posts/{}", given["id"].as_str().unwrap());
    assert_eq!(user.get(&path).await.ok(200)["title"], "given");
    let own = app.admin.create("posts", &json!({"title": "own"})).await;
    assert_eq!(own["account_id"], "00000000-0000-0000-0000-000000000000");
    let body = json!({"title": "x", "account_id": "01890000-0000-7000-8000-000000000000"});
    app.admin
        .post("/records/posts", &body)
        .await
        .problems(&[("account_id", "invalid_reference")]);
    let changed = app
        .admin
        .patch(&path, &json!({"title": "changed"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["account_id"], &changed["title"]),
        (&json!(user.account_id), &json!("changed"))
    );
}
