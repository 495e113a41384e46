use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws, open};

crate::both![
    values_are_computed_in_every_answer,
    filters_and_orders_take_them,
    events_carry_them,
    rules_may_use_them,
    what_is_sent_for_them_is_ignored,
    expressions_change_and_fields_come_later,
    what_cannot_be_computed_is_refused_with_its_place,
    what_is_made_of_personal_data_is_masked,
    texts_of_any_kind_may_stand_in_them,
];

fn fields() -> Value {
    json!([
        {"name": "first", "type": "text"},
        {"name": "last", "type": "text"},
        {"name": "price", "type": "number"},
        {"name": "count", "type": "number"},
        {"name": "due", "type": "datetime"},
        {"name": "full", "type": "computed", "expression": "concat(first, ' ', last)", "return_type": "text"},
        {"name": "total", "type": "Computed", "expression": "round(price * count, 2)", "return_type": "NUMBER"},
        {"name": "late", "type": "computed", "expression": "due < '2025-01-01' || due IS NULL", "return_type": "boolean"},
        {"name": "reminder", "type": "computed", "expression": "date_add(due, -1, 'days')", "return_type": "datetime"},
        {"name": "age", "type": "computed", "expression": "date_diff(now(), due, 'days') > 1", "return_type": "boolean"}
    ])
}

fn one() -> Value {
    json!({"first": "Ada", "last": "Lovelace", "price": 1.1, "count": 3, "due": "2024-03-01T12:00:00+01:00"})
}

async fn start(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("orders", &fields(), &open()).await;
    let user = app.register().await;
    (app, user)
}

#[track_caller]
fn assert_computed(record: &Value) {
    let expected = json!({"full": "Ada Lovelace", "total": 3.3, "late": true, "reminder": "2024-02-29T11:00:00.000Z",
        "age": true});
    for (key, value) in expected.as_object().unwrap() {
        assert_eq!(&record[key], value, "{record}");
    }
}

async fn values_are_computed_in_every_answer(backend: Backend) {
    let (app, user) = start(backend).await;
    let definition = app.admin.get("/collections/orders").await.ok(200);
    let total = &definition["schema"][6];
    assert_eq!(
        (&total["type"], &total["return_type"]),
        (&json!("computed"), &json!("number"))
    );
    assert_eq!(total["expression"], "round(price * count, 2)");
    // What was read can be written back.
    app.admin
        .put(
            "/collections/orders",
            &json!({"schema": definition["schema"]}),
        )
        .await
        .ok(200);
    let created = user.create("orders", &one()).await;
    assert_computed(&created);
    let path = format!("/records/orders/{}", created["id"].as_str().unwrap());
    assert_eq!(user.get(&path).await.ok(200), created);
    assert_computed(&user.get("/records/orders").await.ok(200)["items"][0]);
    let batch = user
        .post("/records/orders/batch", &json!({"records": [one(), one()]}))
        .await
        .ok(201);
    assert_computed(&batch["created"][1]);
    let changed = user
        .patch(&path, &json!({"price": 2, "last": null}))
        .await
        .ok(200);
    assert_eq!(
        (changed["total"].as_f64(), &changed["full"]),
        (Some(6.0), &Value::Null)
    );
    assert_eq!(changed["total"].to_string().trim_end_matches(".0"), "6");
    let chosen = user
        .get("/records/orders?fields=full&limit=1&sort=created_at")
        .await
        .ok(200);
    assert_eq!(chosen["items"][0]["full"], Value::Null);
    assert!(chosen["items"][0].get("total").is_none());
    let empty = user.create("orders", &json!({})).await;
    assert_eq!(
        (&empty["full"], &empty["late"], &empty["age"]),
        (&Value::Null, &json!(true), &Value::Null)
    );
}

async fn filters_and_orders_take_them(backend: Backend) {
    let (_app, user) = start(backend).await;
    for (first, price) in [
        ("b", json!(3)),
        ("a", json!(1)),
        ("C", json!(2)),
        ("d", Value::Null),
    ] {
        user.create(
            "orders",
            &json!({"first": first, "last": "x", "price": price, "count": 1, "due": "2030-01-01"}),
        )
        .await;
    }
    let list = async |filter: &str, sort: &str| -> String {
        let list = user
            .query("/records/orders", &[("filter", filter), ("sort", sort)])
            .await
            .ok(200);
        let names = list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["first"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>().concat()
    };
    assert_eq!(list("total >= 2 && full ~ '% x'", "total").await, "Cb");
    assert_eq!(list("late || total IS NULL", "full").await, "d");
    assert_eq!(list("upper(full) != 'A X' && !late", "-full").await, "dbC");
    assert_eq!(list("reminder < due && age = false", "full").await, "Cabd");
    assert_eq!(list("", "total").await, "daCb");
    assert_eq!(list("", "late,-reminder,-total").await, "bCad");
    // Pages follow one another.
    for sort in ["total", "-full", "late,total"] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let query = [("sort", sort), ("limit", "1"), ("cursor", cursor.as_str())];
            let page = user.query("/records/orders", &query).await.ok(200);
            seen.extend(
                page["items"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|item| item["first"].as_str().unwrap().to_owned()),
            );
            let Some(next) = page["next_cursor"].as_str() else {
                break;
            };
            next.clone_into(&mut cursor);
        }
        assert_eq!(seen.concat(), list("", sort).await, "{sort}");
    }
}

async fn events_carry_them(backend: Backend) {
    let (app, user) = start(backend).await;
    app.rules("orders", &json!({"list_rule": "total > 1"}))
        .await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("orders").await;
    user.create("orders", &json!({"price": 1, "count": 1}))
        .await;
    let created = user.create("orders", &one()).await;
    assert_computed(&ws.expect_event("orders.create").await);
    user.patch(
        &format!("/records/orders/{}", created["id"].as_str().unwrap()),
        &json!({"first": "Bea"}),
    )
    .await
    .ok(200);
    assert_eq!(
        ws.expect_event("orders.update").await["full"],
        "Bea Lovelace"
    );
}

async fn rules_may_use_them(backend: Backend) {
    let (app, user) = start(backend).await;
    let colleague = app.colleague_of(&user).await;
    let rules = json!({"list_rule": "total > 2", "view_rule": "full = 'a b'", "create_rule": "total < 10",
        "update_rule": "late = true", "delete_rule": "total = 3"});
    app.rules("orders", &rules).await;
    let id = colleague
        .create_id(
            "orders",
            &json!({"price": 3, "count": 1, "first": "a", "last": "b"}),
        )
        .await;
    colleague
        .post("/records/orders", &json!({"price": 10, "count": 1}))
        .await
        .refused(400, "");
    assert_eq!(colleague.get("/records/orders").await.ok(200)["total"], 1);
    let path = format!("/records/orders/{id}");
    colleague.get(&path).await.ok(200);
    colleague
        .patch(&path, &json!({"due": "2030-01-01"}))
        .await
        .ok(200);
    colleague
        .patch(&path, &json!({"due": null}))
        .await
        .refused(404, "");
    colleague.delete(&path).await.ok(204);
}

async fn what_is_sent_for_them_is_ignored(backend: Backend) {
    let (_app, user) = start(backend).await;
    let mut body = one();
    body["full"] = json!(5);
    body["total"] = json!("x");
    let created = user.create("orders", &body).await;
    assert_computed(&created);
    body["late"] = json!(false);
    let path = format!("/records/orders/{}", created["id"].as_str().unwrap());
    assert_computed(&user.put(&path, &body).await.ok(200));
}

async fn expressions_change_and_fields_come_later(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let stored = json!([{"name": "a", "type": "text"}, {"name": "n", "type": "number"}]);
    app.collection("things", &stored, &open()).await;
    let user = app.register().await;
    let id = user.create_id("things", &json!({"a": "x", "n": 2})).await;
    let path = format!("/records/things/{id}");
    let with = |expression: &str, kind: &str| {
        let mut fields = stored.clone();
        let field =
            json!({"name": "c", "type": "computed", "expression": expression, "return_type": kind});
        fields.as_array_mut().unwrap().push(field);
        json!({"fields": fields})
    };
    app.admin
        .put("/collections/things", &with("n + 1", "number"))
        .await
        .ok(200);
    assert_eq!(user.get(&path).await.ok(200)["c"].as_f64(), Some(3.0));
    app.admin
        .put("/collections/things", &with("length(a)", "number"))
        .await
        .ok(200);
    assert_eq!(
        user.patch(&path, &json!({"a": "xyz"})).await.ok(200)["c"].as_f64(),
        Some(3.0)
    );
    app.admin
        .put("/collections/things", &with("a", "text"))
        .await
        .refused(400, "type change");
    app.admin
        .put("/collections/things", &json!({"fields": stored}))
        .await
        .refused(400, "deletion");
}

async fn what_cannot_be_computed_is_refused_with_its_place(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let stored = json!({"name": "a", "type": "text"});
    let base = || json!({"name": "c", "type": "computed", "expression": "upper(a)", "return_type": "text"});
    let with = |key: &str, value: Value| {
        let mut field = base();
        field[key] = value;
        field
    };
    for (field, key, code, part) in [
        (
            with("expression", Value::Null),
            "expression",
            "computed_field_expression_required",
            "expression",
        ),
        (
            with("expression", json!("  ")),
            "expression",
            "computed_field_expression_required",
            "expression",
        ),
        (
            with("return_type", Value::Null),
            "return_type",
            "computed_field_return_type_required",
            "return_type",
        ),
        (
            with("return_type", json!("json")),
            "return_type",
            "computed_field_return_type_invalid",
            "json",
        ),
        (
            with("return_type", json!("number")),
            "expression",
            "computed_field_expression_error",
            "return_type",
        ),
        (
            with("required", json!(true)),
            "required",
            "computed_field_no_required",
            "required",
        ),
        (
            with("default", json!("x")),
            "default",
            "computed_field_no_default",
            "default",
        ),
        (
            with("unique", json!(true)),
            "unique",
            "computed_field_no_unique",
            "unique",
        ),
        (
            with("index", json!(true)),
            "index",
            "computed_field_no_index",
            "index",
        ),
        (
            with("expression", json!("upper(b)")),
            "expression",
            "computed_field_expression_invalid",
            "position 6",
        ),
        (
            with("expression", json!("upper(a")),
            "expression",
            "computed_field_expression_invalid",
            "position 7",
        ),
        (
            with("expression", json!("c")),
            "expression",
            "computed_field_expression_invalid",
            "`c`",
        ),
        (
            with("expression", json!("@request.auth.id")),
            "expression",
            "computed_field_expression_invalid",
            "position 0",
        ),
    ] {
        let body = json!({"name": "things", "fields": [stored, field]});
        let answer = app.admin.post("/collections", &body).await;
        assert!(answer.text.contains(part), "{}", answer.text);
        answer.problems(&[(&format!("schema[1].{key}"), code)]);
    }
    let mut fields = vec![stored];
    for index in 0..11 {
        let mut field = base();
        field["name"] = json!(format!("c{index}"));
        fields.push(field);
    }
    let answer = app
        .admin
        .post("/collections", &json!({"name": "things", "fields": fields}))
        .await;
    answer.problems(&[("schema", "too_many_computed_fields")]);
}

async fn what_is_made_of_personal_data_is_masked(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "ssn", "type": "text", "pii": true, "mask_type": "ssn"},
        {"name": "copy", "type": "computed", "expression": "concat(ssn, '')", "return_type": "text"}
    ]);
    app.collection("people", &fields, &open()).await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let record = colleague
        .create("people", &json!({"ssn": "123-45-6789"}))
        .await;
    assert!(
        !record["copy"].as_str().unwrap().contains("6789"),
        "{record}"
    );
    colleague
        .query("/records/people", &[("filter", "copy ~ '123%'")])
        .await
        .refused(400, "copy");
    assert_eq!(
        user.get("/records/people").await.ok(200)["items"][0]["copy"],
        "123-45-6789"
    );
}

async fn texts_of_any_kind_may_stand_in_them(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let text = "it's $log$; DROP TABLE users; -- \"$1\" \\ ? 🥨";
    let written = text.replace('\\', "\\\\").replace('\'', "\\'");
    let fields = json!([
        {"name": "a", "type": "text"},
        {"name": "c", "type": "computed", "expression": format!("concat(a, '{written}')"), "return_type": "text"}
    ]);
    app.collection("things", &fields, &open()).await;
    let user = app.register().await;
    assert_eq!(user.create("things", &json!({"a": ""})).await["c"], text);
    assert_eq!(
        user.get("/records/things").await.ok(200)["items"][0]["c"],
        text
    );
}
