use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    members_of_pii_access_see_personal_data_and_others_masks,
    masked_values_that_come_back_change_nothing,
    masked_fields_are_no_oracle,
];

async fn people(backend: Backend) -> (TestApp, User, User) {
    let app = TestApp::spawn(backend).await;
    let field = |name: &str, kind: &str, mask: &str| json!({"name": name, "type": kind, "pii": true, "mask_type": mask});
    let fields = json!([
        {"name": "nick", "type": "text"},
        field("mail", "email", "email"),
        field("ssn", "text", "ssn"),
        field("phone", "text", "phone"),
        field("name", "text", "name"),
        field("secret", "text", "full"),
        {"name": "age", "type": "number", "pii": true}
    ]);
    app.collection("people", &fields, &open()).await;
    let member = app.register().await;
    let other = app.colleague_of(&member).await;
    (app, member, other)
}

fn person() -> Value {
    json!({"nick": "jo", "mail": "john@example.com", "ssn": "123-45-6789", "phone": "+1 555 123 4567",
        "name": "John Ronald Doe", "secret": "secret", "age": 42})
}

fn masked() -> Value {
    json!({"nick": "jo", "mail": "j***@example.com", "ssn": "***-**-****", "phone": "+1-***-***-4567",
        "name": "J*** R*** D***", "secret": "******", "age": "**"})
}

#[track_caller]
fn assert_shows(record: &Value, expected: &Value) {
    for (field, value) in expected.as_object().unwrap() {
        let same = match (value.as_f64(), record[field].as_f64()) {
            (Some(a), Some(b)) => a.to_bits() == b.to_bits(),
            _ => &record[field] == value,
        };
        assert!(same, "{field}: {} instead of {value}", record[field]);
    }
}

async fn members_of_pii_access_see_personal_data_and_others_masks(backend: Backend) {
    let (app, member, other) = people(backend).await;
    let created = member.create("people", &person()).await;
    assert_shows(&created, &person());
    let path = format!("/records/people/{}", created["id"].as_str().unwrap());
    for (caller, expected) in [
        ((*member).clone(), person()),
        ((*other).clone(), masked()),
        (app.visitor_of(&member), masked()),
        ((*app.admin).clone(), person()),
    ] {
        assert_shows(&caller.get(&path).await.ok(200), &expected);
        assert_shows(
            &caller.get("/records/people").await.ok(200)["items"][0],
            &expected,
        );
        assert_shows(
            &caller.patch(&path, &json!({"nick": "jo"})).await.ok(200),
            &expected,
        );
    }
    // The author sees a mask as well, and so does a batch.
    assert_shows(&other.create("people", &person()).await, &masked());
    let batch = json!({"records": [person()]});
    assert_shows(
        &other.post("/records/people/batch", &batch).await.ok(201)["created"][0],
        &masked(),
    );
    let empty = other.create("people", &json!({})).await;
    assert_eq!(
        (&empty["mail"], &empty["age"]),
        (&Value::Null, &Value::Null)
    );
}

async fn masked_values_that_come_back_change_nothing(backend: Backend) {
    let (_app, member, other) = people(backend).await;
    let path = format!(
        "/records/people/{}",
        member.create_id("people", &person()).await
    );
    let mut edited = masked();
    edited["nick"] = json!("new");
    other.patch(&path, &edited).await.ok(200);
    let mut expected = person();
    expected["nick"] = json!("new");
    assert_shows(&member.get(&path).await.ok(200), &expected);
    other
        .patch(&path, &json!({"secret": "other"}))
        .await
        .ok(200);
    assert_eq!(member.get(&path).await.ok(200)["secret"], "other");
}

async fn masked_fields_are_no_oracle(backend: Backend) {
    let (app, member, other) = people(backend).await;
    member.create("people", &person()).await;
    for filter in [
        "secret ~ 's%'",
        "age > 40",
        "nick = 'jo' && mail = 'john@example.com'",
        "ssn IS NOT NULL",
    ] {
        for caller in [(*other).clone(), app.visitor_of(&member)] {
            let refusal = caller
                .query("/records/people", &[("filter", filter)])
                .await
                .refused(400, "");
            assert_eq!(refusal["error"], "Invalid filter expression", "{filter}");
        }
        assert_eq!(
            member
                .query("/records/people", &[("filter", filter)])
                .await
                .ok(200)["total"],
            1,
            "{filter}"
        );
        assert_eq!(
            app.admin
                .query("/records/people", &[("filter", filter)])
                .await
                .ok(200)["total"],
            1,
            "{filter}"
        );
    }
    // Sorting would tell as much.
    other
        .query("/records/people", &[("sort", "secret")])
        .await
        .refused(400, "");
    member
        .query("/records/people", &[("sort", "secret")])
        .await
        .ok(200);
}
