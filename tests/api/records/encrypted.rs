use serde_json::{Value, json};
use snackbase::records::Records;
use snackbase::secret::Secret;

use crate::harness::{Backend, Client, TestApp, User, open};

crate::both![
    encrypted_values_are_shown_to_nobody,
    keys_made_for_it_read_the_plain_values,
    nobody_else_reads_them,
    whoever_reads_them_is_in_the_audit_trail,
    nothing_compares_with_encrypted_values,
    what_stands_for_a_value_is_no_value,
    definitions_of_encrypted_fields_are_checked,
    older_keys_decrypt_until_everything_is_encrypted_anew,
];

const SHOWN: &str = "••••••••";
const PLAIN: &str = "tell-nobody-4711";

async fn vault(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let user = define(&app).await;
    (app, user)
}

async fn define(app: &TestApp) -> User {
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "pin", "type": "text", "encrypted": true, "required": true},
        {"name": "doc", "type": "json", "encrypted": true}
    ]);
    app.collection("vault", &fields, &open()).await;
    app.register().await
}

fn secret() -> Value {
    json!({"title": "t", "pin": PLAIN, "doc": {"a": [1, PLAIN]}})
}

/// A client with a key that is bound to the user's account.
async fn key(app: &TestApp, user: &User, scopes: &[&str]) -> Client {
    let body = json!({"name": "service", "account_id": user.account_id, "scopes": scopes});
    let made = app.admin.post("/admin/api-keys", &body).await.ok(201);
    app.anonymous()
        .with_header("x-api-key", made["key"].as_str().unwrap())
}

#[track_caller]
fn assert_sealed(record: &Value) {
    assert_eq!(
        (&record["pin"], &record["doc"]),
        (&json!(SHOWN), &json!(SHOWN)),
        "{record}"
    );
    assert!(!record.to_string().contains(PLAIN));
}

async fn encrypted_values_are_shown_to_nobody(backend: Backend) {
    let (app, user) = vault(backend).await;
    let created = user.create("vault", &secret()).await;
    assert_sealed(&created);
    let path = format!("/records/vault/{}", created["id"].as_str().unwrap());
    for caller in [&user, &app.admin] {
        assert_sealed(&caller.get(&path).await.ok(200));
        assert_sealed(&caller.get("/records/vault").await.ok(200)["items"][0]);
        assert_sealed(&caller.get("/records/vault?fields=pin,doc").await.ok(200)["items"][0]);
    }
    assert_sealed(&user.patch(&path, &json!({"title": "u"})).await.ok(200));
    assert_sealed(&user.put(&path, &secret()).await.ok(200));
    let batch = json!({"records": [secret()]});
    assert_sealed(&user.post("/records/vault/batch", &batch).await.ok(201)["created"][0]);
    assert_eq!(
        user.patch(&path, &json!({"doc": null})).await.ok(200)["doc"],
        Value::Null
    );
    // Neither the table nor the change log has the plain value.
    for statement in [
        "SELECT pin || coalesce(doc, '') FROM col_vault",
        "SELECT coalesce(record, '') || coalesce(previous, '') FROM change_log",
    ] {
        let rows = app
            .services()
            .db
            .docs(snackbase::db::Stmt::fixed(statement, Vec::new()))
            .await
            .unwrap();
        assert!(
            rows.len() >= 2 && rows.iter().all(|row| !row.contains(PLAIN)),
            "{statement}: {rows:?}"
        );
    }
}

async fn keys_made_for_it_read_the_plain_values(backend: Backend) {
    let (app, user) = vault(backend).await;
    let id = user.create_id("vault", &secret()).await;
    let path = format!("/records/vault/{id}");
    let service = key(&app, &user, &["records:secrets:read"]).await;
    let answer = service.get(&format!("{path}/secrets")).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.ok(200),
        json!({"data": {"pin": PLAIN, "doc": {"a": [1, PLAIN]}}})
    );
    let one = service
        .get(&format!("{path}/secrets?fields=pin,pin"))
        .await
        .ok(200);
    assert_eq!(one, json!({"data": {"pin": PLAIN}}));
    user.patch(&path, &json!({"pin": "ž'\"🐴", "doc": null}))
        .await
        .ok(200);
    let changed = service.get(&format!("{path}/secrets")).await.ok(200);
    assert_eq!(changed, json!({"data": {"pin": "ž'\"🐴", "doc": null}}));
    for fields in ["title", "nonsense", "pin,id"] {
        service
            .get(&format!("{path}/secrets?fields={fields}"))
            .await
            .refused(422, "no encrypted field");
    }
    service
        .get("/records/vault/nonsense/secrets")
        .await
        .refused(404, "");
    service
        .get(&format!("/records/nonsense/{id}/secrets"))
        .await
        .refused(404, "");
}

async fn nobody_else_reads_them(backend: Backend) {
    let (app, user) = vault(backend).await;
    let path = format!(
        "/records/vault/{}/secrets",
        user.create_id("vault", &secret()).await
    );
    for caller in [&user, &app.admin] {
        let refusal = caller.get(&path).await.refused(403, "records:secrets:read");
        let message = refusal["message"].as_str().unwrap().to_lowercase();
        assert!(
            !message.contains("superadmin") && !message.contains("restricted"),
            "{message}"
        );
    }
    key(&app, &user, &[])
        .await
        .get(&path)
        .await
        .refused(403, "");
    key(&app, &user, &["records:read"])
        .await
        .get(&path)
        .await
        .refused(403, "");
    app.visitor_of(&user).get(&path).await.refused(401, "");
    let stranger = app.register().await;
    key(&app, &stranger, &["records:secrets:read"])
        .await
        .get(&path)
        .await
        .refused(404, "");
    let service = key(&app, &user, &["records:secrets:read"]).await;
    app.rules("vault", &json!({"view_fields": ["title", "doc"]}))
        .await;
    assert_eq!(
        service.get(&path).await.ok(200)["data"],
        json!({"doc": {"a": [1, PLAIN]}})
    );
    service
        .get(&format!("{path}?fields=pin"))
        .await
        .refused(422, "pin");
    app.rules("vault", &json!({"view_rule": "title = 'other'"}))
        .await;
    service.get(&path).await.refused(404, "");
    app.rules("vault", &json!({"view_rule": null})).await;
    service.get(&path).await.refused(403, "locked");
}

async fn whoever_reads_them_is_in_the_audit_trail(backend: Backend) {
    let (app, user) = vault(backend).await;
    let id = user.create_id("vault", &secret()).await;
    let service = key(&app, &user, &["records:secrets:read"]).await;
    service
        .get(&format!("/records/vault/{id}/secrets?fields=pin"))
        .await
        .ok(200);
    let page = app.admin.get("/audit-logs?operation=REVEAL").await.ok(200);
    let row = &page["items"][0];
    assert_eq!(
        (&page["total"], &row["table_name"], &row["record_id"]),
        (&json!(1), &json!("col_vault"), &json!(id))
    );
    assert_eq!(
        (&row["account_id"], &row["column_name"]),
        (&json!(user.account_id), &json!("fields"))
    );
    assert!(row["new_value"].as_str().unwrap().contains("pin"), "{row}");
    assert!(!page.to_string().contains(PLAIN));
}

async fn nothing_compares_with_encrypted_values(backend: Backend) {
    let (app, user) = vault(backend).await;
    user.create("vault", &secret()).await;
    for caller in [&user, &app.admin] {
        for filter in [
            "pin = 'x'",
            "pin != null",
            "title = pin",
            "doc IS NULL",
            "pin ~ '%'",
        ] {
            let refusal = caller
                .query("/records/vault", &[("filter", filter)])
                .await
                .refused(400, "encrypted");
            assert_eq!(refusal["error"], "Invalid filter expression", "{filter}");
        }
        for sort in ["pin", "-doc"] {
            caller
                .query("/records/vault", &[("sort", sort)])
                .await
                .refused(400, "");
        }
        for (functions, group) in [
            ("min(pin)", ""),
            ("count(pin)", ""),
            ("count()", "pin"),
            ("count()", "doc"),
        ] {
            let query = [("functions", functions), ("group_by", group)];
            caller
                .query("/records/vault/aggregate", &query)
                .await
                .refused(400, "");
        }
    }
    for rule in ["pin = 'x'", "@request.data.pin = 'x'"] {
        app.admin
            .put("/collections/vault/rules", &json!({"update_rule": rule}))
            .await
            .refused(400, "encrypted");
    }
}

async fn what_stands_for_a_value_is_no_value(backend: Backend) {
    let (app, user) = vault(backend).await;
    let path = format!(
        "/records/vault/{}",
        user.create_id("vault", &secret()).await
    );
    let service = key(&app, &user, &["records:secrets:read"]).await;
    let shown = json!({"title": "new", "pin": SHOWN, "doc": SHOWN});
    assert_eq!(user.put(&path, &shown).await.ok(200)["title"], "new");
    user.patch(&path, &shown).await.ok(200);
    let plain = json!({"data": {"pin": PLAIN, "doc": {"a": [1, PLAIN]}}});
    assert_eq!(service.get(&format!("{path}/secrets")).await.ok(200), plain);
    user.post("/records/vault", &shown)
        .await
        .problems(&[("pin", "masked_value"), ("doc", "masked_value")]);
    user.patch(&path, &json!({"pin": null}))
        .await
        .problems(&[("pin", "required_null")]);
    user.patch(&path, &json!({"pin": 5}))
        .await
        .problems(&[("pin", "invalid_type")]);
    user.put(&path, &json!({"title": "x"}))
        .await
        .problems(&[("pin", "required_missing")]);
}

async fn definitions_of_encrypted_fields_are_checked(backend: Backend) {
    let (app, _user) = vault(backend).await;
    let cases = [
        (
            json!({"name": "n", "type": "number", "encrypted": true}),
            "encrypted",
        ),
        (
            json!({"name": "n", "type": "text", "encrypted": true, "unique": true}),
            "unique",
        ),
        (
            json!({"name": "n", "type": "text", "encrypted": true, "searchable": true}),
            "searchable",
        ),
        (
            json!({"name": "n", "type": "text", "encrypted": true, "default": "x"}),
            "default",
        ),
    ];
    for (field, key) in cases {
        let body = json!({"name": "wrong", "fields": [field]});
        let problem = format!("schema[0].{key}");
        app.admin
            .post("/collections", &body)
            .await
            .problems(&[(&problem, "encrypted_not_supported")]);
    }
    let fields = json!([
        {"name": "title", "type": "text", "encrypted": true},
        {"name": "pin", "type": "text", "required": true},
        {"name": "doc", "type": "json", "encrypted": true}
    ]);
    app.admin
        .put("/collections/vault", &json!({"fields": fields}))
        .await
        .problems(&[
            ("schema[0].encrypted", "encrypted_change_not_allowed"),
            ("schema[1].encrypted", "encrypted_change_not_allowed"),
        ]);
    // What is encrypted needs no mask besides.
    let fields = json!([{"name": "pin", "type": "text", "encrypted": true, "pii": true, "mask_type": "email"}]);
    app.collection("both", &fields, &open()).await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    assert_eq!(
        colleague.create("both", &json!({"pin": "a@b.c"})).await["pin"],
        SHOWN
    );
}

async fn older_keys_decrypt_until_everything_is_encrypted_anew(backend: Backend) {
    let (app, user) = vault(backend).await;
    let path = format!(
        "/records/vault/{}/secrets",
        user.create_id("vault", &secret()).await
    );
    user.create("vault", &secret()).await;
    let service = key(&app, &user, &["records:secrets:read"]).await;
    let services = app.services();
    let with_keys = |current: &Secret<String>, old: &Secret<String>| {
        let mut config = (*services.config).clone();
        config.auth.encryption_key = current.clone();
        config.auth.old_encryption_keys = vec![old.clone()];
        let (db, catalog) = (services.db.clone(), services.catalog.clone());
        Records::new(
            db,
            catalog,
            services.hooks.clone(),
            services.clock.clone(),
            services.files.clone(),
            &config,
        )
    };
    let (own, other) = (
        services.config.auth.encryption_key.clone(),
        Secret::new("another key, not a short one".to_owned()),
    );
    let renewed = with_keys(&other, &own);
    assert_eq!(
        (
            renewed.reseal().await.unwrap(),
            renewed.reseal().await.unwrap()
        ),
        (2, 0)
    );
    // A server that was not told of the new key says what it lacks.
    service.get(&path).await.refused(400, "old_encryption_keys");
    assert_eq!(with_keys(&own, &other).reseal().await.unwrap(), 2);
    assert_eq!(service.get(&path).await.ok(200)["data"]["pin"], PLAIN);
}
