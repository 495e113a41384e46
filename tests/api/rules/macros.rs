use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    macros_are_made_changed_listed_and_deleted,
    only_superadmins_change_them_and_everybody_signed_in_reads_them,
    nothing_but_a_select_over_collections_is_taken,
    a_macro_decides_in_every_operation,
    a_macro_reads_the_records_of_the_callers_account_only,
    macros_that_rules_use_stay,
    a_macro_is_tried_with_parameters,
    rules_with_macros_are_checked_when_they_are_saved,
    the_macros_that_are_always_there_work,
];

/// Records of `projects` are open to whoever has a record in `members`.
async fn start(backend: Backend) -> (TestApp, User, User) {
    let app = TestApp::spawn(backend).await;
    let members = json!([
        {"name": "user", "type": "text"},
        {"name": "project", "type": "text"},
        {"name": "level", "type": "number"},
        {"name": "since", "type": "datetime"},
        {"name": "day", "type": "date"},
        {"name": "active", "type": "boolean"},
        {"name": "meta", "type": "json"}
    ]);
    app.collection("members", &members, &open()).await;
    let fields = json!([{"name": "key", "type": "text"}, {"name": "n", "type": "number"}, {"name": "day", "type": "date"}]);
    app.collection("projects", &fields, &open()).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    (app, owner, colleague)
}

async fn create(app: &TestApp, name: &str, query: &str, parameters: Value) -> Value {
    let body = json!({"name": name, "sql_query": query, "parameters": parameters});
    app.admin.post("/macros", &body).await.ok(201)
}

async fn macros_are_made_changed_listed_and_deleted(backend: Backend) {
    let (app, _, _) = start(backend).await;
    let made = create(&app, "is_owner", "SELECT 1", json!([])).await;
    assert_eq!(
        (&made["name"], &made["sql_query"], &made["parameters"]),
        (&json!("is_owner"), &json!("SELECT 1"), &json!([]))
    );
    assert_eq!(
        (&made["description"], &made["created_by"]),
        (&Value::Null, &json!(app.admin.id))
    );
    let path = format!("/macros/{}", made["id"].as_i64().unwrap());
    assert_eq!(app.admin.get(&path).await.ok(200), made);
    create(&app, "another", "SELECT COUNT(*) FROM members", json!([])).await;
    let list = app.admin.get("/macros").await.ok(200);
    let names: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|made| &made["name"])
        .collect();
    assert_eq!(names, ["another", "is_owner"]);
    assert_eq!(
        app.admin.get("/macros?skip=1&limit=1").await.ok(200),
        json!([made])
    );
    let change = json!({"description": "words", "sql_query": "SELECT $1", "parameters": ["x"], "name": null});
    let changed = app.admin.put(&path, &change).await.ok(200);
    assert_eq!(
        (
            &changed["name"],
            &changed["description"],
            &changed["parameters"]
        ),
        (&json!("is_owner"), &json!("words"), &json!(["x"]))
    );
    let refusal = app
        .admin
        .put(&path, &json!({"name": "another"}))
        .await
        .refused(409, "another");
    assert_eq!(refusal["field"], "name");
    app.admin
        .post(
            "/macros",
            &json!({"name": "another", "sql_query": "SELECT 1"}),
        )
        .await
        .refused(409, "another");
    app.admin.delete(&path).await.ok(204);
    app.admin.get(&path).await.refused(404, "");
    app.admin.delete(&path).await.refused(404, "");
    app.admin.put(&path, &json!({})).await.refused(404, "");
    app.admin.get("/macros/x").await.refused(422, "");
    app.admin.get("/macros?limit=0").await.refused(422, "");
}

async fn only_superadmins_change_them_and_everybody_signed_in_reads_them(backend: Backend) {
    let (app, owner, _) = start(backend).await;
    let path = format!(
        "/macros/{}",
        create(&app, "one", "SELECT 1", json!([])).await["id"]
            .as_i64()
            .unwrap()
    );
    assert_eq!(owner.get("/macros").await.ok(200)[0]["name"], "one");
    // Queries name collections: superadmins alone see them.
    assert_eq!(owner.get(&path).await.ok(200)["sql_query"], "");
    assert_eq!(app.admin.get(&path).await.ok(200)["sql_query"], "SELECT 1");
    let body = json!({"name": "two", "sql_query": "SELECT 1"});
    for (caller, status) in [((*owner).clone(), 403), (app.anonymous(), 401)] {
        caller.post("/macros", &body).await.refused(status, "");
        caller.put(&path, &body).await.refused(status, "");
        caller.delete(&path).await.refused(status, "");
        caller
            .post(&format!("{path}/test"), &json!({}))
            .await
            .refused(status, "");
    }
    app.anonymous().get("/macros").await.refused(401, "");
}

async fn nothing_but_a_select_over_collections_is_taken(backend: Backend) {
    let (app, _, _) = start(backend).await;
    for query in [
        "DROP TABLE users",
        "SELECT password_hash FROM users",
        "SELECT 1 FROM col_users",
        "SELECT 1; DROP TABLE users",
        "SELECT 1 FROM members; DELETE FROM members",
        "SELECT 1 FROM members UNION SELECT 2",
        "SELECT (SELECT 1 FROM members)",
        "SELECT user, project FROM members",
        "SELECT * FROM members",
        "SELECT nothing FROM members",
        "SELECT meta FROM members",
        "SELECT user FROM members WHERE nothing = 1",
        "SELECT user FROM members WHERE user = $1",
        "SELECT user FROM members WHERE user = :who",
        "SELECT user FROM members ORDER BY user",
        "SELECT sum(user) FROM members",
        "SELECT max(active) FROM members",
        "SELECT count(*)",
        "SELECT user",
        "SELECT @request.data.user",
        "SELECT load_extension('x')",
        "SELECT 1 -- comment",
        "SELECT \"user\" FROM \"members\"",
        "INSERT INTO members SELECT 1",
        "SELECT",
        "SELECT 1 FROM",
        "SELECT 1 FROM members WHERE",
        "",
    ] {
        let refusal = app
            .admin
            .post("/macros", &json!({"name": "evil", "sql_query": query}))
            .await
            .refused(422, "");
        assert_eq!(
            refusal["detail"][0]["loc"],
            json!(["body", "sql_query"]),
            "{query}: {refusal}"
        );
    }
    for name in [
        "",
        "1a",
        "a b",
        "ä",
        "a.b",
        "@a",
        "request",
        "has_role",
        "is_public",
        &"a".repeat(65),
    ] {
        let body = json!({"name": name, "sql_query": "SELECT 1"});
        let refusal = app.admin.post("/macros", &body).await.refused(422, "");
        assert_eq!(
            refusal["detail"][0]["loc"],
            json!(["body", "name"]),
            "{name}"
        );
    }
    for parameters in [
        json!(["a", "a"]),
        json!(["a b"]),
        json!([""]),
        json!("a"),
        json!([1]),
    ] {
        let body = json!({"name": "evil", "sql_query": "SELECT 1", "parameters": parameters});
        app.admin.post("/macros", &body).await.refused(422, "");
    }
    app.admin
        .post("/macros", &json!({"name": "evil"}))
        .await
        .refused(422, "");
    assert_eq!(app.admin.get("/macros").await.ok(200), json!([]));
}

async fn a_macro_decides_in_every_operation(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    create(
        &app,
        "level",
        "SELECT max(level) FROM members WHERE user = @request.auth.id AND project = $1",
        json!(["p"]),
    )
    .await;
    create(
        &app,
        "joined",
        "select 1 from col_members where NOT (project <> :p OR user != :u) AND active",
        json!(["p", "u"]),
    )
    .await;
    create(
        &app,
        "first_day",
        "SELECT day FROM members WHERE project LIKE :p",
        json!(["p"]),
    )
    .await;
    let rules = json!({
        "list_rule": "@level(key) >= 1",
        "view_rule": "@joined(key, @request.auth.id)",
        "create_rule": "@level(@request.data.key) > n && @joined(key, created_by) = 1",
        "update_rule": "@level(key) = 5 || @request.data.n = @level(key)",
        "delete_rule": "@first_day(key) <= day && @first_day('nothing') IS NULL"
    });
    app.rules("projects", &rules).await;
    let open_record = |key: &str| json!({"key": key, "n": 1, "day": "2025-01-02"});
    owner
        .post("/records/projects", &open_record("a"))
        .await
        .refused(400, "");
    let member =
        json!({"user": owner.id, "project": "a", "level": 2, "active": true, "day": "2025-01-01"});
    owner.create("members", &member).await;
    let id = owner.create_id("projects", &open_record("a")).await;
    let path = format!("/records/projects/{id}");
    owner
        .post("/records/projects", &json!({"key": "a", "n": 2}))
        .await
        .refused(400, "");
    let batch = json!({"records": [open_record("a"), open_record("b")]});
    owner
        .post("/records/projects/batch", &batch)
        .await
        .refused(400, "");
    let batch = json!({"records": [open_record("a"), open_record("a")]});
    owner.post("/records/projects/batch", &batch).await.ok(201);
    assert_eq!(owner.get("/records/projects").await.ok(200)["total"], 3);
    assert_eq!(colleague.get("/records/projects").await.ok(200)["total"], 0);
    owner.get(&path).await.ok(200);
    colleague.get(&path).await.refused(404, "");
    owner.patch(&path, &json!({"n": 3})).await.refused(404, "");
    owner.patch(&path, &json!({"n": 2})).await.ok(200);
    // A new membership counts at once, also for totals.
    let member = json!({"user": colleague.id, "project": "a", "level": 5, "active": null});
    colleague.create("members", &member).await;
    assert_eq!(colleague.get("/records/projects").await.ok(200)["total"], 3);
    colleague.get(&path).await.refused(404, "");
    colleague.patch(&path, &json!({"n": 9})).await.ok(200);
    colleague.delete(&path).await.ok(204);
}

async fn a_macro_reads_the_records_of_the_callers_account_only(backend: Backend) {
    let (app, owner, _) = start(backend).await;
    create(&app, "members", "SELECT count(*) FROM members", json!([])).await;
    app.rules(
        "projects",
        &json!({"list_rule": "@members() > 0", "create_rule": "@members() > 0"}),
    )
    .await;
    let other = app.register().await;
    other
        .create("members", &json!({"user": owner.id, "project": "a"}))
        .await;
    app.admin
        .post(
            "/records/projects",
            &json!({"key": "x", "account_id": owner.account_id}),
        )
        .await
        .ok(201);
    assert_eq!(owner.get("/records/projects").await.ok(200)["total"], 0);
    owner
        .post("/records/projects", &json!({"key": "a"}))
        .await
        .refused(400, "");
    other.create("projects", &json!({"key": "a"})).await;
    owner.create("members", &json!({})).await;
    assert_eq!(owner.get("/records/projects").await.ok(200)["total"], 1);
}

async fn macros_that_rules_use_stay(backend: Backend) {
    let (app, owner, _) = start(backend).await;
    let id = create(
        &app,
        "level",
        "SELECT level FROM members WHERE project = $1",
        json!(["p"]),
    )
    .await["id"]
        .clone();
    let shorter = create(&app, "lev", "SELECT 1", json!([])).await["id"].clone();
    let path = format!("/macros/{id}");
    app.rules("projects", &json!({"list_rule": "@level(key) = 1"}))
        .await;
    app.admin
        .delete(&path)
        .await
        .refused(409, "projects.list_rule");
    app.admin
        .put(&path, &json!({"name": "other"}))
        .await
        .refused(409, "projects.list_rule");
    app.admin
        .put(&path, &json!({"parameters": [], "sql_query": "SELECT 1"}))
        .await
        .refused(409, "projects.list_rule");
    app.admin
        .put(
            &path,
            &json!({"sql_query": "SELECT day FROM members WHERE day = $1"}),
        )
        .await
        .ok(200);
    app.admin
        .delete(&format!("/macros/{shorter}"))
        .await
        .ok(204);
    // A collection that a macro reads stays as well.
    app.admin
        .delete("/collections/members")
        .await
        .refused(409, "@level");
    owner.create("members", &json!({"day": "2025-01-01"})).await;
    app.rules("projects", &json!({"list_rule": ""})).await;
    app.admin.delete(&path).await.ok(204);
    app.admin.delete("/collections/members").await.ok(200);
}

async fn a_macro_is_tried_with_parameters(backend: Backend) {
    let (app, owner, _) = start(backend).await;
    let test = async |query: &str, parameters: Value, account: Value| -> Value {
        let names: Vec<String> = (0..parameters.as_array().unwrap().len())
            .map(|index| format!("p{index}"))
            .collect();
        let made = create(&app, "tried", query, json!(names)).await;
        let path = format!("/macros/{}", made["id"]);
        let body = json!({"parameters": parameters, "account_id": account});
        let result = app.admin.post(&format!("{path}/test"), &body).await.ok(200);
        app.admin.delete(&path).await.ok(204);
        assert_eq!(result["rows_affected"], 0);
        assert!(
            result["execution_time"]
                .as_f64()
                .is_some_and(|time| time >= 0.0)
        );
        result["result"].clone()
    };
    let member = json!({"user": "u", "project": "it's", "level": 2.5, "active": true, "since": "2025-01-01", "day": "2025-01-02"});
    owner.create("members", &member).await;
    owner
        .create(
            "members",
            &json!({"user": "v", "project": "p", "level": 4, "since": "2025-01-03T00:00:00+01:00"}),
        )
        .await;
    let account = json!(owner.account_id);
    for (query, parameters, expected) in [
        ("SELECT 1", json!([]), json!("1")),
        ("SELECT :p0", json!(["it's"]), json!("it's")),
        ("SELECT null", json!([]), Value::Null),
        ("SELECT 1 + 2 * $1", json!([0.25]), json!("1.5")),
        ("SELECT count(*) FROM members", json!([]), json!("2")),
        ("SELECT count(active) FROM members", json!([]), json!("1")),
        ("SELECT sum(level) FROM members", json!([]), json!("6.5")),
        (
            "SELECT avg(level) FROM members WHERE user = 'v'",
            json!([]),
            json!("4"),
        ),
        ("SELECT max(user) FROM members", json!([]), json!("v")),
        (
            "SELECT max(since) FROM members",
            json!([]),
            json!("2025-01-02T23:00:00.000Z"),
        ),
        (
            "SELECT user FROM members WHERE project = $1",
            json!(["it's"]),
            json!("u"),
        ),
        (
            "SELECT user FROM members WHERE level > $1 && active IS NULL",
            json!([3]),
            json!("v"),
        ),
        ("SELECT upper(user) FROM members", json!([]), json!("U")),
        ("SELECT active FROM members", json!([]), json!("true")),
        (
            "SELECT level > 100 FROM members WHERE day = $1",
            json!(["2025-01-02"]),
            json!("false"),
        ),
        (
            "SELECT user FROM members WHERE project = $1",
            json!(["none"]),
            Value::Null,
        ),
        (
            "SELECT user FROM members WHERE project = $1",
            json!([null]),
            Value::Null,
        ),
        (
            "SELECT @request.auth.email",
            json!([]),
            json!(app.admin.email),
        ),
    ] {
        assert_eq!(
            test(query, parameters.clone(), account.clone()).await,
            expected,
            "{query} {parameters}"
        );
    }
    // Without an account, the caller's own records are meant.
    assert_eq!(
        test("SELECT count(*) FROM members", json!([]), Value::Null).await,
        json!("0")
    );
    let made = create(&app, "one", "SELECT $1", json!(["p"])).await;
    let path = format!("/macros/{}/test", made["id"]);
    for body in [
        json!({}),
        json!({"parameters": []}),
        json!({"parameters": ["a", "b"]}),
        json!({"parameters": [[1]]}),
        json!({"parameters": ["a\0b"]}),
        json!({"parameters": "a"}),
        json!({"parameters": ["a"], "account_id": "x"}),
    ] {
        app.admin.post(&path, &body).await.refused(422, "");
    }
    app.admin
        .post("/macros/99/test", &json!({"parameters": []}))
        .await
        .refused(404, "");
}

async fn rules_with_macros_are_checked_when_they_are_saved(backend: Backend) {
    let (app, owner, _) = start(backend).await;
    create(
        &app,
        "level",
        "SELECT level FROM members WHERE project = $1 AND level > $2",
        json!(["p", "n"]),
    )
    .await;
    for (rule, part) in [
        ("@level(key) = 1", "2 arguments"),
        ("@level(key, n, n) = 1", "2 arguments"),
        ("@level(nothing, 1) = 1", "nothing"),
        ("@level(key, j) = 1", "`j`"),
        ("@level(key, @level(key, 1)) ~ 'x'", "~"),
        ("@nothing(1)", "@nothing"),
    ] {
        app.admin
            .put("/collections/projects/rules", &json!({"list_rule": rule}))
            .await
            .refused(400, part);
    }
    for rule in [
        "@level(key, 1) = 1",
        "@level('x', n + 1)",
        "n IN (@level(key, 1), 2)",
        "@level(key, null) IS NULL",
    ] {
        app.rules("projects", &json!({"list_rule": rule, "create_rule": rule}))
            .await;
        assert_eq!(
            owner.get("/records/projects").await.ok(200)["total"],
            0,
            "{rule}"
        );
    }
    let body =
        json!({"rule": "@level(key, 1) = 1", "operation": "list", "collectionFields": ["key"]});
    assert_eq!(
        app.admin.post("/rules/validate", &body).await.ok(200)["valid"],
        true
    );
    owner
        .create("members", &json!({"project": "a", "level": 3}))
        .await;
    for (key, result) in [("a", true), ("b", false)] {
        let context = json!({"auth": {"account_id": owner.account_id}, "record": {"key": key}});
        let body = json!({"rule": "@level(key, 1) = 3", "context": context});
        assert_eq!(
            app.admin.post("/rules/test", &body).await.ok(200)["result"],
            result,
            "{key}"
        );
    }
    // Also when a collection is defined.
    let body = json!({"name": "more", "fields": [{"name": "a", "type": "text"}], "list_rule": "@level(a, 1) > 0"});
    app.admin.post("/collections", &body).await.ok(201);
}

async fn the_macros_that_are_always_there_work(backend: Backend) {
    let (app, owner, colleague) = start(backend).await;
    let own = owner
        .create_id("projects", &json!({"key": colleague.id}))
        .await;
    for (rule, by_owner, by_colleague) in [
        ("@owns_record", 1, 0),
        ("@owns_record()", 1, 0),
        ("@owns_record(key)", 0, 1),
        ("@owns_record('key')", 0, 1),
        ("@owns_record(\"key\")", 0, 1),
        ("@is_creator()", 1, 0),
        ("@has_role('admin')", 1, 0),
        ("@has_role('user')", 0, 1),
        ("@has_group('pii_access')", 1, 0),
        ("!@has_group('pii_access')", 0, 1),
    ] {
        app.rules(
            "projects",
            &json!({"list_rule": rule, "view_rule": rule, "update_rule": rule}),
        )
        .await;
        for (caller, total) in [(&owner, by_owner), (&colleague, by_colleague)] {
            assert_eq!(
                caller.get("/records/projects").await.ok(200)["total"],
                total,
                "{rule}"
            );
            let status = if total == 1 { 200 } else { 404 };
            assert_eq!(
                caller.get(&format!("/records/projects/{own}")).await.status,
                status,
                "{rule}"
            );
            let changed = caller
                .patch(&format!("/records/projects/{own}"), &json!({"n": 1}))
                .await;
            assert_eq!(changed.status, status, "{rule}");
        }
    }
}
