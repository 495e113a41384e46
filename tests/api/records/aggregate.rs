use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    functions_over_all_records_make_one_row,
    nothing_counts_as_nothing,
    groups_have_the_types_of_their_fields,
    filters_and_having_choose,
    times_are_compared_as_instants,
    what_is_asked_wrongly_is_refused_with_the_reason,
    rules_and_accounts_hold,
    hidden_and_masked_fields_are_no_oracle,
    sums_out_of_range_are_refused,
    the_number_of_groups_is_limited,
    computed_fields_are_grouped_and_calculated_with,
    computed_fields_that_are_hidden_or_masked_are_no_oracle,
];

async fn orders(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "status", "type": "text"},
        {"name": "price", "type": "number"},
        {"name": "paid", "type": "boolean"},
        {"name": "at", "type": "datetime"},
        {"name": "day", "type": "date"},
        {"name": "mail", "type": "email"},
        {"name": "extra", "type": "json"},
        {"name": "count", "type": "number"}
    ]);
    app.collection("orders", &fields, &open()).await;
    let user = app.register().await;
    let records = json!({"records": [
        {"status": "new", "price": 1, "paid": true, "at": "2025-01-01T00:00:00Z", "day": "2025-01-05", "mail": "b@x.org"},
        {"status": "new", "price": 2.5, "paid": false, "at": "2025-01-01T01:00:00+01:00", "mail": "a@x.org"},
        {"status": "done", "price": -4, "paid": true, "at": "2025-03-01", "day": "2025-1-4", "extra": {"a": 1}},
        {"status": null, "price": null, "paid": null}
    ]});
    user.post("/records/orders/batch", &records).await.ok(201);
    (app, user)
}

async fn aggregate(user: &User, query: &[(&str, &str)]) -> Value {
    user.query("/records/orders/aggregate", query).await.ok(200)
}

/// Numbers as doubles, so that 3 and 3.0 are the same.
fn plain(value: Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(object) => object
            .into_iter()
            .map(|(key, value)| (key, plain(value)))
            .collect(),
        other => other,
    }
}

#[track_caller]
fn assert_same(found: Value, expected: Value) {
    assert_eq!(plain(found), plain(expected));
}

async fn functions_over_all_records_make_one_row(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let functions = "count(),count(price),SUM(price), avg(price),min(price),max(price),min(mail),max(day),min(status),count(extra),count(id)";
    let answer = aggregate(&user, &[("functions", functions)]).await;
    assert_same(
        answer,
        json!({"results": [{"count": 4, "count_price": 3, "sum_price": -0.5, "avg_price": -0.5 / 3.0, "min_price": -4,
            "max_price": 2.5, "min_mail": "a@x.org", "max_day": "2025-01-05", "min_status": "done", "count_extra": 1,
            "count_id": 4}], "total_groups": 1}),
    );
}

async fn nothing_counts_as_nothing(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let query = [
        ("functions", "count(),sum(price),max(at),avg(price)"),
        ("filter", "price > 1000"),
    ];
    let answer = aggregate(&user, &query).await;
    let expected = json!({"count": 0, "sum_price": null, "max_at": null, "avg_price": null});
    assert_same(answer, json!({"results": [expected], "total_groups": 1}));
    let grouped = aggregate(&user, &[query[0], query[1], ("group_by", "status")]).await;
    assert_same(grouped, json!({"results": [], "total_groups": 0}));
}

async fn groups_have_the_types_of_their_fields(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let answer = aggregate(
        &user,
        &[("functions", "count(),sum(price)"), ("group_by", "status")],
    )
    .await;
    assert_same(
        answer,
        json!({"results": [
            {"count": 1, "sum_price": null, "status": null},
            {"count": 1, "sum_price": -4, "status": "done"},
            {"count": 2, "sum_price": 3.5, "status": "new"}
        ], "total_groups": 3}),
    );
    let answer = aggregate(
        &user,
        &[("functions", "count()"), ("group_by", "paid,status")],
    )
    .await;
    let groups: Vec<Value> = answer["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| json!([row["paid"], row["status"]]))
        .collect();
    assert_eq!(
        groups,
        [
            json!([null, null]),
            json!([false, "new"]),
            json!([true, "done"]),
            json!([true, "new"])
        ]
    );
    let answer = aggregate(
        &user,
        &[
            ("functions", "count()"),
            ("group_by", "account_id,created_by"),
        ],
    )
    .await;
    assert_same(
        answer,
        json!({"results": [{"count": 4, "account_id": user.account_id, "created_by": user.id}], "total_groups": 1}),
    );
    let answer = aggregate(
        &user,
        &[("functions", "count()"), ("group_by", "created_at")],
    )
    .await;
    let listed = user.get("/records/orders?sort=created_at").await.ok(200);
    assert_eq!(
        answer["results"][0]["created_at"],
        listed["items"][0]["created_at"]
    );
}

async fn filters_and_having_choose(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let by_status = ("group_by", "status");
    let cases: &[(&str, &str, &[Value])] = &[
        ("", "count() > 1", &[json!("new")]),
        (
            "",
            "count > 1 || sum(price) < -3.5",
            &[json!("done"), json!("new")],
        ),
        ("", "sum_price >= 3.5 AND count() = 2", &[json!("new")]),
        ("", "min(status) = 'done'", &[json!("done")]),
        ("", "max_at > '2025-02-01T00:00:00Z'", &[json!("done")]),
        ("", "max(day) != \"2025-01-04\"", &[json!("new")]),
        ("paid = true", "count() = 1", &[json!("done"), json!("new")]),
        ("price > 0", "", &[json!("new")]),
        ("", "count() > 100", &[]),
    ];
    let functions = (
        "functions",
        "count(),sum(price),min(status),max(at),max(day)",
    );
    for (filter, having, expected) in cases {
        let answer = aggregate(
            &user,
            &[functions, by_status, ("filter", filter), ("having", having)],
        )
        .await;
        let found: Vec<Value> = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["status"].clone())
            .collect();
        assert_eq!(&found, expected, "{filter} {having}");
        assert_eq!(answer["total_groups"], expected.len(), "{filter} {having}");
    }
    let none = aggregate(&user, &[functions, ("having", "count() > 100")]).await;
    assert_same(none, json!({"results": [], "total_groups": 0}));
}

async fn times_are_compared_as_instants(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let answer = aggregate(&user, &[("functions", "min(at),max(at)")]).await;
    let expected =
        json!({"min_at": "2025-01-01T00:00:00.000Z", "max_at": "2025-03-01T00:00:00.000Z"});
    assert_same(answer, json!({"results": [expected], "total_groups": 1}));
    let answer = aggregate(
        &user,
        &[
            ("functions", "count()"),
            ("group_by", "at"),
            ("filter", "at != null"),
        ],
    )
    .await;
    assert_same(
        answer,
        json!({"results": [
            {"count": 2, "at": "2025-01-01T00:00:00.000Z"},
            {"count": 1, "at": "2025-03-01T00:00:00.000Z"}
        ], "total_groups": 2}),
    );
}

async fn what_is_asked_wrongly_is_refused_with_the_reason(backend: Backend) {
    let (_app, user) = orders(backend).await;
    let path = "/records/orders/aggregate";
    let refusal = user.get(path).await.refused(422, "functions");
    assert_eq!(refusal["detail"][0]["loc"], json!(["query", "functions"]));
    for functions in [
        "",
        "nope(price)",
        "count(*)",
        "sum(status)",
        "avg(paid)",
        "sum(id)",
        "min(created_at)",
        "min(paid)",
        "max(extra)",
        "count(nonsense)",
        "count(),count()",
        "sum",
        "sum(price",
        "sum(price);",
    ] {
        let refusal = user
            .query(path, &[("functions", functions)])
            .await
            .refused(400, "");
        assert_eq!(
            refusal["error"], "Invalid aggregation functions",
            "{functions}"
        );
    }
    for group in ["nonsense", "extra", "account_name", "count"] {
        let refusal = user
            .query(path, &[("functions", "count()"), ("group_by", group)])
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid group_by", "{group}");
    }
    for having in [
        "sum(price) > 1",
        "count() >",
        "count() > 'x'",
        "price > 1",
        "count() = 1 #",
    ] {
        let refusal = user
            .query(path, &[("functions", "count()"), ("having", having)])
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid having expression", "{having}");
    }
    let refusal = user
        .query(path, &[("functions", "count()"), ("filter", "nonsense")])
        .await
        .refused(400, "");
    assert_eq!(refusal["error"], "Invalid filter expression");
    let refusal = user
        .query(path, &[("functions", "count()"), ("limit", "5")])
        .await
        .refused(400, "limit");
    assert_eq!(refusal["error"], "Unsupported query parameter");
    user.get("/records/nonsense/aggregate?functions=count()")
        .await
        .refused(404, "nonsense");
}

async fn rules_and_accounts_hold(backend: Backend) {
    let (app, user) = orders(backend).await;
    let path = "/records/orders/aggregate?functions=count()&group_by=status";
    let stranger = app.register().await;
    assert_eq!(stranger.get(path).await.ok(200)["total_groups"], 0);
    stranger
        .create("orders", &json!({"status": "theirs"}))
        .await;
    assert_eq!(user.get(path).await.ok(200)["total_groups"], 3);
    assert_eq!(app.admin.get(path).await.ok(200)["total_groups"], 4);
    app.anonymous().get(path).await.refused(400, "X-Account-ID");
    assert_eq!(
        app.visitor_of(&stranger).get(path).await.ok(200)["results"][0]["status"],
        "theirs"
    );
    app.rules(
        "orders",
        &json!({"list_rule": "paid = true && @request.auth.id != ''"}),
    )
    .await;
    assert_same(
        user.get(path).await.ok(200)["results"].clone(),
        json!([{"count": 1, "status": "done"}, {"count": 1, "status": "new"}]),
    );
    app.visitor_of(&user).get(path).await.refused(401, "");
    app.rules("orders", &json!({"list_rule": null})).await;
    user.get(path).await.refused(403, "locked");
}

async fn hidden_and_masked_fields_are_no_oracle(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "ssn", "type": "text", "pii": true, "mask_type": "ssn"},
        {"name": "salary", "type": "number"},
        {"name": "name", "type": "text"}
    ]);
    app.collection("staff", &fields, &open()).await;
    app.rules("staff", &json!({"list_fields": ["ssn", "name"]}))
        .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    user.create(
        "staff",
        &json!({"ssn": "123-45-6789", "salary": 5, "name": "Ann"}),
    )
    .await;
    let path = "/records/staff/aggregate";
    for (functions, group) in [
        ("sum(salary)", ""),
        ("count(salary)", ""),
        ("count()", "salary"),
        ("count()", "name,salary"),
    ] {
        user.query(path, &[("functions", functions), ("group_by", group)])
            .await
            .refused(400, "salary");
        app.admin
            .query(path, &[("functions", functions), ("group_by", group)])
            .await
            .ok(200);
    }
    user.query(path, &[("functions", "count()"), ("filter", "salary > 1")])
        .await
        .refused(400, "salary");
    for (functions, group) in [("min(ssn)", ""), ("count(ssn)", ""), ("count()", "ssn")] {
        for caller in [(*colleague).clone(), app.visitor_of(&user)] {
            caller
                .query(path, &[("functions", functions), ("group_by", group)])
                .await
                .refused(400, "ssn");
        }
        user.query(path, &[("functions", functions), ("group_by", group)])
            .await
            .ok(200);
    }
}

async fn sums_out_of_range_are_refused(backend: Backend) {
    let (_app, user) = orders(backend).await;
    for _ in 0..2 {
        user.create("orders", &json!({"price": 1.7e308})).await;
    }
    let refusal = user
        .get("/records/orders/aggregate?functions=sum(price)")
        .await
        .refused(400, "too large");
    assert_eq!(refusal["error"], "Invalid aggregation functions");
    let largest = user
        .get("/records/orders/aggregate?functions=max(price)")
        .await
        .ok(200);
    assert!(largest["results"][0]["max_price"].as_f64().unwrap() > 1.6e308);
    // Whole numbers do not overflow on the way.
    let answer = user
        .query(
            "/records/orders/aggregate",
            &[("functions", "sum(price)"), ("filter", "price < 100")],
        )
        .await;
    assert_same(
        answer.ok(200)["results"].clone(),
        json!([{"sum_price": -0.5}]),
    );
    for _ in 0..3 {
        user.create("orders", &json!({"count": 9_000_000_000_000_000_000_i64}))
            .await;
    }
    let answer = user
        .get("/records/orders/aggregate?functions=sum(count)")
        .await
        .ok(200);
    assert_same(answer["results"].clone(), json!([{"sum_count": 2.7e19}]));
}

async fn the_number_of_groups_is_limited(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.limits.batch_max_size = 500).await;
    app.collection("many", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    for batch in 0..20 {
        let records: Vec<Value> = (0..500).map(|n| json!({"n": batch * 500 + n})).collect();
        user.post("/records/many/batch", &json!({"records": records}))
            .await
            .ok(201);
    }
    let path = "/records/many/aggregate?functions=count()&group_by=n";
    assert_eq!(user.get(path).await.ok(200)["total_groups"], 10_000);
    user.create("many", &json!({"n": -1})).await;
    user.get(path).await.refused(400, "10000 groups");
    let filtered = [
        ("functions", "count()"),
        ("group_by", "n"),
        ("filter", "n < 0"),
    ];
    assert_eq!(
        user.query("/records/many/aggregate", &filtered)
            .await
            .ok(200)["total_groups"],
        1
    );
}

async fn computed_fields_are_grouped_and_calculated_with(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let computed = |name, expression, kind| json!({"name": name, "type": "computed", "expression": expression, "return_type": kind});
    let fields = json!([
        {"name": "title", "type": "text", "searchable": true},
        {"name": "price", "type": "number"},
        {"name": "quantity", "type": "number"},
        {"name": "due", "type": "datetime"},
        computed("total", "round(price * quantity, 2)", "number"),
        computed("label", "upper(title)", "text"),
        computed("large", "price * quantity >= 6", "boolean"),
        computed("reminder", "date_add(due, -1, 'days')", "datetime")
    ]);
    app.collection("lines", &fields, &open()).await;
    let user = app.register().await;
    let records = json!({"records": [
        {"title": "tea", "price": 1.5, "quantity": 4, "due": "2025-01-02T01:00:00+01:00"},
        {"title": "Tea", "price": 3, "quantity": 2, "due": "2025-01-02"},
        {"title": "milk", "price": 0.5, "quantity": 1},
        {"title": null, "price": 7, "quantity": null}
    ]});
    user.post("/records/lines/batch", &records).await.ok(201);
    let ask =
        async |query: &[(&str, &str)]| user.query("/records/lines/aggregate", query).await.ok(200);
    let functions = "sum(total),avg(total),min(total),max(total),count(total),min(label),max(reminder),count(large)";
    assert_same(
        ask(&[("functions", functions)]).await["results"].clone(),
        json!([{"sum_total": 12.5, "avg_total": 12.5 / 3.0, "min_total": 0.5, "max_total": 6, "count_total": 3,
            "min_label": "MILK", "max_reminder": "2025-01-01T00:00:00.000Z", "count_large": 3}]),
    );
    for (group, expected) in [
        ("label", json!([[null, 1], ["MILK", 1], ["TEA", 2]])),
        ("total", json!([[null, 1], [0.5, 1], [6, 2]])),
        ("large", json!([[null, 1], [false, 1], [true, 2]])),
        (
            "reminder",
            json!([[null, 2], ["2025-01-01T00:00:00.000Z", 2]]),
        ),
    ] {
        let answer = ask(&[("functions", "count()"), ("group_by", group)]).await;
        let rows = answer["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| json!([row[group], row["count"]]));
        assert_same(rows.collect(), expected);
    }
    // Whole numbers are shown whole, as stored ones are.
    let answer = ask(&[
        ("functions", "max(total)"),
        ("group_by", "total"),
        ("filter", "large"),
    ])
    .await;
    assert_eq!(
        (
            answer["results"][0]["total"].to_string(),
            &answer["total_groups"]
        ),
        ("6".into(), &json!(1))
    );
    assert_eq!(answer["results"][0]["max_total"].to_string(), "6");
    let chosen = ask(&[
        ("functions", "count(),sum(total),max(reminder)"),
        ("group_by", "label,large"),
        ("filter", "total > 0.5 && reminder < due"),
        ("having", "sum(total) = 12 and max(reminder) > '2024-12-31'"),
        ("search", "te"),
    ]);
    assert_same(
        chosen.await["results"].clone(),
        json!([{"label": "TEA", "large": true, "count": 2, "sum_total": 12, "max_reminder": "2025-01-01T00:00:00.000Z"}]),
    );
    let listed = user
        .query(
            "/records/lines",
            &[("search", "te"), ("filter", "label = 'TEA' && total = 6")],
        )
        .await;
    assert_eq!(listed.ok(200)["total"], 2);
    for functions in ["sum(label)", "avg(large)", "min(large)", "sum(reminder)"] {
        let refusal = user
            .query("/records/lines/aggregate", &[("functions", functions)])
            .await
            .refused(400, "");
        assert_eq!(
            refusal["error"], "Invalid aggregation functions",
            "{functions}"
        );
    }
}

async fn computed_fields_that_are_hidden_or_masked_are_no_oracle(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "ssn", "type": "text", "pii": true, "mask_type": "ssn"},
        {"name": "salary", "type": "number"},
        {"name": "copy", "type": "computed", "expression": "concat(ssn, '')", "return_type": "text"},
        {"name": "double", "type": "computed", "expression": "salary * 2", "return_type": "number"}
    ]);
    app.collection("staff", &fields, &open()).await;
    app.rules("staff", &json!({"list_fields": ["ssn", "copy"]}))
        .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    user.create("staff", &json!({"ssn": "123-45-6789", "salary": 5}))
        .await;
    let path = "/records/staff/aggregate";
    for (functions, group, field) in [
        ("min(copy)", "", "copy"),
        ("count()", "copy", "copy"),
        ("sum(double)", "", "double"),
        ("count()", "double", "double"),
    ] {
        colleague
            .query(path, &[("functions", functions), ("group_by", group)])
            .await
            .refused(400, field);
        app.admin
            .query(path, &[("functions", functions), ("group_by", group)])
            .await
            .ok(200);
    }
    colleague
        .query(path, &[("functions", "count()"), ("filter", "copy ~ '1%'")])
        .await
        .refused(400, "copy");
}
