use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    a_page_has_its_records_and_the_total,
    sorting_takes_several_keys_and_bare_names_ascend,
    fields_narrow_what_is_listed,
    filters_select,
    filters_that_are_wrong_are_refused_with_the_reason,
    unknown_parameters_are_refused,
    numbers_out_of_range_are_never_clamped,
    lists_name_the_account,
    filters_and_totals_follow_writes_at_once,
];

async fn items(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "name", "type": "text"},
        {"name": "n", "type": "number"},
        {"name": "b", "type": "boolean"},
        {"name": "j", "type": "json"},
        {"name": "d", "type": "datetime"}
    ]);
    app.collection("items", &fields, &open()).await;
    let user = app.register().await;
    let records = json!({"records": [
        {"name": "apple", "n": 1, "b": true, "d": "2025-01-01T00:00:00Z"},
        {"name": "Banana", "n": 2, "b": false, "d": "2025-01-02T01:00:00+01:00"},
        {"name": "cherry", "n": 2, "b": true, "j": {"x": 1}},
        {"name": "it's", "n": -5, "b": null},
        {"name": null, "n": null, "b": null}
    ]});
    user.post("/records/items/batch", &records).await.ok(201);
    (app, user)
}

async fn names(user: &User, query: &[(&str, &str)]) -> Vec<Value> {
    let page = user.query("/records/items", query).await.ok(200);
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["name"].clone())
        .collect()
}

async fn a_page_has_its_records_and_the_total(backend: Backend) {
    let (_app, user) = items(backend).await;
    let page = user
        .query(
            "/records/items",
            &[("skip", "1"), ("limit", "2"), ("sort", "+n,+name")],
        )
        .await
        .ok(200);
    assert_eq!(
        (&page["total"], &page["skip"], &page["limit"]),
        (&json!(5), &json!(1), &json!(2))
    );
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["has_more"], true);
    let beyond = user
        .query("/records/items", &[("skip", "50")])
        .await
        .ok(200);
    assert_eq!(
        (&beyond["total"], &beyond["items"]),
        (&json!(5), &json!([]))
    );
    let all = user.get("/records/items").await.ok(200);
    assert_eq!(
        (&all["limit"], &all["skip"], &all["has_more"]),
        (&json!(30), &json!(0), &json!(false))
    );
    // Newest first, unless sorted otherwise; what is listed is what a GET shows.
    let first = &all["items"][0];
    let fetched = user
        .get(&format!("/records/items/{}", first["id"].as_str().unwrap()))
        .await
        .ok(200);
    assert_eq!(
        (&first["id"], &first["created_at"]),
        (&fetched["id"], &fetched["created_at"])
    );
}

async fn sorting_takes_several_keys_and_bare_names_ascend(backend: Backend) {
    let (_app, user) = items(backend).await;
    let valued = ("filter", "n IS NOT NULL");
    let bare = names(&user, &[("sort", "n,-name"), valued]).await;
    assert_eq!(bare, ["it's", "apple", "cherry", "Banana"]);
    assert_eq!(names(&user, &[("sort", "+n,-name"), valued]).await, bare);
    // A raw plus arrives as a space.
    assert_eq!(names(&user, &[("sort", " n,-name"), valued]).await, bare);
    assert_eq!(
        names(&user, &[("sort", "-n,name"), valued]).await,
        ["Banana", "cherry", "apple", "it's"]
    );
    for system in [
        "id",
        "-created_at",
        "updated_at",
        "created_by",
        "-updated_by",
    ] {
        assert_eq!(names(&user, &[("sort", system)]).await.len(), 5, "{system}");
    }
    let refusal = user
        .query("/records/items", &[("sort", "nonsense")])
        .await
        .refused(400, "nonsense");
    assert!(refusal["error"].is_string());
}

async fn fields_narrow_what_is_listed(backend: Backend) {
    let (_app, user) = items(backend).await;
    user.query("/records/items", &[("fields", "name,nonsense")])
        .await
        .refused(400, "nonsense");
    let page = user
        .query("/records/items", &[("fields", "name")])
        .await
        .ok(200);
    for item in page["items"].as_array().unwrap() {
        let keys = item.as_object().unwrap();
        assert!(
            keys.contains_key("name") && keys.contains_key("created_by") && keys.contains_key("id")
        );
        assert!(!keys.contains_key("n"), "{item}");
    }
    let page = user
        .query("/records/items", &[("fields", "*")])
        .await
        .ok(200);
    assert!(page["items"][0].as_object().unwrap().contains_key("n"));
}

async fn filters_select(backend: Backend) {
    let (_app, user) = items(backend).await;
    let cases: &[(&str, &[&str])] = &[
        ("", &["it's", "apple", "Banana", "cherry"]),
        ("   ", &["it's", "apple", "Banana", "cherry"]),
        ("n = 2", &["Banana", "cherry"]),
        ("n = 2 && b = true", &["cherry"]),
        (
            "n >= 1 || n <= 0 && b = true",
            &["apple", "Banana", "cherry"],
        ),
        ("!(n = 2) && name != null", &["it's", "apple"]),
        ("n > -6 && n < 0", &["it's"]),
        ("n IN (-5, 1)", &["it's", "apple"]),
        ("name in ('apple', \"cherry\")", &["apple", "cherry"]),
        ("n + 1 > 2", &["Banana", "cherry"]),
        ("-n > 1", &["it's"]),
        ("name ~ 'b%'", &["Banana"]),
        ("name ~ '%E%'", &["apple", "cherry"]),
        ("name = 'it\\'s'", &["it's"]),
        ("name = 'banana'", &[]),
        ("b", &["apple", "cherry"]),
        ("b = null && n != null", &["it's"]),
        ("j IS NOT NULL", &["cherry"]),
        ("d = '2025-01-02T00:00:00Z'", &["Banana"]),
        ("d < '2025-01-02'", &["apple"]),
        ("created_by = 'nobody'", &[]),
        (
            "created_at > '2020-01-01'",
            &["it's", "apple", "Banana", "cherry"],
        ),
        ("'apple' = name", &["apple"]),
        (
            "n = n && name = name",
            &["it's", "apple", "Banana", "cherry"],
        ),
    ];
    for (filter, expected) in cases {
        let mut found = names(&user, &[("filter", filter), ("sort", "n,name")]).await;
        found.retain(|name| !name.is_null());
        assert_eq!(found, *expected, "{filter}");
    }
    let id = user.create_id("items", &json!({"name": "by id"})).await;
    assert_eq!(
        names(&user, &[("filter", &format!("id = '{id}'"))]).await,
        ["by id"]
    );
}

async fn filters_that_are_wrong_are_refused_with_the_reason(backend: Backend) {
    let (_app, user) = items(backend).await;
    let wrong = [
        "n = ",
        "(n = 1",
        "n = 1)",
        "n == 1",
        "n = 1 = 2",
        "n IN ()",
        "n=.5",
        "nonsense = 1",
        "a.b = 1",
        "@request.auth.id = 'x'",
        "@has_role('admin')",
        "b > true",
        "j = 'x'",
        "n = 1 and n = 2",
        "NOT b",
        "n = 'one'; x",
        "n = 1 & n = 2",
        "name LIKE 'x'",
        "name = 'open",
        "$1 = 1",
        "n[0] = 1",
        "-- comment",
    ];
    for filter in wrong {
        let refusal = user
            .query("/records/items", &[("filter", filter)])
            .await
            .refused(400, "");
        assert_eq!(
            refusal["error"], "Invalid filter expression",
            "{filter}: {refusal}"
        );
    }
}

async fn unknown_parameters_are_refused(backend: Backend) {
    let (_app, user) = items(backend).await;
    let refusal = user
        .get("/records/items?name=apple")
        .await
        .refused(400, "filter");
    assert_eq!(refusal["error"], "Unsupported query parameter");
}

async fn numbers_out_of_range_are_never_clamped(backend: Backend) {
    let (_app, user) = items(backend).await;
    for query in [
        "limit=101",
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=1e9",
        "skip=-1",
        "skip=x",
        "limit=99999999999999999999",
    ] {
        user.get(&format!("/records/items?{query}"))
            .await
            .refused(422, "");
    }
    user.get("/records/items?limit=100").await.ok(200);
}

async fn lists_name_the_account(backend: Backend) {
    let (app, user) = items(backend).await;
    let page = user.get("/records/items?limit=1").await.ok(200);
    assert_eq!(page["items"][0]["account_name"], user.account_slug.as_str());
    // A superadmin sees the records of every account.
    let stranger = app.register().await;
    stranger.create("items", &json!({"name": "theirs"})).await;
    let page = app
        .admin
        .get("/records/items?sort=-created_at")
        .await
        .ok(200);
    assert_eq!(page["total"], 6);
    assert_eq!(
        page["items"][0]["account_name"],
        stranger.account_slug.as_str()
    );
    assert_eq!(stranger.get("/records/items").await.ok(200)["total"], 1);
}

async fn filters_and_totals_follow_writes_at_once(backend: Backend) {
    let (_app, user) = items(backend).await;
    for round in 0..10 {
        let total = async |filter: &str| {
            user.query("/records/items", &[("filter", filter)])
                .await
                .ok(200)["total"]
                .clone()
        };
        assert_eq!(total("n = 77").await, 0, "round {round}");
        let id = user.create_id("items", &json!({"n": 77})).await;
        assert_eq!(
            (total("n = 77").await, total("").await),
            (json!(1), json!(6)),
            "round {round}"
        );
        user.patch(&format!("/records/items/{id}"), &json!({"n": 78}))
            .await
            .ok(200);
        assert_eq!(
            (total("n = 77").await, total("n = 78").await),
            (json!(0), json!(1)),
            "round {round}"
        );
        user.delete(&format!("/records/items/{id}")).await.ok(204);
        assert_eq!(
            (total("n = 78").await, total("").await),
            (json!(0), json!(5)),
            "round {round}"
        );
    }
}
