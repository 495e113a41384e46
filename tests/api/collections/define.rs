use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, closed, open, soon};

crate::both![
    fields_may_be_called_schema_too_and_every_attribute_comes_back,
    a_name_is_taken_in_any_case,
    every_problem_of_a_definition_is_named_with_its_path_and_code,
    bodies_without_a_shape_are_422,
    rules_can_be_given_and_are_checked,
    lists_page_search_and_sort,
    collections_are_for_superadmins,
    of_many_who_create_one_name_at_once_exactly_one_succeeds,
    names_of_sql_are_ordinary_names,
];

async fn fields_may_be_called_schema_too_and_every_attribute_comes_back(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "Text", "required": true, "unique": true, "options": {"a": [1]}},
        {"name": "n", "type": "number", "default": 5, "options": ["x"]},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "EMAIL"}
    ]);
    for (name, key) in [("Posts", "fields"), ("Pages", "schema")] {
        let body = json!({"name": name, key: fields, "label": "ignored", "list_rule": ""});
        let created = app.admin.post("/collections", &body).await.ok(201);
        assert_eq!(
            (&created["name"], &created["table_name"]),
            (&json!(name), &json!(format!("col_{}", name.to_lowercase())))
        );
        assert!(created["id"].as_str().unwrap().len() == 36);
        assert_eq!(
            (&created["fields_count"], &created["field_count"]),
            (&json!(3), &json!(3))
        );
        assert_eq!(
            (&created["records_count"], &created["record_count"]),
            (&json!(0), &json!(0))
        );
        assert_eq!(created["has_public_access"], true);
        let title = &created["schema"][0];
        let expected = json!({"name": "title", "type": "text", "required": true, "default": null, "unique": true,
            "options": {"a": [1]}, "collection": null, "on_delete": null, "pii": false, "mask_type": null,
            "expression": null, "return_type": null});
        for (attribute, value) in expected.as_object().unwrap() {
            assert_eq!(&title[attribute], value, "{attribute}");
        }
        assert_eq!(
            (
                &created["schema"][1]["default"],
                &created["schema"][2]["mask_type"]
            ),
            (&json!(5), &json!("email"))
        );
        // By id and by name, and in the list.
        let by_id = app
            .admin
            .get(&format!("/collections/{}", created["id"].as_str().unwrap()))
            .await
            .ok(200);
        assert_eq!(
            (
                &by_id,
                &app.admin.get(&format!("/collections/{name}")).await.ok(200)
            ),
            (&created, &created)
        );
    }
    let list = app.admin.get("/collections").await.ok(200);
    assert_eq!(
        (
            &list["total"],
            &list["page"],
            &list["page_size"],
            &list["total_pages"]
        ),
        (&json!(2), &json!(1), &json!(25), &json!(1))
    );
    assert_eq!(list["items"][0]["fields"], list["items"][0]["schema"]);
    app.admin
        .get("/collections/nowhere")
        .await
        .refused(404, "nowhere");
}

async fn a_name_is_taken_in_any_case(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "a", "type": "text"}]);
    app.collection("Posts", &fields, &closed()).await;
    for name in ["Posts", "posts", "POSTS"] {
        let body = json!({"name": name, "fields": fields});
        let refusal = app
            .admin
            .post("/collections", &body)
            .await
            .refused(409, name);
        assert_eq!(
            (&refusal["error"], &refusal["field"]),
            (&json!("Conflict"), &json!("name"))
        );
    }
    assert_eq!(
        app.admin.get("/collections/names").await.ok(200),
        json!({"names": ["Posts"], "total": 1})
    );
}

async fn every_problem_of_a_definition_is_named_with_its_path_and_code(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let field = |field: Value| json!({"name": "things", "fields": [field]});
    let reference = |collection: &str, on_delete: Value| {
        field(
            json!({"name": "r", "type": "reference", "collection": collection, "on_delete": on_delete}),
        )
    };
    let cases = [
        (
            json!({"name": "1things", "fields": [{"name": "a", "type": "text"}]}),
            "name",
            "name_invalid_format",
        ),
        (
            json!({"name": "my things", "fields": [{"name": "a", "type": "text"}]}),
            "name",
            "name_invalid_format",
        ),
        (
            json!({"name": "thïngs", "fields": [{"name": "a", "type": "text"}]}),
            "name",
            "name_invalid_format",
        ),
        (
            field(json!({"name": "", "type": "text"})),
            "schema[0].name",
            "field_name_required",
        ),
        (
            field(json!({"name": "a".repeat(65), "type": "text"})),
            "schema[0].name",
            "field_name_too_long",
        ),
        (
            field(json!({"name": "a-b", "type": "text"})),
            "schema[0].name",
            "field_name_invalid_format",
        ),
        (
            field(json!({"name": "Created_At", "type": "text"})),
            "schema[0].name",
            "field_name_reserved",
        ),
        (
            field(json!({"name": "a"})),
            "schema[0].type",
            "field_type_required",
        ),
        (
            field(json!({"name": "a", "type": "select"})),
            "schema[0].type",
            "field_type_invalid",
        ),
        (
            field(json!({"name": "a", "type": "reference", "on_delete": "cascade"})),
            "schema[0].collection",
            "reference_collection_required",
        ),
        (
            reference("things", Value::Null),
            "schema[0].on_delete",
            "reference_on_delete_required",
        ),
        (
            reference("things", json!("explode")),
            "schema[0].on_delete",
            "reference_on_delete_invalid",
        ),
        (
            reference("nowhere", json!("cascade")),
            "schema[0].collection",
            "reference_collection_unknown",
        ),
        (
            field(json!({"name": "a", "type": "text", "mask_type": "full"})),
            "schema[0].mask_type",
            "mask_type_requires_pii",
        ),
        (
            field(json!({"name": "a", "type": "text", "pii": true, "mask_type": "x"})),
            "schema[0].mask_type",
            "mask_type_invalid",
        ),
        (
            field(json!({"name": "a", "type": "number", "default": "five"})),
            "schema[0].default",
            "default_invalid",
        ),
    ];
    for (body, path, code) in cases {
        let answer = app.admin.post("/collections", &body).await;
        assert_eq!(answer.status, 400, "{body}: {}", answer.text);
        answer.problems(&[(path, code)]);
    }
    let body = json!({"name": "x x x", "fields": [{"name": "a", "type": "text"}, {"name": "A", "type": "nope"}]});
    let answer = app.admin.post("/collections", &body).await;
    answer.problems(&[
        ("name", "name_invalid_format"),
        ("schema[1].name", "field_name_duplicate"),
        ("schema[1].type", "field_type_invalid"),
    ]);
    assert_eq!(app.admin.get("/collections").await.ok(200)["total"], 0);
}

async fn bodies_without_a_shape_are_422(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "a", "type": "text"}]);
    for body in [
        json!({}),
        json!({"name": "things"}),
        json!({"fields": fields}),
        json!({"name": "ab", "fields": fields}),
        json!({"name": "a".repeat(65), "fields": fields}),
        json!({"name": "things", "fields": []}),
        json!({"name": "things", "fields": "a"}),
        json!({"name": "things", "fields": [5]}),
        json!({"name": 5, "fields": fields}),
        json!([]),
    ] {
        app.admin.post("/collections", &body).await.refused(422, "");
    }
}

async fn rules_can_be_given_and_are_checked(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "a", "type": "text"}]);
    let mut rules = open();
    rules["update_rule"] = json!("a = 'x' && @owns_record()");
    rules["view_fields"] = json!("[\"a\"]");
    app.collection("good", &fields, &rules).await;
    let stored = app.admin.get("/collections/good/rules").await.ok(200);
    assert_eq!(
        (&stored["update_rule"], &stored["list_rule"]),
        (&rules["update_rule"], &json!(""))
    );
    for (rule, value) in [("list_rule", json!("b = 1")), ("create_rule", json!("("))] {
        let body = json!({"name": "bad", "fields": fields, rule: value});
        app.admin.post("/collections", &body).await.refused(400, "");
    }
    let body = json!({"name": "bad", "fields": fields, "list_fields": "a"});
    app.admin.post("/collections", &body).await.refused(422, "");
    app.admin.get("/collections/bad").await.refused(404, "");
}

async fn lists_page_search_and_sort(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for name in ["alpha", "Beta", "gamma", "alphabet"] {
        app.collection(name, &json!([{"name": "a", "type": "text"}]), &closed())
            .await;
    }
    let names = async |query: &str| -> Vec<String> {
        let list = app
            .admin
            .get(&format!("/collections?{query}"))
            .await
            .ok(200);
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        names("sort_by=name&sort_order=asc").await,
        ["alpha", "alphabet", "Beta", "gamma"]
    );
    assert_eq!(
        names("sort_by=name&sort_order=asc&page=2&page_size=3").await,
        ["gamma"]
    );
    assert_eq!(
        names("sort_by=name&sort_order=desc&search=ALPHA").await,
        ["alphabet", "alpha"]
    );
    assert_eq!(names("").await[0], "alphabet");
    let list = app.admin.get("/collections?page_size=3").await.ok(200);
    assert_eq!(
        (&list["total"], &list["total_pages"]),
        (&json!(4), &json!(2))
    );
    for wrong in ["page=0", "page_size=101", "page=x"] {
        app.admin
            .get(&format!("/collections?{wrong}"))
            .await
            .refused(422, "");
    }
}

async fn collections_are_for_superadmins(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let id = app
        .collection("posts", &json!([{"name": "a", "type": "text"}]), &open())
        .await["id"]
        .clone();
    let id = id.as_str().unwrap();
    let user = app.register().await;
    let body = json!({"name": "others", "fields": [{"name": "a", "type": "text"}]});
    for (caller, status) in [
        ((*user).clone(), 403),
        (app.anonymous(), 401),
        (app.visitor_of(&user), 401),
    ] {
        caller.get("/collections").await.refused(status, "");
        caller.get("/collections/names").await.refused(status, "");
        caller
            .get(&format!("/collections/{id}"))
            .await
            .refused(status, "");
        caller.post("/collections", &body).await.refused(status, "");
        // Who may not, learns nothing about what is wrong.
        caller
            .post("/collections", &json!([]))
            .await
            .refused(status, "");
        caller
            .put(&format!("/collections/{id}"), &body)
            .await
            .refused(status, "");
        caller
            .delete(&format!("/collections/{id}"))
            .await
            .refused(status, "");
    }
    assert_eq!(app.admin.get("/collections").await.ok(200)["total"], 1);
}

async fn of_many_who_create_one_name_at_once_exactly_one_succeeds(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for round in 0..3 {
        let creations = (0..8).map(|index| {
            let (admin, name) = (app.admin.clone(), if index % 2 == 0 { "Race" } else { "race" });
            let body =
                json!({"name": format!("{name}{round}"), "fields": [{"name": format!("f{index}"), "type": "text"}]});
            async move { admin.post("/collections", &body).await }
        });
        let answers = soon("the race", futures_util::future::join_all(creations)).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        let winner = answers
            .into_iter()
            .find(|answer| answer.status == 201)
            .unwrap()
            .body;
        let field = winner["schema"][0]["name"].as_str().unwrap();
        let name = winner["name"].as_str().unwrap();
        app.admin.create(name, &json!({field: "works"})).await;
    }
}

async fn names_of_sql_are_ordinary_names(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let words = [
        "select", "order", "group", "from", "table", "position", "user", "index", "values", "r",
        "t", "new", "old", "rowid",
    ];
    let fields: Vec<Value> = words
        .iter()
        .map(|word| json!({"name": word, "type": "text", "unique": true}))
        .collect();
    app.collection("select", &json!(fields), &open()).await;
    let user = app.register().await;
    let body: Value = Value::Object(
        words
            .iter()
            .map(|word| ((*word).to_owned(), json!(word)))
            .collect(),
    );
    let created = user.create("select", &body).await;
    for word in words {
        assert_eq!(created[word], word);
        let query = [
            ("filter", format!("{word} = '{word}'")),
            ("sort", word.to_owned()),
        ];
        let query: Vec<(&str, &str)> = query
            .iter()
            .map(|(key, value)| (*key, value.as_str()))
            .collect();
        assert_eq!(
            user.query("/records/select", &query).await.ok(200)["total"],
            1,
            "{word}"
        );
        let refusal = user
            .post("/records/select", &json!({word: word}))
            .await
            .refused(409, "");
        assert_eq!(refusal["field"], word);
    }
    // `records`, `batch` and names of system tables are no special names either.
    for name in [
        "users",
        "accounts",
        "change_log",
        "batch",
        "names",
        "sqlite_master",
        "pg_class",
    ] {
        app.collection(name, &json!([{"name": "a", "type": "text"}]), &open())
            .await;
        user.create(name, &json!({"a": "b"})).await;
        assert_eq!(
            user.get(&format!("/records/{name}")).await.ok(200)["total"],
            1,
            "{name}"
        );
    }
}
