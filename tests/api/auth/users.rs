//! Users and accounts, for superadmins.

use serde_json::json;

use crate::harness::{Backend, PASSWORD, TestApp, User};

crate::both![
    users_are_created_listed_changed_and_deactivated,
    a_deactivated_user_is_out_at_once,
    a_changed_role_counts_at_once,
    a_new_address_is_not_confirmed_and_voids_links_to_the_old_one,
    accounts_are_created_listed_renamed_and_deleted,
    administration_is_for_superadmins,
];

async fn users_are_created_listed_changed_and_deactivated(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let body = json!({"email": "Dave@Example.com", "password": PASSWORD, "account_id": owner.account_id, "role_id": 2});
    let dave = app.admin.post("/users", &body).await.ok(201);
    for (key, value) in [
        ("email", json!("dave@example.com")),
        ("role_name", json!("user")),
        ("role", json!("user")),
        ("role_id", json!(2)),
        ("account_id", json!(owner.account_id)),
        ("is_active", json!(true)),
        ("auth_provider", json!("password")),
    ] {
        assert_eq!(dave[key], value, "{key}: {dave}");
    }
    assert!(!dave.to_string().contains("argon2"), "{dave}");
    app.admin.post("/users", &body).await.refused(409, "");
    let path = format!("/users/{}", dave["id"].as_str().unwrap());
    assert_eq!(
        app.admin.get(&path).await.ok(200)["email"],
        "dave@example.com"
    );
    let list = app
        .admin
        .query(
            "/users",
            &[("account_id", &owner.account_id), ("search", "DAVE")],
        )
        .await
        .ok(200);
    assert_eq!(
        (&list["total"], &list["items"][0]["id"]),
        (&json!(1), &dave["id"])
    );
    assert_eq!(
        app.admin.patch(&path, &json!({"role_id": 1})).await.ok(200)["role_name"],
        "admin"
    );
    assert_eq!(
        app.admin
            .patch(&path, &json!({"role": "user"}))
            .await
            .ok(200)["role_id"],
        2
    );
    assert_eq!(
        app.admin
            .patch(&path, &json!({"email": owner.email}))
            .await
            .status,
        409
    );
    app.admin.delete(&path).await.ok(204);
    assert_eq!(app.admin.get(&path).await.ok(200)["is_active"], false);
    let own = format!("/users/{}", app.admin.id);
    app.admin.delete(&own).await.refused(403, "");
    app.admin
        .patch(&own, &json!({"role_id": 2}))
        .await
        .refused(403, "");
    for (body, status) in [
        (
            json!({"email": "x@example.com", "password": "weak", "account_id": owner.account_id, "role_id": 2}),
            400,
        ),
        (
            json!({"email": "x@example.com", "account_id": owner.account_id, "role_id": 2}),
            400,
        ),
        (
            json!({"email": "x@example.com", "password": PASSWORD, "account_id": app.admin.id, "role_id": 2}),
            404,
        ),
        (
            json!({"email": "x@example.com", "password": PASSWORD, "account_id": owner.account_id, "role_id": 99}),
            404,
        ),
        (
            json!({"email": "x", "password": PASSWORD, "account_id": owner.account_id, "role_id": 2}),
            422,
        ),
    ] {
        let answer = app.admin.post("/users", &body).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.text);
    }
    app.admin.get("/users/nonsense").await.refused(404, "");
}

async fn a_deactivated_user_is_out_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    user.get("/auth/me").await.ok(200);
    app.admin
        .delete(&format!("/users/{}", user.id))
        .await
        .ok(204);
    user.get("/auth/me").await.refused(401, "");
    app.anonymous()
        .post(
            "/auth/refresh",
            &json!({"refresh_token": user.refresh_token}),
        )
        .await
        .refused(401, "");
    app.admin
        .patch(&format!("/users/{}", user.id), &json!({"is_active": true}))
        .await
        .ok(200);
    app.anonymous()
        .login(&user.account_slug, &user.email, PASSWORD)
        .await;
}

async fn a_changed_role_counts_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let rules = json!({"list_rule": "@has_role('admin')", "create_rule": "@has_role('admin')"});
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &rules)
        .await;
    let user = app.register().await;
    user.create("posts", &json!({})).await;
    let path = format!("/users/{}", user.id);
    for (role, seen, status) in [("user", 0, 400), ("admin", 1, 201)] {
        app.admin.patch(&path, &json!({"role": role})).await.ok(200);
        assert_eq!(
            user.get("/records/posts").await.ok(200)["total"],
            seen,
            "{role}"
        );
        assert_eq!(
            user.post("/records/posts", &json!({})).await.status,
            status,
            "{role}"
        );
        assert_eq!(user.get("/auth/me").await.ok(200)["role"], role);
    }
}

async fn a_new_address_is_not_confirmed_and_voids_links_to_the_old_one(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.colleague_of(&app.register().await).await;
    let path = format!("/users/{}", user.id);
    app.admin
        .put(
            &format!("{path}/password"),
            &json!({"send_reset_link": true}),
        )
        .await
        .ok(200);
    let token = app
        .services()
        .accounts
        .mailer()
        .newest_to(&user.email)
        .unwrap()
        .token;
    // The same address in another case is no other.
    let same = app
        .admin
        .patch(&path, &json!({"email": user.email.to_uppercase()}))
        .await
        .ok(200);
    assert_eq!(same["email_verified"], true);
    let changed = app
        .admin
        .patch(&path, &json!({"email": "new@example.com"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["email"], &changed["email_verified"]),
        (&json!("new@example.com"), &json!(false))
    );
    assert_eq!(changed["email_verified_at"], json!(null));
    let body = json!({"token": token, "new_password": "Another-Horse-42"});
    app.anonymous()
        .post("/auth/reset-password", &body)
        .await
        .refused(400, "");
    let body = json!({"email": "newer@example.com", "email_verified": true});
    let confirmed = app.admin.patch(&path, &body).await.ok(200);
    assert!(
        confirmed["email_verified"] == true && confirmed["email_verified_at"].is_string(),
        "{confirmed}"
    );
    app.anonymous()
        .login(&user.account_slug, "newer@example.com", PASSWORD)
        .await;
}

async fn accounts_are_created_listed_renamed_and_deleted(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "a", "type": "text"}]),
        &json!({"create_rule": "", "list_rule": ""}),
    )
    .await;
    let created = app
        .admin
        .post("/accounts", &json!({"name": "Test & Company, Inc."}))
        .await
        .ok(201);
    assert_eq!(
        (&created["slug"], &created["user_count"]),
        (&json!("test-company-inc"), &json!(0))
    );
    let path = format!("/accounts/{}", created["id"].as_str().unwrap());
    app.admin
        .post(
            "/accounts",
            &json!({"name": "x", "slug": "test-company-inc"}),
        )
        .await
        .refused(422, "");
    assert_eq!(
        app.admin
            .put(&path, &json!({"name": "Renamed"}))
            .await
            .ok(200)["name"],
        "Renamed"
    );
    let list = app
        .admin
        .get("/accounts?search=renamed&page_size=1")
        .await
        .ok(200);
    assert_eq!(
        (&list["total"], &list["items"][0]["slug"]),
        (&json!(1), &json!("test-company-inc"))
    );
    app.admin
        .get("/accounts?sort_by=nonsense")
        .await
        .refused(422, "");
    let user: User = app.register().await;
    user.create("posts", &json!({"a": "b"})).await;
    let own = format!("/accounts/{}", user.account_id);
    assert_eq!(
        app.admin.get(&format!("{own}/users")).await.ok(200)["items"][0]["email"],
        user.email.as_str()
    );
    app.admin.delete(&own).await.ok(204);
    app.admin.get(&own).await.refused(404, "");
    user.get("/auth/me").await.refused(401, "");
    assert_eq!(app.admin.get("/records/posts").await.ok(200)["total"], 0);
    app.visitor_of(&user)
        .get("/records/posts")
        .await
        .refused(404, "");
    app.admin.delete(&path).await.ok(204);
    let system = app
        .admin
        .delete("/accounts/00000000-0000-0000-0000-000000000000")
        .await;
    assert!(
        system
            .refused(422, "")
            .to_string()
            .contains("system account")
    );
}

async fn administration_is_for_superadmins(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for (caller, status) in [
        ((*user).clone(), 403),
        (app.anonymous(), 401),
        (app.visitor_of(&user), 401),
    ] {
        for path in [
            "/users",
            "/accounts",
            &format!("/users/{}", user.id),
            &format!("/accounts/{}", user.account_id),
        ] {
            caller.get(path).await.refused(status, "");
        }
        caller.post("/users", &json!({})).await.refused(status, "");
        caller
            .post("/accounts", &json!({}))
            .await
            .refused(status, "");
        caller
            .patch(&format!("/users/{}", user.id), &json!({}))
            .await
            .refused(status, "");
        caller
            .delete(&format!("/users/{}", user.id))
            .await
            .refused(status, "");
        caller
            .delete(&format!("/accounts/{}", user.account_id))
            .await
            .refused(status, "");
        caller
            .put(&format!("/users/{}/password", user.id), &json!({}))
            .await
            .refused(status, "");
    }
    user.get("/auth/me").await.ok(200);
}
