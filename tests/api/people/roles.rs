//! Roles: names that rules refer to.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, Ws};

crate::both![
    roles_are_created_listed_changed_and_deleted,
    bad_roles_are_refused,
    a_renamed_role_counts_at_once,
    a_role_that_somebody_has_stays,
    rules_are_checked_and_tried,
    permissions_follow_from_rules,
];

async fn roles_are_created_listed_changed_and_deleted(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let role = app
        .admin
        .post(
            "/roles",
            &json!({"name": " editor ", "description": "Edits"}),
        )
        .await
        .ok(201);
    assert_eq!(
        (&role["id"], &role["name"], &role["description"]),
        (&json!(3), &json!("editor"), &json!("Edits"))
    );
    assert!(
        role["created_at"].is_string() && role["updated_at"].is_string(),
        "{role}"
    );
    app.admin
        .post("/roles", &json!({"name": "editor"}))
        .await
        .refused(409, "editor");
    assert_eq!(app.admin.get("/roles/3").await.ok(200), role);
    let list = app.admin.get("/roles").await.ok(200);
    let names: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| &role["name"])
        .collect();
    assert_eq!(
        (names, &list["total"]),
        (
            vec![&json!("admin"), &json!("user"), &json!("editor")],
            &json!(3)
        )
    );
    assert_eq!(
        (
            &list["items"][0]["user_count"],
            &list["items"][2]["user_count"]
        ),
        (&json!(1), &json!(0))
    );
    let changed = app
        .admin
        .put("/roles/3", &json!({"description": "x"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("editor"), &json!("x"))
    );
    let changed = app
        .admin
        .put("/roles/3", &json!({"name": "writer"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("writer"), &json!(null))
    );
    app.admin
        .put("/roles/3", &json!({"name": "admin"}))
        .await
        .refused(409, "");
    app.admin
        .put(
            "/roles/1",
            &json!({"name": "admin", "description": "Runs it"}),
        )
        .await
        .ok(200);
    app.admin.delete("/roles/3").await.ok(204);
    app.admin.get("/roles/3").await.refused(404, "");
    app.admin.delete("/roles/3").await.refused(404, "");
}

async fn bad_roles_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for body in [
        json!({}),
        json!({"name": "  "}),
        json!({"name": "a".repeat(51)}),
        json!({"name": "a\0"}),
        json!({"name": "a", "description": "a".repeat(256)}),
    ] {
        app.admin.post("/roles", &body).await.refused(422, "");
    }
    app.admin.get("/roles/x").await.refused(422, "");
    app.admin
        .put("/roles/1", &json!({"name": "boss"}))
        .await
        .refused(422, "admin");
    app.admin.delete("/roles/2").await.refused(422, "user");
    let user = app.register().await;
    for (caller, status) in [((*user).clone(), 403), (app.anonymous(), 401)] {
        caller.get("/roles").await.refused(status, "");
        caller
            .post("/roles", &json!({"name": "mine"}))
            .await
            .refused(status, "");
        caller
            .put("/roles/2", &json!({"name": "mine"}))
            .await
            .refused(status, "");
        caller.delete("/roles/2").await.refused(status, "");
        caller.get("/roles/1/permissions").await.refused(status, "");
        caller
            .post("/roles/validate-rule", &json!({"rule": "true"}))
            .await
            .refused(status, "");
    }
    assert_eq!(app.admin.get("/roles").await.ok(200)["total"], 2);
}

async fn a_renamed_role_counts_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let rules = json!({"list_rule": "@has_role('editor')", "create_rule": "@has_role('editor')"});
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &rules)
        .await;
    let user = app.register().await;
    let role = app
        .admin
        .post("/roles", &json!({"name": "reader"}))
        .await
        .ok(201);
    app.admin
        .patch(&format!("/users/{}", user.id), &json!({"role": "reader"}))
        .await
        .ok(200);
    user.post("/records/posts", &json!({}))
        .await
        .refused(400, "");
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    app.admin
        .put(
            &format!("/roles/{}", role["id"]),
            &json!({"name": "editor"}),
        )
        .await
        .ok(200);
    assert_eq!(user.get("/auth/me").await.ok(200)["role"], "editor");
    user.create("posts", &json!({"a": "b"})).await;
    assert_eq!(ws.expect_event("posts.create").await["a"], "b");
}

async fn a_role_that_somebody_has_stays(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let role = app
        .admin
        .post("/roles", &json!({"name": "editor"}))
        .await
        .ok(201);
    let path = format!("/roles/{}", role["id"]);
    app.admin
        .patch(&format!("/users/{}", user.id), &json!({"role": "editor"}))
        .await
        .ok(200);
    app.admin.delete(&path).await.refused(409, "editor");
    app.admin
        .patch(&format!("/users/{}", user.id), &json!({"role": "admin"}))
        .await
        .ok(200);
    let key = json!({"name": "bound", "account_id": user.account_id, "role": "editor"});
    let key = app.admin.post("/admin/api-keys", &key).await.ok(201);
    app.admin.delete(&path).await.refused(409, "");
    app.admin
        .delete(&format!("/admin/api-keys/{}", key["id"].as_str().unwrap()))
        .await
        .ok(204);
    let invitation = json!({"email": "guest@example.com", "role_id": role["id"].to_string()});
    let invitation = user.post("/invitations", &invitation).await.ok(201);
    app.admin.delete(&path).await.refused(409, "");
    user.delete(&format!(
        "/invitations/{}",
        invitation["id"].as_str().unwrap()
    ))
    .await
    .ok(204);
    app.admin.delete(&path).await.ok(204);
}

async fn rules_are_checked_and_tried(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "done", "type": "boolean"}]),
        &json!({}),
    )
    .await;
    for (body, valid) in [
        (
            json!({"rule": "@has_role('admin') && status = 'open'"}),
            true,
        ),
        (json!({"rule": ""}), true),
        (json!({"rule": "status = "}), false),
        (json!({"rule": "@request.auth.shoe_size = 5"}), false),
        (json!({"rule": "done", "collection": "posts"}), true),
        (json!({"rule": "undone", "collection": "posts"}), false),
    ] {
        let answer = app.admin.post("/roles/validate-rule", &body).await.ok(200);
        assert_eq!(
            (&answer["valid"], answer["error"].is_null()),
            (&json!(valid), valid),
            "{body}: {answer}"
        );
    }
    app.admin
        .post(
            "/roles/validate-rule",
            &json!({"rule": "x", "collection": "nowhere"}),
        )
        .await
        .refused(404, "");
    let context = json!({"auth": {"role": "admin"}, "record": {"status": "open"}});
    for (rule, allowed, error) in [
        ("@has_role('admin') && status = 'open'", true, false),
        ("status = 'done'", false, false),
        ("status =", false, true),
    ] {
        let answer = app
            .admin
            .post(
                "/roles/test-rule",
                &json!({"rule": rule, "context": context}),
            )
            .await
            .ok(200);
        assert_eq!(
            (&answer["allowed"], answer["error"].is_string()),
            (&json!(allowed), error),
            "{rule}: {answer}"
        );
    }
}

async fn permissions_follow_from_rules(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let rules = json!({"list_rule": "", "create_rule": "@has_role('user')"});
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &rules)
        .await;
    let list = app.admin.get("/roles/2/permissions").await.ok(200);
    let states: Vec<(&Value, &Value, &Value)> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (&p["operation"], &p["state"], &p["names_role"]))
        .collect();
    let expected = json!([
        ["list", "public", false],
        ["view", "locked", false],
        ["create", "rule", true],
        ["update", "locked", false],
        ["delete", "locked", false]
    ]);
    assert_eq!(json!(states), expected);
    let matrix = app.admin.get("/roles/2/permissions/matrix").await.ok(200);
    assert_eq!(
        (&matrix["role"], &matrix["collections"][0]["permissions"]),
        (&json!("user"), &list)
    );
    app.admin.get("/roles/9/permissions").await.refused(404, "");
}
