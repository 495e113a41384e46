//! What clashes of unique fields tell, and values that do not fit into an index.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    values_that_one_does_not_see_are_not_found_by_trying,
    clashes_of_fields_that_one_sees_name_them,
    a_definition_may_say_that_clashes_tell,
    values_that_do_not_fit_into_an_index_are_refused_by_name,
];

const SECRET: &str = "123-45-6789";

async fn people(backend: Backend, more: &Value) -> (TestApp, User, User) {
    let app = TestApp::spawn(backend).await;
    let mut ssn =
        json!({"name": "ssn", "type": "text", "pii": true, "mask_type": "ssn", "unique": true});
    for (key, value) in more.as_object().unwrap() {
        ssn[key] = value.clone();
    }
    let fields = json!([
        {"name": "title", "type": "text", "unique": true},
        {"name": "code", "type": "text", "unique": true},
        ssn
    ]);
    let mut rules = open();
    for rule in ["list_rule", "view_rule", "update_rule"] {
        rules[rule] = json!("@owns_record");
    }
    app.collection("people", &fields, &rules).await;
    let owner = app.register().await;
    let eve = app.colleague_of(&owner).await;
    owner
        .create(
            "people",
            &json!({"title": "one", "code": "hidden", "ssn": SECRET}),
        )
        .await;
    (app, owner, eve)
}

async fn values_that_one_does_not_see_are_not_found_by_trying(backend: Backend) {
    let (_app, owner, eve) = people(backend, &json!({})).await;
    let own = eve
        .create_id("people", &json!({"title": "mine", "ssn": "own"}))
        .await;
    // A batch that is sure to fail at its end tells nothing about the guesses before.
    let batch = |first: usize, count: usize| {
        let guesses = (first..first + count).map(|n| json!({"ssn": format!("123-45-{n:04}")}));
        json!({"records": guesses.chain([json!({"ssn": "own"})]).collect::<Vec<_>>()})
    };
    let without = eve
        .post("/records/people/batch", &batch(1000, 10))
        .await
        .refused(409, "");
    let with = eve
        .post("/records/people/batch", &batch(6785, 10))
        .await
        .refused(409, "");
    assert_eq!(without, with);
    assert!(
        with["field"].is_null() && with["index"].is_null() && !with.to_string().contains("ssn"),
        "{with}"
    );
    // Values that were sent count as guesses.
    for _ in 0..2 {
        eve.post("/records/people/batch", &batch(6785, 10))
            .await
            .refused(429, "");
        eve.post("/records/people", &json!({"ssn": SECRET}))
            .await
            .refused(429, "");
        eve.patch(
            &format!("/records/people/{own}"),
            &json!({"ssn": "123-45-0000"}),
        )
        .await
        .refused(429, "");
    }
    // Everything else goes on: other fields, and people who see the field.
    eve.create("people", &json!({"title": "more"})).await;
    let clash = owner
        .post("/records/people", &json!({"ssn": SECRET}))
        .await
        .refused(409, "ssn");
    assert_eq!(clash["field"], "ssn");
    assert_eq!(eve.get("/records/people").await.ok(200)["total"], 2);
}

async fn clashes_of_fields_that_one_sees_name_them(backend: Backend) {
    let (app, _owner, eve) = people(backend, &json!({})).await;
    for _ in 0..25 {
        let clash = eve
            .post("/records/people", &json!({"title": "one"}))
            .await
            .refused(409, "title");
        assert_eq!(clash["field"], "title");
    }
    let batch = json!({"records": [{"title": "new"}, {"title": "one"}]});
    let clash = eve
        .post("/records/people/batch", &batch)
        .await
        .refused(409, "title");
    assert_eq!(
        (&clash["field"], &clash["index"]),
        (&json!("title"), &json!(1))
    );
    // A field that the lists hide is one that nobody sees.
    app.rules(
        "people",
        &json!({"list_fields": ["title"], "view_fields": ["title"]}),
    )
    .await;
    let clash = eve
        .post("/records/people", &json!({"code": "hidden"}))
        .await
        .refused(409, "");
    assert!(clash["field"].is_null(), "{clash}");
    for _ in 0..19 {
        eve.post("/records/people", &json!({"code": "hidden"}))
            .await
            .refused(409, "");
    }
    eve.post("/records/people", &json!({"code": "hidden"}))
        .await
        .refused(429, "");
}

async fn a_definition_may_say_that_clashes_tell(backend: Backend) {
    let (app, _owner, eve) = people(backend, &json!({"discloses_existence": true})).await;
    for _ in 0..25 {
        let clash = eve
            .post("/records/people", &json!({"ssn": SECRET}))
            .await
            .refused(409, "ssn");
        assert_eq!(clash["field"], "ssn");
    }
    let wrong = json!({"name": "things", "fields": [{"name": "a", "type": "text", "discloses_existence": true}]});
    let expected = [(
        "schema[0].discloses_existence",
        "discloses_existence_requires_unique",
    )];
    app.admin
        .post("/collections", &wrong)
        .await
        .problems(&expected);
    // What is exported has the decision in it.
    let export = app.admin.get("/collections/export").await.ok(200);
    assert_eq!(
        export["collections"][0]["schema"][2]["discloses_existence"],
        true
    );
}

async fn values_that_do_not_fit_into_an_index_are_refused_by_name(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "u", "type": "text", "unique": true}, {"name": "i", "type": "text", "index": true},
        {"name": "t", "type": "text"}
    ]);
    app.collection("texts", &fields, &open()).await;
    let user = app.register().await;
    // Letters that cannot be compressed.
    let mut state = 1_u32;
    let long: String = (0..9000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from_u32(0x4e00 + (state >> 16) % 0x4000).unwrap()
        })
        .collect();
    user.create("texts", &json!({"t": long})).await;
    for field in ["u", "i"] {
        let short: String = long.chars().take(600).collect();
        let id = user.create_id("texts", &json!({field: short})).await;
        let answers = [
            user.post("/records/texts", &json!({field: long})).await,
            user.patch(&format!("/records/texts/{id}"), &json!({field: long}))
                .await,
        ];
        for answer in answers {
            match backend {
                Backend::Sqlite => assert!(
                    answer.status < 300 || answer.status == 409,
                    "{}",
                    answer.text
                ),
                Backend::Postgres => answer.problems(&[(field, "too_long")]),
            }
        }
    }
    for attribute in ["unique", "index"] {
        let mut changed = fields.clone();
        changed[2][attribute] = json!(true);
        let answer = app
            .admin
            .put("/collections/texts", &json!({"fields": changed}))
            .await;
        match backend {
            Backend::Sqlite => assert_eq!(answer.status, 200, "{}", answer.text),
            Backend::Postgres => answer.problems(&[("schema[2].index", "too_long_for_index")]),
        }
    }
}
