use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    lists_and_views_show_only_their_fields,
    writes_take_only_their_fields_and_answer_with_those_of_a_view,
    an_empty_list_forbids_every_field,
    hidden_fields_can_neither_be_filtered_nor_sorted_by,
    superadmins_see_and_write_everything,
];

async fn staff(backend: Backend, lists: &Value) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "name", "type": "text"}, {"name": "salary", "type": "number"}, {"name": "bio", "type": "text"}]);
    app.collection("staff", &fields, &open()).await;
    app.rules("staff", lists).await;
    let user = app.register().await;
    let body = json!({"name": "Ann", "salary": 5, "bio": "b", "account_id": user.account_id});
    app.admin.create("staff", &body).await;
    (app, user)
}

fn own_fields(record: &Value) -> Vec<&str> {
    let system = [
        "id",
        "account_id",
        "account_name",
        "created_at",
        "created_by",
        "updated_at",
        "updated_by",
    ];
    let keys: Vec<&str> = record
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert!(system.iter().all(|field| keys.contains(field)), "{record}");
    let mut own: Vec<&str> = keys
        .into_iter()
        .filter(|key| !system.contains(key))
        .collect();
    own.sort_unstable();
    own
}

async fn lists_and_views_show_only_their_fields(backend: Backend) {
    // As text and as an array.
    let lists = json!({"list_fields": "[\"name\"]", "view_fields": ["name", "bio", "created_at"]});
    let (_app, user) = staff(backend, &lists).await;
    let page = user.get("/records/staff").await.ok(200);
    assert_eq!(own_fields(&page["items"][0]), ["name"]);
    let path = format!(
        "/records/staff/{}",
        page["items"][0]["id"].as_str().unwrap()
    );
    assert_eq!(own_fields(&user.get(&path).await.ok(200)), ["bio", "name"]);
    // Asking for a hidden field does not help.
    let page = user.get("/records/staff?fields=salary,name").await.ok(200);
    assert_eq!(own_fields(&page["items"][0]), ["name"]);
    assert_eq!(
        own_fields(&user.get(&format!("{path}?fields=salary")).await.ok(200)),
        [""; 0]
    );
}

async fn writes_take_only_their_fields_and_answer_with_those_of_a_view(backend: Backend) {
    let lists = json!({"create_fields": ["name", "bio"], "update_fields": ["bio"]});
    let (_app, user) = staff(backend, &lists).await;
    let refusal = user
        .post("/records/staff", &json!({"name": "x", "salary": 1}))
        .await
        .refused(422, "salary");
    assert_eq!(refusal["detail"]["field_type"], "restricted");
    assert_eq!(refusal["detail"]["unauthorized_fields"], json!(["salary"]));
    let mut allowed = refusal["detail"]["allowed_fields"]
        .as_array()
        .unwrap()
        .clone();
    allowed.sort_by_key(ToString::to_string);
    assert_eq!(allowed, [json!("bio"), json!("name")]);
    let created = user.create("staff", &json!({"name": "x"})).await;
    assert_eq!(own_fields(&created), ["bio", "name", "salary"]);
    let path = format!("/records/staff/{}", created["id"].as_str().unwrap());
    user.patch(&path, &json!({"name": "y"}))
        .await
        .refused(422, "name");
    assert_eq!(
        own_fields(&user.patch(&path, &json!({"bio": "z"})).await.ok(200)),
        ["bio", "name", "salary"]
    );
    let batch = json!({"records": [{"name": "x"}, {"salary": 1}]});
    user.post("/records/staff/batch", &batch)
        .await
        .refused(422, "salary");
    let batch = json!({"records": [{"id": created["id"], "data": {"salary": 1}}]});
    user.patch("/records/staff/batch", &batch)
        .await
        .refused(422, "salary");
    assert_eq!(
        own_fields(&user.get(&path).await.ok(200)),
        ["bio", "name", "salary"]
    );
}

async fn an_empty_list_forbids_every_field(backend: Backend) {
    let (_app, user) = staff(backend, &json!({"list_fields": "[]", "create_fields": []})).await;
    assert_eq!(
        own_fields(&user.get("/records/staff").await.ok(200)["items"][0]),
        [""; 0]
    );
    user.post("/records/staff", &json!({"name": "x"}))
        .await
        .refused(422, "name");
    assert_eq!(
        own_fields(&user.create("staff", &json!({})).await),
        ["bio", "name", "salary"]
    );
}

async fn hidden_fields_can_neither_be_filtered_nor_sorted_by(backend: Backend) {
    let (app, user) = staff(backend, &json!({"list_fields": ["name"]})).await;
    for filter in [
        "salary > 3",
        "name = 'Ann' && salary = 5",
        "bio ~ 'b%'",
        "name = bio",
    ] {
        let refusal = user
            .query("/records/staff", &[("filter", filter)])
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid filter expression", "{filter}");
        app.admin
            .query("/records/staff", &[("filter", filter)])
            .await
            .ok(200);
    }
    user.query("/records/staff", &[("sort", "salary")])
        .await
        .refused(400, "");
    app.admin
        .query("/records/staff", &[("sort", "salary")])
        .await
        .ok(200);
}

async fn superadmins_see_and_write_everything(backend: Backend) {
    let lists =
        json!({"list_fields": [], "view_fields": [], "create_fields": [], "update_fields": []});
    let (app, _user) = staff(backend, &lists).await;
    let page = app.admin.get("/records/staff").await.ok(200);
    assert_eq!(own_fields(&page["items"][0]), ["bio", "name", "salary"]);
    let path = format!(
        "/records/staff/{}",
        page["items"][0]["id"].as_str().unwrap()
    );
    assert_eq!(
        own_fields(&app.admin.get(&path).await.ok(200)),
        ["bio", "name", "salary"]
    );
    assert_eq!(
        app.admin.patch(&path, &json!({"salary": 9})).await.ok(200)["salary"].as_f64(),
        Some(9.0)
    );
}
