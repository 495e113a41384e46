//! The vectors of the API's contract that only the whole server can show: filters and rules with
//! their outcome, and the codes of accounts. Those of passwords, slugs and masks are next to their
//! code.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    filters_mean_what_was_agreed,
    filters_that_were_agreed_to_be_wrong_are_refused,
    rules_that_are_saved_mean_what_was_agreed,
    rules_that_were_agreed_to_be_wrong_are_not_saved,
    account_codes_go_on_after_the_highest_and_leave_gaps,
];

/// A record for each outcome; `name` says which.
async fn records(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "targets",
        &json!([{"name": "name", "type": "text"}]),
        &open(),
    )
    .await;
    let fields = json!([
        {"name": "name", "type": "text"}, {"name": "n", "type": "number"}, {"name": "t", "type": "text"},
        {"name": "b", "type": "boolean"}, {"name": "j", "type": "json"}, {"name": "f", "type": "file"},
        {"name": "d", "type": "datetime"},
        {"name": "r", "type": "reference", "collection": "targets", "on_delete": "cascade"}
    ]);
    app.collection("vectors", &fields, &open()).await;
    let user = app.register().await;
    let target = user.create_id("targets", &json!({})).await;
    let file = json!({"filename": "a.txt", "size": 1, "mime_type": "text/plain", "path": "a"});
    let records = json!([
        {"name": "one", "n": 1, "t": "a", "b": true, "j": {"a": 1}, "f": file, "r": target, "d": "2025-01-01T00:00:00Z"},
        {"name": "zero", "n": 0, "t": "it's", "b": true},
        {"name": "minus", "n": -6, "t": "c:\\new", "b": false},
        {"name": "five", "n": 5, "t": "a\\b", "b": false},
        {"name": "two", "n": 2, "t": "dq"},
        {"name": "nothing"},
    ]);
    user.post("/records/vectors/batch", &json!({"records": records}))
        .await
        .ok(201);
    (app, user)
}

async fn filters_mean_what_was_agreed(backend: Backend) {
    let (_app, user) = records(backend).await;
    let cases: [(&str, &[&str]); 20] = [
        ("t = 'a' && (n=1||b=true)", &["one"]),
        (
            "n >= 1 || n <= 0 && b = true",
            &["five", "one", "two", "zero"],
        ),
        ("!(n = 1) && b", &["zero"]),
        ("t in ('a')", &["one"]),
        ("t is not null", &["five", "minus", "one", "two", "zero"]),
        ("'a' = t", &["one"]),
        ("n = t", &[]),
        (r"t = 'it\'s'", &["zero"]),
        (r"t = 'c:\new'", &["minus"]),
        (r"t = 'a\\b'", &["five"]),
        (r#"t = "dq""#, &["two"]),
        ("n > -5", &["five", "one", "two", "zero"]),
        ("-n > 1", &["minus"]),
        ("n IN (-1,2)", &["two"]),
        ("n + 1 > 2", &["five", "two"]),
        ("upper(t) = 'A'", &["one"]),
        ("t = null", &["nothing"]),
        ("t != null && n < 0", &["minus"]),
        ("j IS NOT NULL && f IS NOT NULL && r IS NOT NULL", &["one"]),
        ("d = '2025-01-01T01:00:00+01:00'", &["one"]),
    ];
    for (filter, expected) in cases {
        let page = user
            .query("/records/vectors", &[("filter", filter), ("sort", "name")])
            .await
            .ok(200);
        let names: Vec<&str> = page["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, expected, "{filter}");
        assert_eq!(page["total"], expected.len(), "{filter}");
    }
}

async fn filters_that_were_agreed_to_be_wrong_are_refused(backend: Backend) {
    let (_app, user) = records(backend).await;
    for filter in [
        "t == 'a'",
        "t = 'a' and n = 1",
        "NOT b",
        "t LIKE 'x'",
        "n = 1 = 2",
        "(n = 1",
        "n IN ()",
        "n=.5",
        "1.5.2 > n",
        "b > true",
        "j = 'x'",
        "f = 'x'",
        "r > 'a'",
        "d ~ '2025%'",
        "a.b = 1",
        "zzz = 1",
        "@request.auth.id = 'x'",
        "'x'",
        r"t = 'ends with a backslash\'",
    ] {
        let refusal = user
            .query("/records/vectors", &[("filter", filter)])
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid filter expression", "{filter}");
    }
}

const OPERATIONS: [&str; 5] = ["list", "view", "create", "update", "delete"];

async fn save(app: &TestApp, operation: &str, rule: &str) -> crate::harness::Answer {
    app.admin
        .put(
            "/collections/vectors/rules",
            &json!({format!("{operation}_rule"): rule}),
        )
        .await
}

async fn rules_that_are_saved_mean_what_was_agreed(backend: Backend) {
    let (app, user) = records(backend).await;
    // How many of the six records the rule lets their author list.
    for (rule, listed) in [
        ("created_by = @request.auth.id", 6),
        ("@request.auth.id", 6),
        ("true", 6),
        ("1 = 1", 6),
        ("updated_by = 'x'", 0),
        ("n > -1", 4),
        ("n + 1 > 2", 2),
        ("n IN (1, t)", 1),
        ("t IN (@request.auth.id)", 0),
        ("@owns_record()", 6),
        ("@has_role('admin')", 6),
    ] {
        for operation in OPERATIONS {
            save(&app, operation, rule).await.ok(200);
        }
        assert_eq!(
            user.get("/records/vectors").await.ok(200)["total"],
            listed,
            "{rule}"
        );
        // What is created has the number 1, so each of them but two lets it be.
        let created = user
            .post(
                "/records/vectors",
                &json!({"name": "new", "n": 1, "t": "new"}),
            )
            .await;
        let may = listed == 6 || rule == "n > -1" || rule == "n IN (1, t)";
        assert_eq!(
            created.status,
            if may { 201 } else { 400 },
            "{rule}: {}",
            created.text
        );
        if let Some(id) = created.body["id"].as_str() {
            let one = format!("/records/vectors/{id}");
            user.patch(&one, &json!({"b": true})).await.ok(200);
            user.get(&one).await.ok(200);
            user.delete(&one).await.ok(204);
        }
    }
    for operation in ["create", "update"] {
        save(&app, operation, "@request.data.t = 'x'").await.ok(200);
    }
    let id = user.create_id("vectors", &json!({"t": "x"})).await;
    user.patch(
        &format!("/records/vectors/{id}"),
        &json!({"t": "x", "n": 7}),
    )
    .await
    .ok(200);
    user.patch(&format!("/records/vectors/{id}"), &json!({"n": 8}))
        .await
        .refused(404, "");
}

async fn rules_that_were_agreed_to_be_wrong_are_not_saved(backend: Backend) {
    let (app, _user) = records(backend).await;
    for operation in OPERATIONS {
        for rule in [
            "@request.auth.groups = 'x'",
            "@request.headers.x = 1",
            "   ",
        ] {
            let refusal = save(&app, operation, rule).await.refused(400, "");
            let reason = format!("Invalid {operation}_rule: ");
            assert!(
                refusal["detail"]
                    .as_str()
                    .is_some_and(|text| text.starts_with(&reason)),
                "{refusal}"
            );
        }
    }
    for operation in ["list", "view", "delete"] {
        save(&app, operation, "@request.data.t = 'x'")
            .await
            .refused(400, "");
    }
    assert_eq!(
        app.admin.get("/collections/vectors/rules").await.ok(200)["list_rule"],
        ""
    );
}

async fn account_codes_go_on_after_the_highest_and_leave_gaps(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let create = async |name: &str| {
        app.admin
            .post("/accounts", &json!({"name": name}))
            .await
            .ok(201)
    };
    let mut made: Vec<Value> = Vec::new();
    for name in ["First", "Second", "Third"] {
        made.push(create(name).await);
    }
    let codes: Vec<&str> = made
        .iter()
        .map(|account| account["account_code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["AA0001", "AA0002", "AA0003"]);
    app.admin
        .delete(&format!("/accounts/{}", made[1]["id"].as_str().unwrap()))
        .await
        .ok(204);
    assert_eq!(create("Fourth").await["account_code"], "AA0004");
}
