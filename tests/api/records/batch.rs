use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    batches_answer_in_the_order_of_the_request,
    one_bad_item_stops_all_and_is_named,
    batches_have_1_to_100_items,
    a_clash_inside_a_batch_is_a_conflict_with_its_index,
    items_that_do_not_exist_stop_all,
    items_named_twice_count_once,
    malformed_batches_are_422,
];

async fn tasks(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "n", "type": "number", "required": true}, {"name": "code", "type": "text", "unique": true}]);
    app.collection("tasks", &fields, &open()).await;
    let user = app.register().await;
    (app, user)
}

async fn total(user: &User) -> i64 {
    user.get("/records/tasks").await.ok(200)["total"]
        .as_i64()
        .unwrap()
}

async fn ids(user: &User, count: usize) -> Vec<String> {
    let records: Vec<Value> = (0..count).map(|n| json!({"n": n})).collect();
    let created = user
        .post("/records/tasks/batch", &json!({"records": records}))
        .await
        .ok(201);
    created["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["id"].as_str().unwrap().to_owned())
        .collect()
}

async fn batches_answer_in_the_order_of_the_request(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    let body = json!({"records": [{"n": 3}, {"n": 1}, {"n": 2}]});
    let created = user.post("/records/tasks/batch", &body).await.ok(201);
    assert_eq!(created["count"], 3);
    let numbers: Vec<f64> = created["created"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["n"].as_f64().unwrap())
        .collect();
    assert_eq!(numbers, [3.0, 1.0, 2.0]);
    let id = |index: usize| created["created"][index]["id"].clone();
    let body = json!({"records": [{"id": id(1), "data": {"n": 11}}, {"id": id(0), "data": {}}]});
    let updated = user.patch("/records/tasks/batch", &body).await.ok(200);
    assert_eq!(
        (&updated["count"], updated["updated"][0]["n"].as_f64()),
        (&json!(2), Some(11.0))
    );
    assert_eq!(
        (
            &updated["updated"][1]["id"],
            updated["updated"][1]["n"].as_f64()
        ),
        (&id(0), Some(3.0))
    );
    let body = json!({"ids": [id(2), id(0)]});
    let deleted = user
        .delete_with("/records/tasks/batch", &body)
        .await
        .ok(200);
    assert_eq!(deleted, json!({"deleted": [id(2), id(0)], "count": 2}));
    assert_eq!(total(&user).await, 1);
}

async fn one_bad_item_stops_all_and_is_named(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    let body = json!({"records": [{"n": 1}, {"n": 2}, {"code": "x"}, {"n": "no"}]});
    let refusal = user
        .post("/records/tasks/batch", &body)
        .await
        .refused(400, "");
    assert_eq!(
        (&refusal["error"], &refusal["index"]),
        (&json!("validation_error"), &json!(2))
    );
    assert_eq!(refusal["details"][0]["code"], "required_missing");
    assert_eq!(total(&user).await, 0);
    let ids = ids(&user, 2).await;
    let body = json!({"records": [{"id": ids[0], "data": {"n": 50}}, {"id": ids[1], "data": {"n": null}}]});
    let refusal = user
        .patch("/records/tasks/batch", &body)
        .await
        .refused(400, "");
    assert_eq!(
        (&refusal["index"], &refusal["details"][0]["code"]),
        (&json!(1), &json!("required_null"))
    );
    let first = user
        .get(&format!("/records/tasks/{}", ids[0]))
        .await
        .ok(200);
    assert_eq!(first["n"].as_f64(), Some(0.0));
}

async fn batches_have_1_to_100_items(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    let records = |count: usize| vec![json!({"n": 1}); count];
    assert_eq!(
        user.post("/records/tasks/batch", &json!({"records": records(100)}))
            .await
            .ok(201)["count"],
        100
    );
    let refusal = user
        .post("/records/tasks/batch", &json!({"records": records(101)}))
        .await
        .refused(400, "100");
    assert_eq!(refusal["error"], "batch_too_large");
    let updates = vec![json!({"id": "x", "data": {}}); 101];
    let refusal = user
        .patch("/records/tasks/batch", &json!({"records": updates}))
        .await
        .refused(400, "100");
    assert_eq!(refusal["error"], "batch_too_large");
    let refusal = user
        .delete_with("/records/tasks/batch", &json!({"ids": vec!["x"; 101]}))
        .await
        .refused(400, "100");
    assert_eq!(refusal["error"], "batch_too_large");
    for empty in [json!({"records": []}), json!({})] {
        user.post("/records/tasks/batch", &empty)
            .await
            .refused(422, "");
        user.patch("/records/tasks/batch", &empty)
            .await
            .refused(422, "");
    }
    user.delete_with("/records/tasks/batch", &json!({"ids": []}))
        .await
        .refused(422, "");
    assert_eq!(total(&user).await, 100);
}

async fn a_clash_inside_a_batch_is_a_conflict_with_its_index(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    let body =
        json!({"records": [{"n": 1, "code": "a"}, {"n": 2, "code": "b"}, {"n": 3, "code": "a"}]});
    let refusal = user
        .post("/records/tasks/batch", &body)
        .await
        .refused(409, "code");
    assert_eq!(
        (&refusal["field"], &refusal["index"]),
        (&json!("code"), &json!(2))
    );
    assert_eq!(total(&user).await, 0);
}

async fn items_that_do_not_exist_stop_all(backend: Backend) {
    let (app, user) = tasks(backend).await;
    let ids = ids(&user, 2).await;
    let stranger = app.register().await;
    let foreign = stranger.create_id("tasks", &json!({"n": 1})).await;
    for missing in [
        foreign.as_str(),
        "01890000-0000-7000-8000-000000000000",
        "nonsense",
    ] {
        let body = json!({"records": [{"id": ids[0], "data": {"n": 9}}, {"id": missing, "data": {"n": 9}}]});
        let refusal = user
            .patch("/records/tasks/batch", &body)
            .await
            .refused(404, missing);
        assert_eq!(refusal["error"], "not_found", "{refusal}");
        let refusal = user
            .delete_with("/records/tasks/batch", &json!({"ids": [ids[0], missing]}))
            .await;
        assert_eq!(refusal.refused(404, missing)["error"], "not_found");
    }
    assert_eq!(
        user.get(&format!("/records/tasks/{}", ids[0]))
            .await
            .ok(200)["n"]
            .as_f64(),
        Some(0.0)
    );
    assert_eq!(
        stranger
            .get(&format!("/records/tasks/{foreign}"))
            .await
            .ok(200)["n"]
            .as_f64(),
        Some(1.0)
    );
}

async fn items_named_twice_count_once(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    let ids = ids(&user, 1).await;
    let deleted = user
        .delete_with("/records/tasks/batch", &json!({"ids": [ids[0], ids[0]]}))
        .await
        .ok(200);
    assert_eq!(deleted["count"], 1);
}

async fn malformed_batches_are_422(backend: Backend) {
    let (_app, user) = tasks(backend).await;
    for body in [
        json!({"records": 5}),
        json!({"records": [5]}),
        json!({"records": {}}),
        json!([]),
        json!("x"),
    ] {
        user.post("/records/tasks/batch", &body)
            .await
            .refused(422, "");
        user.patch("/records/tasks/batch", &body)
            .await
            .refused(422, "");
    }
    for body in [json!({"ids": "x"}), json!({"ids": [5]}), json!({})] {
        user.delete_with("/records/tasks/batch", &body)
            .await
            .refused(422, "");
    }
}
