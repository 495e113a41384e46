//! What happens besides changes of records.

use serde_json::{Value, json};

use super::{changes, trail};
use crate::harness::{Backend, PASSWORD, TestApp, open};

crate::both![
    signing_in_and_out_and_being_refused_is_there,
    a_registration_is_there_with_all_that_it_makes,
    what_superadmins_do_to_users_is_there,
    new_passwords_are_there_without_the_passwords,
    the_life_of_an_account_is_there_and_outlives_it,
    definitions_and_rules_are_there,
    roles_groups_invitations_and_keys_are_there,
    a_request_is_told_of_with_address_client_and_id,
    definitions_of_rooms_are_there,
    a_throttled_sign_in_is_there_once,
    a_refresh_token_that_is_used_again_is_there_and_others_are_not,
];

const WRONG: &str = "Wrong-Horse-42!";

/// `OPERATION table column: old -> new`.
fn told(rows: &[Value]) -> Vec<String> {
    let lines = rows.iter().zip(changes(rows));
    lines
        .map(|(row, change)| {
            format!("{} {} {change}", row["operation"], row["table_name"]).replace('"', "")
        })
        .collect()
}

#[track_caller]
fn assert_told(rows: &[Value], lines: &[&str]) {
    let told = told(rows);
    for line in lines {
        assert!(
            told.iter().any(|own| own == line),
            "{line} is not in {told:#?}"
        );
    }
}

async fn signing_in_and_out_and_being_refused_is_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    let login =
        |email: &str, account: &str| json!({"account": account, "email": email, "password": WRONG});
    app.anonymous()
        .post("/auth/login", &login(&ann.email, &ann.account_slug))
        .await
        .refused(401, "");
    app.anonymous()
        .post(
            "/auth/login",
            &login("nobody@example.com", &ann.account_slug),
        )
        .await
        .refused(401, "");
    app.anonymous()
        .post("/auth/login", &login("nobody@example.com", "nowhere"))
        .await
        .refused(401, "");
    let again = app
        .anonymous()
        .login(&ann.account_slug, &ann.email, PASSWORD)
        .await;
    ann.post("/auth/logout", &json!({})).await.ok(200);
    let body = json!({"refresh_token": again.refresh_token});
    app.anonymous().post("/auth/logout", &body).await.ok(200);
    // Nothing more ends what has ended.
    app.anonymous().post("/auth/logout", &body).await.ok(200);

    let of_ann = trail(&app, &[("account_id", &ann.account_id)]).await;
    let operations = |name: &str| of_ann.iter().filter(|row| row["operation"] == name).count();
    assert_eq!((operations("LOGIN"), operations("LOGOUT")), (2, 2));
    let logins: Vec<&Value> = of_ann
        .iter()
        .filter(|row| row["operation"] == "LOGIN")
        .collect();
    for login in logins {
        assert_eq!(
            (&login["user_id"], &login["record_id"]),
            (&json!(ann.id), &json!(ann.id))
        );
        assert_eq!(login["extra_metadata"]["auth_method"], json!("password"));
    }
    for logout in of_ann.iter().filter(|row| row["operation"] == "LOGOUT") {
        assert_eq!(
            (&logout["user_id"], &logout["user_email"]),
            (&json!(ann.id), &json!(ann.email))
        );
        assert_eq!(
            (&logout["table_name"], &logout["column_name"]),
            (&json!("sessions"), &json!(""))
        );
    }
    assert_told(
        &of_ann,
        &[
            "LOGIN_FAILED users reason: - -> wrong_password",
            "LOGIN_FAILED users reason: - -> unknown_user",
            "LOGIN_FAILED users email: - -> nobody@example.com",
        ],
    );
    let failed = of_ann
        .iter()
        .find(|row| row["new_value"] == "wrong_password")
        .unwrap();
    assert_eq!(
        (&failed["record_id"], &failed["user_id"]),
        (&json!(ann.id), &Value::Null)
    );
    // Where there is no such account, it is in the trail of the system account.
    let elsewhere = trail(
        &app,
        &[
            ("account_id", "00000000-0000-0000-0000-000000000000"),
            ("operation", "LOGIN_FAILED"),
        ],
    );
    assert_told(
        &elsewhere.await,
        &["LOGIN_FAILED users email: - -> nobody@example.com"],
    );
    app.admin
        .delete(&format!("/users/{}", ann.id))
        .await
        .ok(204);
    app.anonymous()
        .post(
            "/auth/login",
            &json!({"account": ann.account_slug, "email": ann.email, "password": PASSWORD}),
        )
        .await
        .refused(401, "");
    let of_ann = trail(&app, &[("account_id", &ann.account_id)]).await;
    assert_told(&of_ann, &["LOGIN_FAILED users reason: - -> inactive"]);
}

async fn a_registration_is_there_with_all_that_it_makes(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    let rows = trail(
        &app,
        &[("account_id", &ann.account_id), ("operation", "CREATE")],
    )
    .await;
    let (slug, email) = (&ann.account_slug, &ann.email);
    assert_told(
        &rows,
        &[
            &format!("CREATE accounts slug: - -> {slug}"),
            &format!("CREATE accounts name: - -> {slug}"),
            &format!("CREATE users email: - -> {email}"),
        ],
    );
    assert!(
        rows.iter().all(|row| row["user_name"] == "anonymous"),
        "{rows:?}"
    );
    // The first superadmin was made by the server itself.
    let rows = trail(&app, &[("user_id", "system"), ("table_name", "users")]).await;
    assert_told(&rows, &["CREATE users email: - -> root@example.com"]);
    assert!(
        rows.iter()
            .all(|row| row["user_name"] == "system" && row["user_id"].is_null())
    );
}

async fn what_superadmins_do_to_users_is_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    let bob = app.colleague_of(&ann).await;
    let path = format!("/users/{}", bob.id);
    app.admin
        .patch(&path, &json!({"role_id": 1, "email": "bob@example.com"}))
        .await
        .ok(200);
    app.admin
        .post(&format!("{path}/verify"), &json!({}))
        .await
        .ok(200);
    app.admin.delete(&path).await.ok(204);
    let rows = trail(&app, &[("record_id", &bob.id), ("table_name", "users")]).await;
    assert_told(
        &rows,
        &[
            &format!("CREATE users email: - -> {}", bob.email),
            "UPDATE users role_id: 2 -> 1",
            &format!("UPDATE users email: {} -> bob@example.com", bob.email),
            "UPDATE users is_active: true -> false",
        ],
    );
    let by_admin = |row: &&Value| row["operation"] != "LOGIN";
    for row in rows.iter().filter(by_admin) {
        assert_eq!(
            (&row["user_id"], &row["account_id"]),
            (&json!(app.admin.id), &json!(ann.account_id))
        );
        assert_eq!(row["extra_metadata"]["auth_method"], json!("jwt"));
    }
    // What was refused is not there.
    app.admin
        .patch(&path, &json!({"email": ann.email}))
        .await
        .refused(409, "");
    let after = trail(&app, &[("record_id", &bob.id), ("table_name", "users")]).await;
    assert_eq!(after.len(), rows.len());
}

async fn new_passwords_are_there_without_the_passwords(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    let path = format!("/users/{}/password", ann.id);
    app.admin
        .put(&path, &json!({"new_password": "Another-Horse-43"}))
        .await
        .ok(200);
    app.admin
        .put(&path, &json!({"send_reset_link": true}))
        .await
        .ok(200);
    let mail = app
        .services()
        .accounts
        .mailer()
        .newest_to(&ann.email)
        .unwrap();
    let body = json!({"token": mail.token, "new_password": "Third-Horse-44!"});
    app.anonymous()
        .post("/auth/reset-password", &body)
        .await
        .ok(200);
    let rows = trail(&app, &[("record_id", &ann.id), ("operation", "UPDATE")]).await;
    let changed: Vec<&Value> = rows
        .iter()
        .filter(|row| row["column_name"] == "password")
        .collect();
    assert_eq!(changed.len(), 2, "{rows:?}");
    assert_eq!(
        (&changed[0]["old_value"], &changed[0]["new_value"]),
        (&json!("***"), &json!("***"))
    );
    assert_eq!(
        (&changed[0]["user_id"], &changed[1]["user_id"]),
        (&json!(app.admin.id), &json!(ann.id))
    );
    assert_eq!(changed[1]["extra_metadata"]["auth_method"], json!("token"));
    assert!(
        rows.iter()
            .any(|row| row["column_name"] == "reset_link_sent_at"),
        "{rows:?}"
    );
    let everything = json!(trail(&app, &[]).await).to_string();
    for secret in ["Horse", "argon2", &mail.token] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

async fn the_life_of_an_account_is_there_and_outlives_it(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let account = app
        .admin
        .post("/accounts", &json!({"name": "Acme", "slug": "acme"}))
        .await
        .ok(201);
    let id = account["id"].as_str().unwrap();
    let path = format!("/accounts/{id}");
    app.admin
        .put(&path, &json!({"name": "Acme & Co"}))
        .await
        .ok(200);
    app.admin
        .create_id("posts", &json!({"title": "kept", "account_id": id}))
        .await;
    app.admin.delete(&path).await.ok(204);
    let rows = trail(&app, &[("account_id", id)]).await;
    assert_told(
        &rows,
        &[
            "CREATE accounts slug: - -> acme",
            "UPDATE accounts name: Acme -> Acme & Co",
            "CREATE col_posts title: - -> kept",
            "DELETE accounts name: Acme & Co -> -",
            "DELETE col_posts title: kept -> -",
        ],
    );
    assert!(
        rows.iter().all(|row| row["user_id"] == json!(app.admin.id)),
        "{rows:?}"
    );
    let verified = app
        .admin
        .get(&format!("/audit-logs/verify?account_id={id}"))
        .await
        .ok(200);
    assert_eq!(
        (&verified["valid"], &verified["chains"][0]["account_id"]),
        (&json!(true), &json!(id))
    );
}

async fn definitions_and_rules_are_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let posts = app
        .collection(
            "posts",
            &json!([{"name": "title", "type": "text"}]),
            &open(),
        )
        .await;
    app.rules(
        "posts",
        &json!({"list_rule": "created_by = @request.auth.id", "view_rule": null}),
    )
    .await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "rank", "type": "number"}]);
    app.admin
        .put("/collections/posts", &json!({"fields": fields}))
        .await
        .ok(200);
    app.admin.delete("/collections/posts").await.ok(200);
    let twice = json!({"name": "other", "fields": [{"name": "a", "type": "text"}, {"name": "a", "type": "text"}]});
    app.admin
        .post("/collections", &twice)
        .await
        .refused(400, "");
    let rows = trail(&app, &[("record_id", posts["id"].as_str().unwrap())]).await;
    assert_told(
        &rows,
        &[
            "CREATE collections name: - -> posts",
            "UPDATE collections list_rule:  -> created_by = @request.auth.id",
            "UPDATE collections view_rule:  -> -",
            "DELETE collections name: posts -> -",
        ],
    );
    let schema = rows
        .iter()
        .find(|row| row["operation"] == "UPDATE" && row["column_name"] == "schema")
        .unwrap();
    assert!(
        schema["new_value"].as_str().unwrap().contains("rank"),
        "{schema}"
    );
    assert!(
        rows.iter()
            .all(|row| row["user_email"] == json!("root@example.com"))
    );
    let creations = trail(
        &app,
        &[("table_name", "collections"), ("operation", "CREATE")],
    )
    .await;
    assert!(
        creations.iter().all(|row| row["record_id"] == posts["id"]),
        "{creations:?}"
    );
}

async fn a_request_is_told_of_with_address_client_and_id(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.server.trust_proxy = true).await;
    let ann = app.register().await;
    let client = app
        .admin
        .with_header("user-agent", "Tests/1.0")
        .with_header("x-correlation-id", "cid_0123456789ab")
        .with_header("x-forwarded-for", "2001:db8::7");
    client
        .post(&format!("/users/{}/verify", ann.id), &json!({}))
        .await
        .ok(200);
    let rows = trail(&app, &[("record_id", &ann.id), ("user_id", &app.admin.id)]).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    for (key, value) in [
        ("user_agent", "Tests/1.0"),
        ("request_id", "cid_0123456789ab"),
        ("ip_address", "2001:db8::7"),
    ] {
        assert_eq!(rows[0][key], json!(value), "{key}");
    }
    let login = trail(
        &app,
        &[("operation", "LOGIN"), ("account_id", &ann.account_id)],
    )
    .await;
    assert_eq!(login[0]["ip_address"], json!("127.0.0.1"));
    assert!(login[0]["request_id"].as_str().unwrap().starts_with("cid_"));
}

async fn roles_groups_invitations_and_keys_are_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    let bob = app.colleague_of(&ann).await;
    let id = |answer: &Value| answer["id"].to_string().replace('"', "");
    let role = id(&app
        .admin
        .post("/roles", &json!({"name": "editor", "description": "Edits"}))
        .await
        .ok(201));
    app.admin
        .put(
            &format!("/roles/{role}"),
            &json!({"name": "writer", "description": "Edits"}),
        )
        .await
        .ok(200);
    app.admin.delete(&format!("/roles/{role}")).await;
    let group = id(&ann
        .post("/groups", &json!({"name": "friends"}))
        .await
        .ok(201));
    ann.patch(
        &format!("/groups/{group}"),
        &json!({"description": "of mine"}),
    )
    .await;
    ann.post(
        &format!("/groups/{group}/users"),
        &json!({"user_id": bob.id}),
    )
    .await;
    ann.delete(&format!("/groups/{group}/users/{}", bob.id))
        .await;
    let invited = ann
        .post(
            "/invitations",
            &json!({"email": "cid@example.com", "groups": [group]}),
        )
        .await
        .ok(201);
    let token = invited["token"].as_str().unwrap();
    let accept = json!({"password": PASSWORD});
    app.anonymous()
        .post(&format!("/invitations/{token}/accept"), &accept)
        .await
        .ok(200);
    let cancelled = id(&ann
        .post("/invitations", &json!({"email": "dan@example.com"}))
        .await
        .ok(201));
    ann.delete(&format!("/invitations/{cancelled}")).await;
    ann.delete(&format!("/groups/{group}")).await;
    let made = app
        .admin
        .post("/admin/api-keys", &json!({"name": "robot"}))
        .await
        .ok(201);
    let key = made["key"].as_str().unwrap();
    let robot = app.anonymous().with_header("x-api-key", key);
    robot
        .post(&format!("/users/{}/verify", bob.id), &json!({}))
        .await
        .ok(200);
    app.admin
        .delete(&format!("/admin/api-keys/{}", id(&made)))
        .await;

    let system = trail(
        &app,
        &[("account_id", "00000000-0000-0000-0000-000000000000")],
    )
    .await;
    assert_told(
        &system,
        &[
            "CREATE roles name: - -> editor",
            "UPDATE roles name: editor -> writer",
            "DELETE roles name: writer -> -",
            "CREATE api_keys name: - -> robot",
            "UPDATE api_keys is_active: true -> false",
        ],
    );
    let rows = trail(&app, &[("account_id", &ann.account_id)]).await;
    let (bob_id, cid) = (
        &bob.id,
        rows.iter()
            .find(|row| row["new_value"] == "cid@example.com" && row["table_name"] == "users"),
    );
    let cid = cid.unwrap()["record_id"].as_str().unwrap();
    assert_told(
        &rows,
        &[
            "CREATE groups name: - -> pii_access",
            "CREATE groups name: - -> friends",
            "UPDATE groups description: - -> of mine",
            &format!("CREATE group_members user_id: - -> {bob_id}"),
            &format!("DELETE group_members user_id: {bob_id} -> -"),
            "CREATE invitations email: - -> cid@example.com",
            &format!("CREATE group_members user_id: - -> {cid}"),
            "DELETE invitations email: dan@example.com -> -",
            "DELETE groups name: friends -> -",
        ],
    );
    let by_key = |row: &&Value| row["extra_metadata"]["auth_method"] == "api_key";
    assert_eq!(
        rows.iter().find(by_key).unwrap()["record_id"],
        json!(bob.id)
    );
    let everything = json!([system, rows]).to_string();
    for secret in [token, key] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

async fn definitions_of_rooms_are_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let body = json!({"pattern": "doc:{id}", "join_rule": "@request.auth.id != null"});
    let created = app.admin.post("/realtime/rooms", &body).await.ok(201);
    let path = format!("/realtime/rooms/{}", created["id"].as_str().unwrap());
    app.admin
        .patch(&path, &json!({"publish_rule": "", "history": 5}))
        .await
        .ok(200);
    app.admin
        .patch(&path, &json!({"pattern": "a b"}))
        .await
        .refused(400, "");
    app.admin.delete(&path).await.ok(204);
    let rows = trail(&app, &[("table_name", "rooms")]).await;
    assert_told(
        &rows,
        &[
            "CREATE rooms pattern: - -> doc:{id}",
            "CREATE rooms join_rule: - -> @request.auth.id != null",
            "UPDATE rooms history: 0 -> 5",
            "UPDATE rooms publish_rule: - -> ",
            "DELETE rooms pattern: doc:{id} -> -",
        ],
    );
    assert_eq!(
        rows.iter()
            .filter(|row| row["operation"] == "UPDATE")
            .count(),
        2,
        "{rows:?}"
    );
    assert!(rows.iter().all(|row| row["user_id"] == app.admin.id.as_str() && row["record_id"] == created["id"]));
}

async fn a_throttled_sign_in_is_there_once(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.login_failures_per_identity = 2;
    })
    .await;
    let ann = app.register().await;
    let request = |password: &str| json!({"account": ann.account_slug, "email": ann.email, "password": password});
    for _ in 0..2 {
        app.anonymous()
            .post("/auth/login", &request(WRONG))
            .await
            .refused(401, "");
    }
    for _ in 0..3 {
        app.anonymous()
            .post("/auth/login", &request(WRONG))
            .await
            .refused(429, "");
    }
    let rows = trail(
        &app,
        &[
            ("account_id", &ann.account_id),
            ("operation", "LOGIN_FAILED"),
        ],
    )
    .await;
    let reasons: Vec<&Value> = rows
        .iter()
        .filter(|row| row["column_name"] == "reason")
        .map(|row| &row["new_value"])
        .collect();
    assert_eq!(reasons, ["wrong_password", "wrong_password", "throttled"]);
    let throttled = rows
        .iter()
        .find(|row| row["new_value"] == "throttled")
        .unwrap();
    assert_eq!(
        (&throttled["record_id"], &throttled["ip_address"]),
        (&json!(ann.id), &json!("127.0.0.1"))
    );
}

async fn a_refresh_token_that_is_used_again_is_there_and_others_are_not(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.refresh_grace_seconds = 0).await;
    let ann = app.register().await;
    let refresh = async |status: u16| {
        let answer = app
            .anonymous()
            .post(
                "/auth/refresh",
                &json!({"refresh_token": ann.refresh_token}),
            )
            .await;
        assert_eq!(answer.status, status, "{}", answer.text);
    };
    let before = trail(&app, &[("account_id", &ann.account_id)]).await.len();
    refresh(200).await;
    assert_eq!(
        trail(&app, &[("account_id", &ann.account_id)]).await.len(),
        before
    );
    refresh(401).await;
    refresh(401).await;
    let rows = trail(&app, &[("account_id", &ann.account_id)])
        .await
        .split_off(before);
    assert_eq!(
        told(&rows),
        ["LOGOUT sessions reason: - -> refresh_token_reused"]
    );
    assert_eq!(rows[0]["user_name"], "system");
}
