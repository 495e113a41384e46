//! The shape of errors and of what surrounds every answer.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Backend, TestApp, open};

crate::both![
    malformed_bodies_are_422_with_the_place,
    both_slash_forms_of_a_path_are_the_same,
    unknown_paths_and_methods_are_json,
    every_answer_has_an_id_and_careful_headers,
    requests_without_credentials_are_told_to_bring_some,
];

async fn malformed_bodies_are_422_with_the_place(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    for body in [
        "",
        "{",
        "[]",
        "\"text\"",
        "5",
        "null",
        "{\"title\": 1,}",
        "{'title': 1}",
    ] {
        let request = user
            .request(Method::POST, "/records/posts")
            .header("content-type", "application/json")
            .body(body);
        let refusal = user.send(request).await.refused(422, "");
        assert_eq!(refusal["detail"][0]["loc"][0], "body", "{body}: {refusal}");
        assert!(
            refusal["detail"][0]["type"].is_string() && refusal["detail"][0]["msg"].is_string(),
            "{refusal}"
        );
    }
    let refusal = user
        .get("/records/posts?limit=101")
        .await
        .refused(422, "limit");
    assert_eq!(refusal["detail"][0]["loc"], json!(["query", "limit"]));
    assert_eq!(refusal["detail"][0]["type"], "less_than_equal");
}

async fn both_slash_forms_of_a_path_are_the_same(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    user.post("/records/posts/", &json!({"title": "a"}))
        .await
        .ok(201);
    assert_eq!(
        user.get("/records/posts/?limit=5").await.ok(200)["total"],
        1
    );
    assert_eq!(user.get("/records/posts?limit=5").await.ok(200)["total"], 1);
}

async fn unknown_paths_and_methods_are_json(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for path in [
        "/nothing",
        "/records",
        "//api/v2",
        "//api/v1/records/a/b/c/d",
    ] {
        assert_eq!(
            app.admin.get(path).await.refused(404, "Not Found")["detail"],
            "Not Found",
            "{path}"
        );
    }
    let answer = app.admin.patch("/collections", &json!({})).await;
    assert_eq!(
        answer.refused(405, "Method Not Allowed")["detail"],
        "Method Not Allowed"
    );
}

async fn every_answer_has_an_id_and_careful_headers(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for path in ["//health", "/nothing", "/collections"] {
        let answer = app.anonymous().get(path).await;
        let id = answer.header("x-correlation-id").unwrap();
        assert!(id.starts_with("cid_") && id.len() == 16, "{id}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        assert!(answer.header("content-security-policy").is_some(), "{path}");
    }
    let answer = app
        .anonymous()
        .with_header("x-correlation-id", "mine")
        .get("//health")
        .await;
    assert_eq!(answer.header("x-correlation-id"), Some("mine"));
}

async fn requests_without_credentials_are_told_to_bring_some(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for client in [
        app.anonymous(),
        app.anonymous()
            .with_header("authorization", "Bearer nonsense"),
    ] {
        let answer = client.get("/collections").await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        answer.refused(401, "");
    }
    let user = app.register().await;
    let message = user.get("/collections").await.refused(403, "")["message"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        !message.contains("superadmin") && !message.contains("restricted"),
        "{message}"
    );
}
