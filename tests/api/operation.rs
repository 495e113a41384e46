//! What people who run the server look at.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, Ws, eventually, open};

crate::both![
    the_last_requests_are_told_without_their_queries,
    the_last_requests_are_told_without_what_stands_in_their_paths,
    requests_are_found_by_status_method_and_path,
    requests_are_counted_by_the_minute,
    realtime_and_the_size_of_the_database_are_told_by_the_minute,
    the_types_of_all_records_are_told_in_typescript,
    settings_are_told_without_their_secrets,
    nobody_but_superadmins_looks_at_the_operation,
];

fn paths(list: &Value) -> Vec<&str> {
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["path"].as_str().unwrap())
        .collect()
}

async fn the_last_requests_are_told_without_their_queries(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let sent = app
        .anonymous()
        .with_header("x-correlation-id", "cid_of_mine")
        .get("/auth/me?token=abc")
        .await;
    assert_eq!(sent.status, 401);
    app.anonymous().get("//health").await.ok(200);
    let list = app.admin.get("/admin/requests").await.ok(200);
    let request = &list["items"][0];
    assert_eq!(
        (&request["method"], &request["path"]),
        (&json!("GET"), &json!("/api/v1/auth/me"))
    );
    assert_eq!(
        (&request["status"], &request["correlation_id"]),
        (&json!(401), &json!("cid_of_mine"))
    );
    assert_eq!(request["address"], "127.0.0.1");
    assert!(request["milliseconds"].as_f64().unwrap() > 0.0);
    assert!(!list.to_string().contains("abc"));
    assert!(!paths(&list).contains(&"/health"));
}

async fn the_last_requests_are_told_without_what_stands_in_their_paths(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for path in [
        "/auth/verify-reset-token/s3cret",
        "/invitations/s3cret",
        "/s3cret",
    ] {
        app.anonymous().get(path).await;
    }
    app.anonymous()
        .send(app.anonymous().request(reqwest::Method::HEAD, "/users"))
        .await;
    let list = app.admin.get("/admin/requests?limit=4").await.ok(200);
    assert!(!list.to_string().contains("s3cret"), "{list}");
    let told = list["items"].as_array().unwrap().iter();
    let told: Vec<_> = told
        .map(|item| {
            (
                item["method"].as_str().unwrap(),
                item["path"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("HEAD", "/api/v1/users"),
        ("GET", "unmatched"),
        ("GET", "/api/v1/invitations/{token}"),
        ("GET", "/api/v1/auth/verify-reset-token/{token}"),
    ];
    assert_eq!(told, expected);
}

async fn requests_are_found_by_status_method_and_path(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.admin
        .get("/records/nothing")
        .await
        .refused(404, "nothing");
    app.admin
        .delete("/collections/nothing")
        .await
        .refused(404, "");
    app.admin.get("/collections").await.ok(200);
    let found = async |query: &str| {
        let list = app
            .admin
            .get(&format!("/admin/requests?{query}"))
            .await
            .ok(200);
        paths(&list)
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(
        found("status=404").await,
        ["/api/v1/collections/{id}", "/api/v1/records/{collection}"]
    );
    assert_eq!(
        found("status=4xx&method=get").await,
        ["/api/v1/records/{collection}"]
    );
    assert_eq!(
        found("path=records&limit=1").await,
        ["/api/v1/records/{collection}"]
    );
    assert_eq!(found("min_milliseconds=100000").await, [""; 0]);
    let newest = app.admin.get("/admin/requests?limit=1").await.ok(200)["items"][0]["number"]
        .as_u64()
        .unwrap();
    let older = app
        .admin
        .get(&format!("/admin/requests?before={newest}&limit=1"))
        .await
        .ok(200);
    assert_eq!(older["items"][0]["number"], newest - 1);
    for query in [
        "status=abc",
        "status=99999999",
        "limit=0",
        "limit=501",
        "before=x",
        "method=a%20b",
    ] {
        let key = query.split('=').next().unwrap();
        let answer = app.admin.get(&format!("/admin/requests?{query}")).await;
        assert_eq!(answer.status, 422, "{query}");
        assert!(answer.text.contains(key), "{query}: {}", answer.text);
    }
}

async fn requests_are_counted_by_the_minute(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let counted = async |key: &str| {
        let figures = app
            .admin
            .get("/admin/figures?range_minutes=5")
            .await
            .ok(200);
        let minutes = figures["minutes"].as_array().unwrap();
        assert_eq!(minutes.len(), 5);
        minutes
            .iter()
            .map(|minute| minute[key].as_u64().unwrap())
            .sum::<u64>()
    };
    let (requests, errors) = (counted("requests").await, counted("client_errors").await);
    app.admin
        .get("/records/nothing")
        .await
        .refused(404, "nothing");
    // Itself, the one that failed, and those that asked before.
    assert_eq!(counted("requests").await, requests + 3);
    assert_eq!(counted("client_errors").await, errors + 1);
    assert_eq!(counted("server_errors").await, 0);
    assert_eq!(
        app.admin
            .get("/admin/figures?range_minutes=1441")
            .await
            .status,
        422
    );
}

async fn realtime_and_the_size_of_the_database_are_told_by_the_minute(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "n", "type": "number"}]), &open())
        .await;
    let user = app.register().await;
    let (mut first, mut second) = (Ws::connect(&user).await, Ws::connect(&user).await);
    first.subscribe("posts").await;
    second.subscribe("posts").await;
    for n in 0..3 {
        user.create("posts", &json!({ "n": n })).await;
    }
    for _ in 0..3 {
        first.expect_event("posts.create").await;
        second.expect_event("posts.create").await;
    }
    // The events are counted a moment after they were sent.
    eventually("six deliveries", async || {
        let figures = app
            .admin
            .get("/admin/figures?range_minutes=60")
            .await
            .ok(200);
        let minutes = figures["minutes"].as_array().unwrap();
        let newest = minutes.last().unwrap();
        assert!(newest["database_bytes"].as_i64().unwrap() > 0);
        assert_eq!(
            minutes[0]["database_bytes"],
            Value::Null,
            "an hour ago nobody looked"
        );
        assert_eq!(
            (
                &minutes[0]["realtime_connections"],
                &minutes[0]["realtime_deliveries"]
            ),
            (&Value::Null, &json!(0))
        );
        let most = minutes
            .iter()
            .filter_map(|minute| minute["realtime_connections"].as_u64())
            .max();
        let deliveries = minutes
            .iter()
            .map(|minute| minute["realtime_deliveries"].as_u64().unwrap())
            .sum::<u64>();
        most == Some(2) && deliveries == 6
    })
    .await;
}

async fn the_types_of_all_records_are_told_in_typescript(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "blog_posts",
        &json!([{"name": "title", "type": "text", "required": true}]),
        &open(),
    )
    .await;
    let answer = app.admin.get("/admin/types/typescript").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert!(
        answer.text.contains("export interface BlogPostsRecord"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("  title: string;"), "{}", answer.text);
}

async fn settings_are_told_without_their_secrets(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    // A program that makes its configuration itself has no sources to tell of.
    assert_eq!(
        app.admin.get("/admin/settings").await.ok(200)["items"],
        json!([])
    );
}

async fn nobody_but_superadmins_looks_at_the_operation(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for path in [
        "/admin/requests",
        "/admin/figures",
        "/admin/settings",
        "/admin/types/typescript",
    ] {
        user.get(path).await.refused(403, "Superadmin");
        app.anonymous().get(path).await.refused(401, "");
    }
}
