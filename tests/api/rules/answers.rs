//! What the answers of writes show: what a view of the record shows the caller, and nothing else.

use serde_json::{Value, json};

use crate::harness::{Answer, Backend, TestApp, User};

crate::both![
    every_write_answers_what_a_view_shows,
    a_caller_who_may_not_view_what_it_wrote_learns_its_system_fields,
    a_record_that_a_rule_hides_answers_wrong_bodies_as_if_it_did_not_exist,
];

const SYSTEM: [&str; 7] = [
    "account_id",
    "account_name",
    "created_at",
    "created_by",
    "id",
    "updated_at",
    "updated_by",
];

/// A server with people, of whom the view shows the name and a masked telephone number, and one of
/// them.
async fn people(backend: Backend, rules: &Value) -> (TestApp, User, Value) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "name", "type": "text"},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "phone"},
        {"name": "note", "type": "text", "default": "do not hire"},
        {"name": "verdict", "type": "computed", "expression": "concat(note, '!')", "return_type": "text"},
    ]);
    let anybody = "@request.auth.id != null";
    let open = json!({"list_rule": anybody, "view_rule": anybody, "create_rule": anybody, "update_rule": anybody,
        "delete_rule": anybody});
    app.collection("people", &fields, &open).await;
    app.rules("people", rules).await;
    let owner = app.register().await;
    let user = app.colleague_of(&owner).await;
    let body = json!({"name": "Ann", "phone": "+15551234567", "account_id": user.account_id});
    let record = app.admin.create("people", &body).await;
    (app, user, record)
}

/// Every kind of write, each with the records that its answer shows.
async fn writes(user: &User, id: &str) -> Vec<(&'static str, Vec<Value>)> {
    let path = format!("/records/people/{id}");
    let all = |answer: Answer, status, key: &str| match answer.ok(status) {
        body if key.is_empty() => vec![body],
        body => body[key].as_array().unwrap().clone(),
    };
    let (two, change) = (
        json!({"records": [{"name": "b"}, {"name": "c"}]}),
        json!({"name": "d"}),
    );
    let changes = json!({"records": [{"id": id, "data": change}]});
    vec![
        (
            "create",
            all(
                user.post("/records/people", &json!({"name": "a"})).await,
                201,
                "",
            ),
        ),
        (
            "batch create",
            all(
                user.post("/records/people/batch", &two).await,
                201,
                "created",
            ),
        ),
        ("PATCH", all(user.patch(&path, &change).await, 200, "")),
        (
            "empty PATCH",
            all(user.patch(&path, &json!({})).await, 200, ""),
        ),
        ("PUT", all(user.put(&path, &change).await, 200, "")),
        (
            "batch PATCH",
            all(
                user.patch("/records/people/batch", &changes).await,
                200,
                "updated",
            ),
        ),
    ]
}

fn keys(record: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    keys.sort_unstable();
    keys
}

async fn every_write_answers_what_a_view_shows(backend: Backend) {
    for lists in [
        json!({"view_fields": ["name", "phone"], "create_fields": ["name"], "update_fields": ["name"]}),
        json!({"view_fields": ["name", "phone"]}),
        json!({"view_fields": [], "list_fields": "*"}),
        json!({"create_fields": ["name"], "update_fields": ["name"]}),
    ] {
        let (app, user, record) = people(backend, &lists).await;
        let id = record["id"].as_str().unwrap();
        for (write, shown) in writes(&user, id).await {
            for record in shown {
                let path = format!("/records/people/{}", record["id"].as_str().unwrap());
                let viewed = user.get(&path).await.ok(200);
                assert_eq!(keys(&record), keys(&viewed), "{write} {lists}");
                for key in ["phone", "note", "verdict"] {
                    assert_eq!(record[key], viewed[key], "{write} {lists}");
                }
            }
        }
        let stored = app
            .admin
            .get(&format!("/records/people/{id}"))
            .await
            .ok(200);
        assert_eq!(stored["phone"], "+15551234567", "a mask is never stored");
    }
}

async fn a_caller_who_may_not_view_what_it_wrote_learns_its_system_fields(backend: Backend) {
    // The last rule reads other records.
    for rule in [
        None,
        Some("name = 'nobody'"),
        Some("@count_people(name) > 99"),
    ] {
        let (app, user, record) = people(backend, &json!({})).await;
        let query = "SELECT COUNT(*) FROM people WHERE name = :name";
        let body = json!({"name": "count_people", "sql_query": query, "parameters": ["name"]});
        app.admin.post("/macros", &body).await.ok(201);
        app.rules("people", &json!({"view_rule": rule})).await;
        for (write, shown) in writes(&user, record["id"].as_str().unwrap()).await {
            for record in shown {
                assert_eq!(keys(&record), SYSTEM, "{write} {rule:?}");
                let path = format!("/records/people/{}", record["id"].as_str().unwrap());
                let written = app.admin.get(&path).await.ok(200);
                assert_eq!(
                    written["created_at"], record["created_at"],
                    "{write}: it was stored"
                );
            }
        }
        // Who may view it sees it all.
        app.rules("people", &json!({"view_rule": "@count_people(name) > 0"}))
            .await;
        for (write, shown) in writes(&user, record["id"].as_str().unwrap()).await {
            assert!(
                shown.iter().all(|record| record["note"] == "do not hire"),
                "{write} {shown:?}"
            );
        }
    }
}

async fn a_record_that_a_rule_hides_answers_wrong_bodies_as_if_it_did_not_exist(backend: Backend) {
    let (app, user, record) = people(
        backend,
        &json!({"update_rule": "name = 'Bob' && @request.data.name != 'x'"}),
    )
    .await;
    let missing = "01a1fd25-29f4-770a-b9d2-f81dfe4e0bc2";
    let own = app
        .admin
        .create_id(
            "people",
            &json!({"name": "Bob", "account_id": user.account_id}),
        )
        .await;
    let wrong = [
        json!({"nonsense": 1}),
        json!({"name": 7}),
        json!({"id": "x"}),
        json!({"name": null, "phone": []}),
    ];
    for body in wrong {
        let mut answers = Vec::new();
        for id in [record["id"].as_str().unwrap(), missing] {
            let path = format!("/records/people/{id}");
            let batch = json!({"records": [{"id": id, "data": body}]});
            for answer in [
                user.patch(&path, &body).await,
                user.put(&path, &body).await,
                user.patch("/records/people/batch", &batch).await,
            ] {
                answers.push((answer.status, answer.text.replace(id, "<id>")));
            }
        }
        let (hidden, absent) = answers.split_at(3);
        assert_eq!(hidden, absent, "{body}");
        assert!(
            hidden.iter().all(|(status, _)| *status == 404),
            "{hidden:?}"
        );
        let told = user
            .patch(
                &format!("/records/people/{own}"),
                &json!({"name": "ok", "nonsense": 1}),
            )
            .await;
        assert!(
            told.status == 400 || told.status == 422,
            "who may change it is told: {}",
            told.text
        );
    }
}
