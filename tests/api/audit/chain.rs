//! Nobody changes the trail, and nobody does it unnoticed.

use serde_json::{Value, json};
use snackbase::accounts::{NewAccount, SignIn};
use snackbase::app::App;
use snackbase::audit::AuditFilter;
use snackbase::auth::{Caller, Credential};
use snackbase::db::{Db, DbError, Stmt};
use snackbase::hooks::Hooks;
use snackbase::secret::Secret;

use super::trail;
use crate::harness::{Backend, Database, PASSWORD, SUPERADMIN, TestApp, User, open};

crate::both![
    the_database_refuses_to_change_an_entry,
    an_untouched_trail_is_valid_and_every_account_has_a_chain,
    a_changed_entry_is_found,
    a_removed_entry_is_found,
    a_removed_end_is_found,
    a_removed_chain_is_found,
    an_inserted_entry_is_found_and_does_not_stop_the_trail,
    what_is_not_in_the_trail_yet_is_not_pruned,
    two_processes_write_one_trail,
    it_can_be_switched_off_and_says_so,
    a_command_checks_it,
];

async fn world(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let ann = app.register().await;
    for number in 0..5 {
        ann.create_id("posts", &json!({"title": format!("{number}")}))
            .await;
    }
    // Everything is in the trail now.
    trail(&app, &[]).await;
    (app, ann)
}

async fn sql(app: &TestApp, text: &'static str) -> Result<bool, DbError> {
    app.services()
        .db
        .execute(Stmt::fixed(text, Vec::new()))
        .await
}

/// As somebody can who owns the database.
async fn without_triggers(app: &TestApp) {
    let drop: &[&'static str] = match app.services().db {
        Db::Sqlite(_) => &[
            "DROP TRIGGER audit_log_keeps",
            "DROP TRIGGER audit_log_remembers",
            "DROP TRIGGER audit_log_grows",
        ],
        Db::Postgres(_) => &[
            "DROP TRIGGER audit_log_keeps ON audit_log",
            "DROP TRIGGER audit_log_remembers ON audit_log",
        ],
    };
    let mut tx = app.services().db.begin().await.unwrap();
    for text in drop {
        tx.execute(Stmt::fixed(text, Vec::new())).await.unwrap();
    }
    tx.commit().await.unwrap();
}

async fn verify(app: &TestApp) -> Value {
    app.admin.get("/audit-logs/verify").await.ok(200)
}

#[track_caller]
fn assert_found(verified: &Value, kind: &str, account: &str) {
    assert_eq!(verified["valid"], json!(false), "{verified}");
    let problems = verified["problems"].as_array().unwrap();
    let found = problems
        .iter()
        .any(|problem| problem["kind"] == kind && problem["account_id"] == account);
    assert!(found, "no '{kind}' in {verified}");
}

async fn the_database_refuses_to_change_an_entry(backend: Backend) {
    let (app, _) = world(backend).await;
    let before = trail(&app, &[]).await;
    let mut attempts = vec![
        "UPDATE audit_log SET new_values = '{}' WHERE id = 1",
        "UPDATE audit_log SET checksum = checksum",
        "DELETE FROM audit_log WHERE seq = 1",
        "DELETE FROM audit_log",
    ];
    match backend {
        Backend::Sqlite => attempts.extend([
            "INSERT OR REPLACE INTO audit_log SELECT * FROM audit_log WHERE id = 1",
            "INSERT OR REPLACE INTO audit_log SELECT id + 100000, row_count, account_id, seq, operation, table_name, \
             record_id, old_values, new_values, actor, user_email, auth_method, ip_address, user_agent, request_id, \
             occurred_at, previous_hash, checksum FROM audit_log WHERE id = 1",
        ]),
        Backend::Postgres => attempts.extend([
            "TRUNCATE audit_log",
            "INSERT INTO audit_log SELECT * FROM audit_log WHERE id = 1 ON CONFLICT (id) DO UPDATE SET actor = 'me'",
        ]),
    }
    for attempt in attempts {
        assert!(sql(&app, attempt).await.is_err(), "{attempt}");
    }
    assert_eq!(trail(&app, &[]).await, before);
    assert_eq!(verify(&app).await["valid"], json!(true));
}

async fn an_untouched_trail_is_valid_and_every_account_has_a_chain(backend: Backend) {
    let (app, ann) = world(backend).await;
    let bob = app.register().await;
    let writers = [&ann, &bob].map(|user| async move {
        for number in 0..40 {
            user.create_id("posts", &json!({"title": format!("{number}")}))
                .await;
        }
    });
    futures_util::future::join_all(writers).await;
    let verified = verify(&app).await;
    assert_eq!(
        (&verified["valid"], &verified["problems"]),
        (&json!(true), &json!([])),
        "{verified}"
    );
    for user in [&ann, &bob] {
        let path = format!("/audit-logs/verify?account_id={}", user.account_id);
        let own = app.admin.get(&path).await.ok(200);
        let chain = &own["chains"][0];
        assert_eq!(
            (
                &own["valid"],
                &chain["entries"],
                own["chains"].as_array().unwrap().len()
            ),
            (&json!(true), &own["entries"], 1)
        );
        let mut rows = trail(&app, &[("account_id", &user.account_id)]).await;
        assert_eq!(rows.first().unwrap()["previous_hash"], Value::Null);
        rows.dedup_by(|a, b| a["checksum"] == b["checksum"]);
        assert_eq!(rows.last().unwrap()["checksum"], chain["checksum"]);
        for pair in rows.windows(2) {
            assert_eq!(pair[1]["previous_hash"], pair[0]["checksum"]);
        }
    }
    // The sum of the chains is everything.
    let chains = verified["chains"].as_array().unwrap();
    let sum: i64 = chains
        .iter()
        .map(|chain| chain["entries"].as_i64().unwrap())
        .sum();
    assert_eq!(json!(sum), verified["entries"]);
}

async fn a_changed_entry_is_found(backend: Backend) {
    let (app, ann) = world(backend).await;
    without_triggers(&app).await;
    let text = "UPDATE audit_log SET new_values = replace(new_values, '\"title\"', '\"Title\"') \
                WHERE table_name = 'col_posts' AND seq = (SELECT max(seq) - 2 FROM audit_log a WHERE table_name = 'col_posts')";
    sql(&app, text).await.unwrap();
    assert_found(&verify(&app).await, "changed", &ann.account_id);
    let path = format!("/audit-logs/verify?account_id={}", ann.account_id);
    assert_found(
        &app.admin.get(&path).await.ok(200),
        "changed",
        &ann.account_id,
    );
    let system = "/audit-logs/verify?account_id=00000000-0000-0000-0000-000000000000";
    assert_eq!(app.admin.get(system).await.ok(200)["valid"], json!(true));
}

async fn a_removed_entry_is_found(backend: Backend) {
    let (app, ann) = world(backend).await;
    without_triggers(&app).await;
    let text = "DELETE FROM audit_log WHERE table_name = 'col_posts' \
                AND seq = (SELECT max(seq) - 2 FROM audit_log a WHERE table_name = 'col_posts')";
    assert!(sql(&app, text).await.unwrap());
    assert_found(&verify(&app).await, "missing", &ann.account_id);
}

async fn a_removed_end_is_found(backend: Backend) {
    let (app, ann) = world(backend).await;
    without_triggers(&app).await;
    let text = "DELETE FROM audit_log WHERE table_name = 'col_posts' \
                AND seq = (SELECT max(seq) FROM audit_log a WHERE table_name = 'col_posts')";
    assert!(sql(&app, text).await.unwrap());
    assert_found(&verify(&app).await, "missing", &ann.account_id);
}

async fn a_removed_chain_is_found(backend: Backend) {
    let (app, ann) = world(backend).await;
    let bob = app.register().await;
    trail(&app, &[]).await;
    without_triggers(&app).await;
    // All that tells of Ann's account, and where its chain ended.
    let db = &app.services().db;
    for text in [
        "DELETE FROM audit_log WHERE account_id = $1",
        "DELETE FROM audit_chains WHERE account_id = $1",
    ] {
        assert!(
            db.execute(Stmt::fixed(text, vec![ann.account_id.as_str().into()]))
                .await
                .unwrap()
        );
    }
    assert_found(&verify(&app).await, "missing", &bob.account_id);
}

async fn an_inserted_entry_is_found_and_does_not_stop_the_trail(backend: Backend) {
    let (app, ann) = world(backend).await;
    // Behind the end nothing is refused: that is where the trail grows.
    let forged = "INSERT INTO audit_log SELECT (SELECT max(id + row_count) FROM audit_log), row_count, account_id, seq + 1, \
                  operation, table_name, 'forged', old_values, new_values, actor, user_email, auth_method, ip_address, \
                  user_agent, request_id, occurred_at, checksum, checksum FROM audit_log WHERE table_name = 'col_posts' \
                  AND seq = (SELECT max(seq) FROM audit_log a WHERE table_name = 'col_posts')";
    assert!(sql(&app, forged).await.unwrap());
    assert_found(&verify(&app).await, "changed", &ann.account_id);
    let id = ann.create_id("posts", &json!({"title": "after"})).await;
    assert!(!trail(&app, &[("record_id", &id)]).await.is_empty());
    assert_found(&verify(&app).await, "changed", &ann.account_id);
}

async fn what_is_not_in_the_trail_yet_is_not_pruned(backend: Backend) {
    let (app, _) = world(backend).await;
    let services = app.services();
    let entries = async || {
        services
            .db
            .count(Stmt::fixed("SELECT count(*) FROM change_log", Vec::new()))
            .await
            .unwrap()
    };
    let (before, later) = (
        entries().await,
        services.clock.now() + std::time::Duration::from_hours(1),
    );
    services
        .changes
        .retention(0, u64::MAX)
        .prune(later, 0)
        .await
        .unwrap();
    assert_eq!(entries().await, before);
    services
        .changes
        .retention(0, u64::MAX)
        .prune(later, services.audit.position().await.unwrap())
        .await
        .unwrap();
    assert_eq!(entries().await, 1);
}

/// A superadmin of another process.
async fn superadmin(app: &App) -> Caller {
    let login = SignIn {
        account: Some("system".into()),
        email: SUPERADMIN.into(),
        password: PASSWORD.into(),
    };
    let session = app.accounts.login(login, None).await.unwrap();
    Caller::User(
        app.auth
            .authenticate(Credential::Bearer(&session.token))
            .await
            .unwrap(),
    )
}

async fn two_processes_write_one_trail(backend: Backend) {
    let (app, ann) = world(backend).await;
    let mut config = app.database.config();
    config.auth.superadmin_email = SUPERADMIN.into();
    let other = App::build(config, Hooks::default()).await.unwrap();
    let admin = superadmin(&other).await;
    for number in 0..30 {
        let name = format!("account {number}");
        other
            .accounts
            .create_account(
                &admin,
                NewAccount {
                    name: name.clone(),
                    slug: None,
                },
            )
            .await
            .unwrap();
        ann.create_id("posts", &json!({"title": name})).await;
    }
    let verified = verify(&app).await;
    assert_eq!(verified["valid"], json!(true), "{verified}");
    let titles = trail(&app, &[("table_name", "col_posts")]).await;
    let mut titles: Vec<&str> = titles
        .iter()
        .filter(|row| row["column_name"] == "title")
        .map(|row| row["new_value"].as_str().unwrap())
        .collect();
    let count = titles.len();
    titles.sort_unstable();
    titles.dedup();
    // Each change once.
    assert_eq!((count, titles.len()), (35, 35));
    other.close().await;
}

async fn it_can_be_switched_off_and_says_so(backend: Backend) {
    let database = Database::create(backend).await;
    let start = async |enabled: bool| {
        let mut config = database.config();
        config.auth.superadmin_email = SUPERADMIN.into();
        config.auth.superadmin_password = Secret::new(PASSWORD.into());
        config.audit.logging_enabled = enabled;
        App::build(config, Hooks::default()).await.unwrap()
    };
    let rows = async |app: &App| {
        let caller = superadmin(app).await;
        let filter = AuditFilter {
            ascending: true,
            ..AuditFilter::default()
        };
        let page = app.audit.list(&caller, &filter, 0, 500).await.unwrap();
        assert_eq!(page.audit_logging_enabled, app.audit.is_enabled());
        page.items
            .iter()
            .map(|row| format!("{} {:?}", row.operation, row.new_value))
            .collect::<Vec<_>>()
    };
    let app = start(true).await;
    let first = rows(&app).await;
    assert!(
        first.iter().any(|row| row.starts_with("LOGIN")),
        "{first:?}"
    );
    app.close().await;

    let app = start(false).await;
    let second = rows(&app).await;
    assert_eq!(second[..first.len()], first);
    assert_eq!(
        second[first.len()..],
        ["UPDATE Some(\"false\")"],
        "the sign-in that reads this is not there"
    );
    app.close().await;

    let app = start(true).await;
    let third = rows(&app).await;
    let new = &third[second.len()..];
    assert_eq!(new[0], "UPDATE Some(\"true\")");
    assert!(new[1].starts_with("LOGIN"), "{new:?}");
    let caller = superadmin(&app).await;
    assert!(app.audit.verify(&caller, None).await.unwrap().valid);
    app.close().await;
}

async fn a_command_checks_it(backend: Backend) {
    let (app, ann) = world(backend).await;
    let check = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_snackbase"));
        command.args(["audit", "verify"]).args(more);
        command
            .env("SNACKBASE_DATA_DIR", app.database.folder())
            .env("SNACKBASE_DATABASE_URL", app.database.url());
        command.env("SNACKBASE_SECRET_KEY", "0123456789abcdef0123456789abcdef");
        let output = command.output().unwrap();
        (
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )
    };
    let (valid, told) = check(&[]);
    assert!(
        valid && told.contains(&ann.account_id) && told.contains("as it was written"),
        "{told}"
    );
    without_triggers(&app).await;
    sql(
        &app,
        "UPDATE audit_log SET actor = 'nobody' WHERE table_name = 'col_posts'",
    )
    .await
    .unwrap();
    let (valid, told) = check(&["--account", &ann.account_id]);
    assert!(!valid && told.contains("changed"), "{told}");
    let (valid, told) = check(&["--account", "00000000-0000-0000-0000-000000000000"]);
    assert!(valid, "{told}");
}
