//! What counts as the same value of a unique field.

use serde_json::json;

use crate::harness::{Backend, TestApp, open};

crate::both![
    times_are_unique_as_instants,
    addresses_are_unique_in_either_case,
    other_values_are_unique_as_they_are,
    a_field_becomes_unique_only_over_values_that_are,
];

async fn times_are_unique_as_instants(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "at", "type": "datetime", "unique": true}, {"name": "day", "type": "date", "unique": true}]);
    app.collection("slots", &fields, &open()).await;
    let (user, stranger) = (app.register().await, app.register().await);
    let first = user
        .create_id(
            "slots",
            &json!({"at": "2026-05-01T10:00:00Z", "day": "2026-05-01"}),
        )
        .await;
    for at in [
        "2026-05-01T12:00:00+02:00",
        "2026-05-01 10:00",
        "2026-05-01T10:00:00.0004Z",
        "20260501T100000Z",
    ] {
        assert_eq!(
            user.post("/records/slots", &json!({"at": at}))
                .await
                .refused(409, "at")["field"],
            "at",
            "{at}"
        );
    }
    user.post("/records/slots", &json!({"day": "2026-5-1"}))
        .await
        .refused(409, "day");
    stranger
        .create(
            "slots",
            &json!({"at": "2026-05-01 10:00", "day": "2026-5-1"}),
        )
        .await;
    user.create("slots", &json!({"at": "2026-05-01T10:00:00.001Z"}))
        .await;
    user.create("slots", &json!({})).await;
    user.create("slots", &json!({})).await;
    // One may say the same again in other words.
    let path = format!("/records/slots/{first}");
    assert_eq!(
        user.patch(&path, &json!({"at": "2026-05-01 10:00"}))
            .await
            .ok(200)["at"],
        "2026-05-01 10:00"
    );
    let list = user
        .query(
            "/records/slots",
            &[("filter", "at = '2026-05-01T12:00+02:00'"), ("sort", "at")],
        )
        .await
        .ok(200);
    assert_eq!(list["total"], 1);
}

async fn addresses_are_unique_in_either_case(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "mail", "type": "email", "unique": true}, {"name": "text", "type": "text", "unique": true}]);
    app.collection("members", &fields, &open()).await;
    let user = app.register().await;
    let created = user
        .create("members", &json!({"mail": "Ada@Example.com", "text": "a"}))
        .await;
    assert_eq!(created["mail"], "Ada@example.com");
    for mail in ["ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.com"] {
        assert_eq!(
            user.post("/records/members", &json!({"mail": mail}))
                .await
                .refused(409, "mail")["field"],
            "mail"
        );
    }
    user.create("members", &json!({"mail": "ada@example.org", "text": "A"}))
        .await;
    // A filter reads an address like a record, and compares what is there.
    for (filter, found) in [
        ("mail = 'Ada@Example.com'", 1),
        ("mail IN ('x', 'Ada@EXAMPLE.com')", 1),
        ("mail = 'ADA@example.com'", 0),
    ] {
        let list = user
            .query("/records/members", &[("filter", filter)])
            .await
            .ok(200);
        assert_eq!(list["total"], found, "{filter}");
    }
    // Renaming takes the indexes along.
    app.admin
        .put(
            "/collections/members",
            &json!({"rename": {"mail": "address"}}),
        )
        .await
        .ok(200);
    user.post("/records/members", &json!({"address": "ADA@example.org"}))
        .await
        .refused(409, "address");
    app.admin
        .post("/collections/members/rename", &json!({"name": "people"}))
        .await
        .ok(200);
    user.post("/records/people", &json!({"address": "ADA@example.org"}))
        .await
        .refused(409, "address");
}

async fn other_values_are_unique_as_they_are(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "n", "type": "number", "unique": true},
        {"name": "other", "type": "reference", "collection": "things", "on_delete": "cascade", "unique": true}
    ]);
    app.collection("things", &fields, &open()).await;
    let user = app.register().await;
    let first = user.create_id("things", &json!({"n": 1})).await;
    user.create("things", &json!({"n": 0, "other": first}))
        .await;
    for body in [
        json!({"n": 1.0}),
        json!({"n": -0.0}),
        json!({"other": first.to_uppercase()}),
    ] {
        user.post("/records/things", &body).await.refused(409, "");
    }
}

async fn a_field_becomes_unique_only_over_values_that_are(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let field = |unique: bool| json!([{"name": "at", "type": "datetime", "unique": unique}]);
    app.collection("slots", &field(false), &open()).await;
    let user = app.register().await;
    user.create("slots", &json!({"at": "2026-05-01T10:00:00Z"}))
        .await;
    let second = user
        .create_id("slots", &json!({"at": "2026-05-01T12:00:00+02:00"}))
        .await;
    app.admin
        .put("/collections/slots", &json!({"fields": field(true)}))
        .await
        .problems(&[("schema", "unique_violated")]);
    user.delete(&format!("/records/slots/{second}"))
        .await
        .ok(204);
    app.admin
        .put("/collections/slots", &json!({"fields": field(true)}))
        .await
        .ok(200);
    user.post("/records/slots", &json!({"at": "2026-05-01 10:00"}))
        .await
        .refused(409, "at");
    app.admin
        .put("/collections/slots", &json!({"fields": field(false)}))
        .await
        .ok(200);
    user.create("slots", &json!({"at": "2026-05-01 10:00"}))
        .await;
}
