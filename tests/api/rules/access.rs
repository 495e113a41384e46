use serde_json::json;

use crate::harness::{Backend, TestApp, User, closed, open};

crate::both![
    a_null_rule_locks_everyone_but_superadmins_out,
    an_expression_asks_visitors_for_credentials,
    owners_alone_reach_their_records_by_every_operation,
    a_create_that_the_rule_refuses_stores_nothing,
    create_rules_see_the_whole_record_that_would_be_stored,
    update_rules_see_the_stored_record_and_the_body,
    batches_obey_the_rule_item_by_item,
    roles_groups_and_accounts_can_be_asked_for,
    a_changed_rule_counts_at_once,
    null_in_a_rule_means_no,
];

const OPERATIONS: [&str; 5] = ["list", "view", "create", "update", "delete"];

async fn notes(backend: Backend, rules: &serde_json::Value) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "text", "type": "text"},
        {"name": "public", "type": "boolean", "default": false},
        {"name": "owner", "type": "text"}
    ]);
    app.collection("notes", &fields, rules).await;
    let user = app.register().await;
    (app, user)
}

async fn a_null_rule_locks_everyone_but_superadmins_out(backend: Backend) {
    let (app, user) = notes(backend, &closed()).await;
    let id = app
        .admin
        .create_id(
            "notes",
            &json!({"text": "a", "account_id": user.account_id}),
        )
        .await;
    let (one, all) = (format!("/records/notes/{id}"), "/records/notes");
    for caller in [(*user).clone(), app.visitor_of(&user)] {
        caller.get(all).await.refused(403, "locked");
        caller.get(&one).await.refused(403, "locked");
        caller
            .post(all, &json!({"text": "a"}))
            .await
            .refused(403, "locked");
        caller
            .put(&one, &json!({"text": "a"}))
            .await
            .refused(403, "locked");
        caller
            .patch(&one, &json!({"text": "a"}))
            .await
            .refused(403, "locked");
        caller.delete(&one).await.refused(403, "locked");
        caller
            .post("/records/notes/batch", &json!({"records": [{"text": "a"}]}))
            .await
            .refused(403, "locked");
        caller
            .delete_with("/records/notes/batch", &json!({"ids": [id]}))
            .await
            .refused(403, "locked");
    }
    app.admin.get(&one).await.ok(200);
    app.admin.patch(&one, &json!({"text": "b"})).await.ok(200);
    assert_eq!(app.admin.get(all).await.ok(200)["total"], 1);
    app.admin.delete(&one).await.ok(204);
}

async fn an_expression_asks_visitors_for_credentials(backend: Backend) {
    let rules = OPERATIONS.map(|operation| (format!("{operation}_rule"), json!("text = 'open'")));
    let (app, user) = notes(
        backend,
        &serde_json::Value::Object(rules.into_iter().collect()),
    )
    .await;
    let id = user.create_id("notes", &json!({"text": "open"})).await;
    let (one, all) = (format!("/records/notes/{id}"), "/records/notes");
    let visitor = app.visitor_of(&user);
    for answer in [
        visitor.get(all).await,
        visitor.get(&one).await,
        visitor.post(all, &json!({"text": "open"})).await,
        visitor.patch(&one, &json!({})).await,
        visitor.delete(&one).await,
        app.anonymous().get(all).await,
    ] {
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        answer.refused(401, "");
    }
    user.get(&one).await.ok(200);
}

async fn owners_alone_reach_their_records_by_every_operation(backend: Backend) {
    for rule in [
        "created_by = @request.auth.id",
        "@owns_record()",
        "@is_creator()",
    ] {
        let rules = OPERATIONS.map(|operation| (format!("{operation}_rule"), json!(rule)));
        let (app, owner) = notes(
            backend,
            &serde_json::Value::Object(rules.into_iter().collect()),
        )
        .await;
        let other = app.colleague_of(&owner).await;
        let id = owner.create_id("notes", &json!({"text": "mine"})).await;
        other.create_id("notes", &json!({"text": "theirs"})).await;
        let one = format!("/records/notes/{id}");
        other.get(&one).await.refused(404, "");
        other
            .put(&one, &json!({"text": "x"}))
            .await
            .refused(404, "");
        other
            .patch(&one, &json!({"text": "x"}))
            .await
            .refused(404, "");
        other.delete(&one).await.refused(404, "");
        let page = other.get("/records/notes").await.ok(200);
        assert_eq!(
            (&page["total"], &page["items"][0]["text"]),
            (&json!(1), &json!("theirs")),
            "{rule}"
        );
        let page = owner.get("/records/notes").await.ok(200);
        assert_eq!(
            (&page["total"], &page["items"][0]["text"]),
            (&json!(1), &json!("mine")),
            "{rule}"
        );
        owner.get(&one).await.ok(200);
        assert_eq!(
            owner.patch(&one, &json!({"text": "new"})).await.ok(200)["text"],
            "new"
        );
        owner.delete(&one).await.ok(204);
    }
}

async fn a_create_that_the_rule_refuses_stores_nothing(backend: Backend) {
    let mut rules = open();
    rules["create_rule"] = json!("text != 'bad'");
    let (_app, user) = notes(backend, &rules).await;
    user.post("/records/notes", &json!({"text": "bad"}))
        .await
        .refused(400, "satisfy collection rules");
    // Nothing is known about an absent text, and that is no yes.
    user.post("/records/notes", &json!({}))
        .await
        .refused(400, "satisfy collection rules");
    assert_eq!(user.get("/records/notes").await.ok(200)["total"], 0);
    user.create("notes", &json!({"text": "good"})).await;
}

async fn create_rules_see_the_whole_record_that_would_be_stored(backend: Backend) {
    let mut rules = open();
    rules["create_rule"] = json!(
        "public = false && created_by = @request.auth.id && account_id = @request.auth.account_id && owner = null \
         && @request.data.public = null && created_at > '2020-01-01'"
    );
    let (_app, user) = notes(backend, &rules).await;
    user.create("notes", &json!({"text": "defaults are seen"}))
        .await;
    user.post("/records/notes", &json!({"public": true}))
        .await
        .refused(400, "satisfy collection rules");
    user.post("/records/notes", &json!({"public": false}))
        .await
        .refused(400, "satisfy collection rules");
    user.post("/records/notes", &json!({"owner": "x"}))
        .await
        .refused(400, "satisfy collection rules");
}

async fn update_rules_see_the_stored_record_and_the_body(backend: Backend) {
    let mut rules = open();
    rules["update_rule"] = json!("owner = @request.auth.id && @request.data.text != 'forbidden'");
    let (app, user) = notes(backend, &rules).await;
    let other = app.colleague_of(&user).await;
    let one = format!(
        "/records/notes/{}",
        user.create_id("notes", &json!({"owner": user.id})).await
    );
    user.patch(&one, &json!({"text": "forbidden"}))
        .await
        .refused(404, "");
    // One cannot make oneself the owner by saying so.
    other
        .patch(&one, &json!({"text": "x", "owner": other.id}))
        .await
        .refused(404, "");
    user.patch(&one, &json!({"text": "fine", "owner": other.id}))
        .await
        .ok(200);
    user.patch(&one, &json!({"text": "again"}))
        .await
        .refused(404, "");
    other.patch(&one, &json!({"text": "again"})).await.ok(200);
}

async fn batches_obey_the_rule_item_by_item(backend: Backend) {
    let mut rules = open();
    rules["create_rule"] = json!("text != 'bad'");
    rules["update_rule"] = json!("@owns_record()");
    rules["delete_rule"] = json!("@owns_record()");
    let (app, user) = notes(backend, &rules).await;
    let other = app.colleague_of(&user).await;
    let body = json!({"records": [{"text": "good"}, {"text": "bad"}]});
    let refusal = user
        .post("/records/notes/batch", &body)
        .await
        .refused(400, "satisfy collection rules");
    assert_eq!(refusal["index"], 1, "{refusal}");
    let (mine, theirs) = (
        user.create_id("notes", &json!({"text": "m"})).await,
        other.create_id("notes", &json!({"text": "t"})).await,
    );
    let body = json!({"records": [{"id": mine, "data": {"text": "x"}}, {"id": theirs, "data": {"text": "x"}}]});
    user.patch("/records/notes/batch", &body)
        .await
        .refused(404, &theirs);
    user.delete_with("/records/notes/batch", &json!({"ids": [mine, theirs]}))
        .await
        .refused(404, &theirs);
    assert_eq!(
        user.get(&format!("/records/notes/{mine}")).await.ok(200)["text"],
        "m"
    );
    assert_eq!(user.get("/records/notes").await.ok(200)["total"], 2);
}

async fn roles_groups_and_accounts_can_be_asked_for(backend: Backend) {
    let mut rules = open();
    rules["create_rule"] = json!("@has_role('admin')");
    rules["update_rule"] = json!("@has_group('pii_access')");
    rules["delete_rule"] = json!("@request.auth.email ~ 'colleague%'");
    rules["list_rule"] = json!("@is_public() || @owns_record(owner)");
    let (app, admin) = notes(backend, &rules).await;
    let other = app.colleague_of(&admin).await;
    let id = admin.create_id("notes", &json!({"owner": other.id})).await;
    let one = format!("/records/notes/{id}");
    other
        .post("/records/notes", &json!({}))
        .await
        .refused(400, "satisfy collection rules");
    other
        .patch(&one, &json!({"text": "x"}))
        .await
        .refused(404, "");
    admin.patch(&one, &json!({"text": "x"})).await.ok(200);
    assert_eq!(admin.get("/records/notes").await.ok(200)["total"], 0);
    assert_eq!(other.get("/records/notes").await.ok(200)["total"], 1);
    admin.patch(&one, &json!({"public": true})).await.ok(200);
    assert_eq!(admin.get("/records/notes").await.ok(200)["total"], 1);
    admin.delete(&one).await.refused(404, "");
    other.delete(&one).await.ok(204);
}

async fn a_changed_rule_counts_at_once(backend: Backend) {
    let (app, user) = notes(backend, &open()).await;
    for _ in 0..5 {
        app.rules("notes", &json!({"list_rule": null})).await;
        user.get("/records/notes").await.refused(403, "locked");
        app.rules("notes", &json!({"list_rule": ""})).await;
        user.get("/records/notes").await.ok(200);
    }
}

async fn null_in_a_rule_means_no(backend: Backend) {
    let mut rules = open();
    rules["view_rule"] = json!("!(owner = 'x')");
    let (_app, user) = notes(backend, &rules).await;
    let unknown = user.create_id("notes", &json!({})).await;
    let known = user.create_id("notes", &json!({"owner": "y"})).await;
    user.get(&format!("/records/notes/{unknown}"))
        .await
        .refused(404, "");
    user.get(&format!("/records/notes/{known}")).await.ok(200);
}
