//! What rules see of what is sent: the values that will be stored, and whether they were sent at
//! all.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    rules_judge_the_value_that_is_stored_however_it_is_spelled,
    a_null_that_is_sent_is_not_nothing,
    put_keeps_what_the_caller_may_not_write,
    what_put_fills_in_counts_as_sent,
    whether_it_was_sent_and_whether_it_changes_can_be_asked,
    what_comes_back_masked_or_encrypted_has_not_changed,
    hooks_and_batches_are_judged_by_what_is_stored,
    ids_in_capitals_are_the_same_ids,
];

/// A collection `things` with one rule for creating and updating.
async fn things(backend: Backend, fields: &Value, rule: &str) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    define(&app, "things", fields, rule).await;
    let user = app.register().await;
    (app, user)
}

async fn define(app: &TestApp, name: &str, fields: &Value, rule: &str) {
    let mut rules = open();
    (rules["create_rule"], rules["update_rule"]) = (json!(rule), json!(rule));
    app.collection(name, fields, &rules).await;
}

async fn rules_judge_the_value_that_is_stored_however_it_is_spelled(backend: Backend) {
    let fields = json!([
        {"name": "day", "type": "date"}, {"name": "at", "type": "datetime"}, {"name": "f", "type": "file"},
        {"name": "n", "type": "number"}
    ]);
    let rule = "(@request.data.day IS NULL || @request.data.day <= '2026-12-31') \
                && (@request.data.at IS NULL || @request.data.at < '2027-01-01') \
                && (@request.data.f.size IS NULL || @request.data.f.size <= 1000) \
                && (@request.data.n IS NULL || @request.data.n <= 10)";
    let (_app, user) = things(backend, &fields, rule).await;
    let path = format!(
        "/records/things/{}",
        user.create_id("things", &json!({})).await
    );
    let file = |size: i64| json!({"filename": "a", "size": size, "mime_type": "a/b", "path": "p"});
    let late = |year: i32| {
        let days = [
            format!("{year}-01-01"),
            format!("{year}-1-1"),
            format!("{year}-01-1"),
        ]
        .map(|day| json!({"day": day}));
        let spelled = [
            "",
            "T00",
            " 00:00",
            "T00:00:00Z",
            "t00:00:00z",
            "T00:00:00+0000",
            "T00:00:00+00",
            "T00:00:00.0+14:59",
        ];
        let times = spelled.map(|rest| json!({"at": format!("{year}-01-01{rest}")}));
        let basic =
            ["", "T000000Z", "T0000", "T00"].map(|rest| json!({"at": format!("{year}0101{rest}")}));
        let files = [
            file(i64::from(year)),
            json!(file(i64::from(year)).to_string()),
        ]
        .map(|f| json!({"f": f}));
        let numbers = [json!({"n": year - 2015})];
        [&days[..], &times[..], &basic[..], &files[..], &numbers[..]].concat()
    };
    for body in late(2030) {
        user.post("/records/things", &body)
            .await
            .refused(400, "satisfy collection rules");
        user.patch(&path, &body).await.refused(404, "");
        user.put(&path, &body).await.refused(404, "");
    }
    for body in late(999 + 1).into_iter().chain(
        late(2020)
            .into_iter()
            .filter(|body| body.get("f").is_none()),
    ) {
        user.create("things", &body).await;
        user.patch(&path, &body).await.ok(200);
    }
}

async fn a_null_that_is_sent_is_not_nothing(backend: Backend) {
    let fields = json!([
        {"name": "title", "type": "text"}, {"name": "approved", "type": "boolean"}, {"name": "credits", "type": "number"},
        {"name": "role", "type": "text"}, {"name": "doc", "type": "json"}, {"name": "at", "type": "datetime"}
    ]);
    let guarded = ["approved", "credits", "role", "doc", "at"];
    let rule = guarded
        .map(|field| format!("@request.data.{field} IS NULL"))
        .join(" && ");
    let (app, user) = things(backend, &fields, &rule).await;
    let id = user.create_id("things", &json!({"title": "x"})).await;
    let path = format!("/records/things/{id}");
    let stored =
        json!({"approved": false, "credits": 3, "role": "r", "doc": {"a": 1}, "at": "2026-01-01"});
    app.admin.patch(&path, &stored).await.ok(200);
    user.patch(&path, &json!({"title": "y"})).await.ok(200);
    for field in guarded {
        for value in [&Value::Null, &stored[field]] {
            user.patch(&path, &json!({"title": "z", field: value}))
                .await
                .refused(404, "");
            user.put(&path, &json!({"title": "z", field: value}))
                .await
                .refused(404, "");
            user.post("/records/things", &json!({field: value}))
                .await
                .refused(400, "satisfy collection rules");
        }
    }
    let now = user.get(&path).await.ok(200);
    assert_eq!(
        (&now["title"], &now["doc"]),
        (&json!("y"), &json!({"a": 1}))
    );
    // Nor is it a value that was asked for.
    for rule in [
        "@request.data.role IS NOT NULL",
        "@request.data.role != null",
        "!(@request.data.role = null)",
    ] {
        app.rules("things", &json!({"update_rule": rule})).await;
        user.patch(&path, &json!({"role": null}))
            .await
            .refused(404, "");
        user.patch(&path, &json!({"title": "y"}))
            .await
            .refused(404, "");
        user.patch(&path, &json!({"role": "s"})).await.ok(200);
    }
    app.rules(
        "things",
        &json!({"update_rule": "(@request.data.role = 'admin') IS NULL || @request.data.role != 'admin'"}),
    )
    .await;
    user.patch(&path, &json!({"role": null})).await.ok(200);
    user.patch(&path, &json!({"role": "admin"}))
        .await
        .refused(404, "");
}

async fn put_keeps_what_the_caller_may_not_write(backend: Backend) {
    let fields = json!([
        {"name": "title", "type": "text", "default": "untitled"},
        {"name": "status", "type": "text", "default": "active"},
        {"name": "credits", "type": "number", "default": 10},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "phone", "default": "none"},
        {"name": "code", "type": "text", "required": true},
        {"name": "pin", "type": "text", "encrypted": true, "required": true},
        {"name": "note", "type": "text"}
    ]);
    let (app, user) = things(backend, &fields, "@request.auth.id != null").await;
    let body = json!({"code": "c", "pin": "p", "account_id": user.account_id});
    let id = app.admin.create_id("things", &body).await;
    let path = format!("/records/things/{id}");
    app.rules("things", &json!({"update_fields": ["title", "note"]}))
        .await;
    let set = json!({"status": "banned", "credits": 0, "phone": "+1 555 0100", "note": "n"});
    app.admin.patch(&path, &set).await.ok(200);
    let colleague = app.colleague_of(&user).await;
    for caller in [&user, &colleague] {
        caller.put(&path, &json!({"note": "m"})).await.ok(200);
        let now = app.admin.get(&path).await.ok(200);
        // What may be written gets its default.
        assert_eq!(
            (&now["title"], &now["note"]),
            (&json!("untitled"), &json!("m"))
        );
        for field in ["status", "credits", "phone"] {
            assert_eq!(
                now[field].to_string().trim_end_matches(".0"),
                set[field].to_string(),
                "{field}"
            );
        }
        assert_eq!(now["code"], "c");
        for field in ["status", "phone", "pin"] {
            caller
                .put(&path, &json!({"title": "t", field: "x"}))
                .await
                .refused(422, field);
        }
    }
    // For those who may write everything, PUT means everything.
    app.admin
        .put(&path, &json!({"code": "d"}))
        .await
        .problems(&[("pin", "required_missing")]);
    let now = app
        .admin
        .put(&path, &json!({"code": "d", "pin": "q"}))
        .await
        .ok(200);
    assert_eq!(
        (&now["status"], &now["phone"], &now["note"]),
        (&json!("active"), &json!("none"), &json!("m"))
    );
}

async fn what_put_fills_in_counts_as_sent(backend: Backend) {
    let fields = json!([{"name": "note", "type": "text"}, {"name": "status", "type": "text", "default": "active"}]);
    let (app, user) = things(backend, &fields, "@request.data.status IS NULL").await;
    // The default of a new record is not sent.
    let created = user.create("things", &json!({"note": "x"})).await;
    assert_eq!(created["status"], "active");
    let path = format!("/records/things/{}", created["id"].as_str().unwrap());
    app.admin
        .patch(&path, &json!({"status": "frozen"}))
        .await
        .ok(200);
    for (rule, answer) in [
        ("@request.data.status IS NULL", 404),
        ("!@request.data.status:isset", 404),
        ("!@request.data.status:changed", 404),
        ("@request.data.status != 'active'", 404),
        (
            "@request.data.note:changed && !@request.data.status:isset",
            404,
        ),
        (
            "@request.data.status = 'active' && @request.data.status:changed && @request.data.status:isset",
            200,
        ),
        // It is the default already.
        ("!@request.data.status:changed", 200),
    ] {
        app.rules("things", &json!({"update_rule": rule})).await;
        let put = user.put(&path, &json!({"note": "y"})).await;
        assert_eq!(put.status, answer, "{rule}: {}", put.text);
    }
}

async fn whether_it_was_sent_and_whether_it_changes_can_be_asked(backend: Backend) {
    let fields = json!([
        {"name": "text", "type": "text"}, {"name": "number", "type": "number"}, {"name": "flag", "type": "boolean"},
        {"name": "at", "type": "datetime"}, {"name": "day", "type": "date"}, {"name": "doc", "type": "json"},
        {"name": "file", "type": "file"}, {"name": "mail", "type": "email"}, {"name": "link", "type": "url"},
        {"name": "other", "type": "reference", "collection": "things", "on_delete": "set_null"}
    ]);
    let (app, user) = things(backend, &fields, "").await;
    let first = user.create_id("things", &json!({})).await;
    let file = |size: i64| json!({"size": size, "filename": "a", "mime_type": "a/b", "path": "p"});
    let doc = json!({"b": [1, null, {"c": 2.5}], "a": "x", "z": {}});
    // Stored, the same in other words, and something else.
    let cases = [
        ("text", json!("a"), json!("a"), json!("A")),
        ("number", json!(1), json!(1.0), json!(1.5)),
        ("flag", json!(false), json!(false), json!(true)),
        (
            "at",
            json!("2026-05-01T10:00:00Z"),
            json!("20260501T120000+0200"),
            json!("2026-05-01T10:00:00.001Z"),
        ),
        (
            "day",
            json!("2026-05-01"),
            json!("2026-5-1"),
            json!("2026-05-02"),
        ),
        (
            "doc",
            doc.clone(),
            json!({"z": {}, "a": "x", "b": [1.0, null, {"c": 2.5}]}),
            json!({"b": [1, null, {"c": 2.5}], "a": "x"}),
        ),
        ("file", file(1), json!(file(1).to_string()), file(2)),
        (
            "mail",
            json!("a@example.com"),
            json!("a@example.com"),
            json!("b@example.com"),
        ),
        (
            "link",
            json!("https://a.example"),
            json!("https://a.example"),
            json!("https://b.example"),
        ),
        (
            "other",
            json!(first),
            json!(first.to_uppercase()),
            Value::Null,
        ),
    ];
    let stored: Value = cases
        .iter()
        .map(|(field, value, ..)| ((*field).to_owned(), value.clone()))
        .collect::<serde_json::Map<_, _>>()
        .into();
    for (field, value, same, different) in &cases {
        let path = format!(
            "/records/things/{}",
            user.create_id("things", &stored).await
        );
        let ask = async |rule: String, body: Value| {
            app.rules("things", &json!({"update_rule": rule})).await;
            user.patch(&path, &body).await.status == 200
        };
        for (body, is_set, is_changed) in [
            (json!({}), false, false),
            (json!({*field: value}), true, false),
            (json!({*field: same}), true, false),
            (json!({*field: null}), true, true),
            (json!({*field: null}), true, false),
            (json!({*field: value}), true, true),
            (json!({*field: different}), true, true),
        ] {
            let case = format!("{field}: {body}");
            assert!(
                !ask(format!("@request.data.{field}:isset"), json!({})).await,
                "{case}"
            );
            // Those that ask come first: what is let through is stored.
            assert!(
                !ask(
                    format!("@request.data.{field}:isset != {is_set}"),
                    body.clone()
                )
                .await,
                "isset of {case}"
            );
            assert!(
                !ask(
                    format!("@request.data.{field}:changed = {}", !is_changed),
                    body.clone()
                )
                .await,
                "changed of {case}"
            );
            let both = format!(
                "(@request.data.{field}:isset = {is_set}) && @request.data.{field}:changed = {is_changed}"
            );
            assert!(ask(both, body).await, "{case}");
        }
    }
    // A new record has had nothing; a default is not sent.
    for (field, value, ..) in &cases {
        for (rule, body, status) in [
            (
                format!("@request.data.{field}:isset && @request.data.{field}:changed"),
                json!({*field: value}),
                201,
            ),
            (
                format!("@request.data.{field}:isset || @request.data.{field}:changed"),
                json!({}),
                400,
            ),
            (
                format!("@request.data.{field}:isset && !@request.data.{field}:changed"),
                json!({*field: null}),
                201,
            ),
        ] {
            app.rules("things", &json!({"create_rule": rule})).await;
            assert_eq!(
                user.post("/records/things", &body).await.status,
                status,
                "{rule}: {body}"
            );
        }
    }
    // Parts of documents.
    app.rules("things", &json!({"create_rule": ""})).await;
    let path = format!(
        "/records/things/{}",
        user.create_id("things", &json!({})).await
    );
    app.admin
        .patch(&path, &json!({"doc": {"owner": {"id": 1}, "n": 1}}))
        .await
        .ok(200);
    app.rules("things", &json!({"update_rule": "!@request.data.doc.owner:changed && (@request.data.doc:isset = @request.data.doc.n:isset)"})).await;
    user.patch(&path, &json!({"doc": {"n": 2, "owner": {"id": 1.0}}}))
        .await
        .ok(200);
    user.patch(&path, &json!({"text": "t"})).await.ok(200);
    for doc in [
        json!({"n": 1}),
        json!({"n": 1, "owner": null}),
        json!({"n": 1, "owner": {"id": 2}}),
        json!({"owner": {"id": 1}}),
        json!(null),
    ] {
        user.patch(&path, &json!({"doc": doc}))
            .await
            .refused(404, "");
    }
    app.admin
        .put(
            "/collections/things/rules",
            &json!({"update_rule": "text:changed"}),
        )
        .await
        .refused(400, "position 0");
    app.admin
        .put(
            "/collections/things/rules",
            &json!({"list_rule": "@request.data.text:isset"}),
        )
        .await
        .refused(400, "created or updated");
    user.query("/records/things", &[("filter", "@request.data.text:isset")])
        .await
        .refused(400, "filter");
}

async fn what_comes_back_masked_or_encrypted_has_not_changed(backend: Backend) {
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "phone"},
        {"name": "pin", "type": "text", "encrypted": true},
        {"name": "secret", "type": "json", "encrypted": true}
    ]);
    let rule = "!@request.data.phone:changed && !@request.data.pin:changed && !@request.data.secret:changed";
    let (app, user) = things(backend, &fields, "").await;
    let colleague = app.colleague_of(&user).await;
    let id = user
        .create_id(
            "things",
            &json!({"title": "t", "phone": "+1 555 123 4567", "pin": "1234"}),
        )
        .await;
    app.rules("things", &json!({"update_rule": rule})).await;
    let path = format!("/records/things/{id}");
    for caller in [&user, &colleague] {
        let seen = caller.get(&path).await.ok(200);
        let body = json!({"title": "u", "phone": seen["phone"], "pin": seen["pin"]});
        assert_eq!(body["pin"], "••••••••");
        caller.patch(&path, &body).await.ok(200);
        caller.put(&path, &body).await.ok(200);
        caller.put(&path, &json!({"title": "v"})).await.ok(200);
        // There is no secret yet, so there is none to be taken away.
        caller.patch(&path, &json!({"secret": null})).await.ok(200);
        for (field, value) in [
            ("phone", json!("+1 555 123 4568")),
            ("phone", json!(null)),
            ("pin", json!("1234")),
            ("pin", json!(null)),
            ("secret", json!({"a": 1})),
            ("secret", json!([])),
        ] {
            caller
                .patch(&path, &json!({field: value}))
                .await
                .refused(404, "");
        }
    }
    app.rules(
        "things",
        &json!({"update_rule": "@request.data.pin:isset && @request.data.phone = phone"}),
    )
    .await;
    let seen = colleague.get(&path).await.ok(200);
    colleague
        .patch(&path, &json!({"pin": seen["pin"], "phone": seen["phone"]}))
        .await
        .ok(200);
    colleague
        .patch(&path, &json!({"phone": seen["phone"]}))
        .await
        .refused(404, "");
}

async fn hooks_and_batches_are_judged_by_what_is_stored(backend: Backend) {
    let app = TestApp::spawn_hooked(
        backend,
        |_| {},
        |hooks| {
            hooks.on_record_before_update(async |mut event| {
                if event.data.get("note").is_some_and(|note| note == "late") {
                    event.data.insert("day".into(), json!("2030-1-1"));
                }
                Ok(event)
            })
        },
    )
    .await;
    let fields = json!([{"name": "note", "type": "text"}, {"name": "day", "type": "date"}]);
    define(
        &app,
        "things",
        &fields,
        "@request.data.day IS NULL || @request.data.day <= '2026-12-31'",
    )
    .await;
    let user = app.register().await;
    let id = user.create_id("things", &json!({})).await;
    let path = format!("/records/things/{id}");
    user.patch(&path, &json!({"note": "soon"})).await.ok(200);
    user.patch(&path, &json!({"note": "late"}))
        .await
        .refused(404, "");
    let batch = |data: Value| json!({"records": [{"id": id, "data": {"note": "x"}}, {"id": id, "data": data}]});
    user.patch("/records/things/batch", &batch(json!({"note": "late"})))
        .await
        .refused(404, &id);
    user.patch("/records/things/batch", &batch(json!({"day": "2030-1-1"})))
        .await
        .refused(404, &id);
    user.patch("/records/things/batch", &batch(json!({"day": null})))
        .await
        .refused(404, &id);
    user.patch("/records/things/batch", &batch(json!({"day": "2026-1-1"})))
        .await
        .ok(200);
    let created = json!({"records": [{"day": "2026-1-1"}, {"day": "2030-1-1"}]});
    assert_eq!(
        user.post("/records/things/batch", &created)
            .await
            .refused(400, "")["index"],
        1
    );
}

async fn ids_in_capitals_are_the_same_ids(backend: Backend) {
    let fields = json!([
        {"name": "parent", "type": "reference", "collection": "things", "on_delete": "restrict"},
        {"name": "text", "type": "text"}
    ]);
    let (app, user) = things(backend, &fields, "").await;
    let parent = user.create_id("things", &json!({})).await;
    let (capitals, bare) = (parent.to_uppercase(), parent.replace('-', ""));
    let child = user
        .create("things", &json!({"parent": capitals, "text": capitals}))
        .await;
    // An id is stored in one form; a text stays as it is.
    assert_eq!(
        (&child["parent"], &child["text"]),
        (&json!(parent), &json!(capitals))
    );
    let path = format!("/records/things/{}", child["id"].as_str().unwrap());
    assert_eq!(
        user.patch(&path, &json!({"parent": bare})).await.ok(200)["parent"],
        json!(parent)
    );
    let (caller, account) = (user.id.to_uppercase(), user.account_id.to_uppercase());
    for (filter, found) in [
        (format!("parent = '{capitals}'"), 1),
        (format!("'{bare}' = parent"), 1),
        (format!("parent != '{capitals}'"), 0),
        (format!("id = '{capitals}'"), 1),
        (
            format!("id IN ('x', '{capitals}') || parent IN ('{capitals}')"),
            2,
        ),
        (
            format!(
                "created_by = '{caller}' && account_id = '{account}' && updated_by = '{caller}'"
            ),
            2,
        ),
        (format!("text = '{parent}'"), 0),
        (format!("text = '{capitals}'"), 1),
    ] {
        let list = user
            .query("/records/things", &[("filter", &filter)])
            .await
            .ok(200);
        assert_eq!(list["total"], found, "{filter}");
    }
    for rule in [
        format!("@request.auth.id = '{caller}'"),
        format!("@request.data.parent = '{capitals}' && parent = '{capitals}'"),
        format!("@request.data.parent IN ('{capitals}') && !@request.data.parent:changed"),
        "@children(parent) = 1".to_owned(),
        format!("@children('{capitals}') = 1"),
    ] {
        if rule.starts_with("@children") && !rule.contains('\'') {
            let query = "SELECT COUNT(*) FROM things WHERE parent = :parent";
            let body = json!({"name": "children", "parameters": ["parent"], "sql_query": query});
            app.admin.post("/macros", &body).await.ok(201);
        }
        app.rules("things", &json!({"update_rule": rule})).await;
        let patched = user.patch(&path, &json!({"parent": capitals})).await;
        assert_eq!(patched.status, 200, "{rule}: {}", patched.text);
    }
}
