//! Of what strangers send with their requests, nothing stays.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::Request;
use serde_json::json;
use snackbase::traffic::Wanted;
use tower::ServiceExt as _;

use crate::harness::{Backend, TestApp, eventually, open, raw};

crate::both![
    an_invented_method_is_answered_and_the_connection_goes_on,
    refused_writes_leave_no_note_of_where_they_came_from,
];

/// The values of a label in the figures.
fn label_values(figures: &str, label: &str) -> BTreeSet<String> {
    let marker = format!("{label}=\"");
    let values = figures
        .split(&marker)
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    values.map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_thousand_odd_requests_leave_nothing_in_figures_and_lists() {
    const REQUESTS: usize = 100_000;
    let app = TestApp::spawn(Backend::Sqlite).await;
    let router = snackbase::http::router(app.services().clone());
    let filler = "q".repeat(3000);
    for number in 0..REQUESTS {
        let odd = format!("{filler}{number}");
        let invented = format!("ODD{number}");
        let methods = ["GET", "DELETE", "OPTIONS", "PROPFIND", "TRACE", &invented];
        let paths = [
            format!("/qq/{odd}"),
            format!("/api/v1/records/{odd}"),
            format!("/api/v1/users/{odd}?{odd}={odd}"),
        ];
        let request = Request::builder()
            .method(methods[number % methods.len()])
            .uri(&paths[number / methods.len() % paths.len()])
            .header("user-agent", &odd)
            .header("x-correlation-id", &odd)
            .header("x-account-id", &odd)
            .header("origin", format!("https://{odd}.example"))
            .header("authorization", format!("Bearer {odd}"));
        let answer = router
            .clone()
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert!((200..502).contains(&answer.status().as_u16()), "{answer:?}");
    }
    let services = app.services();
    let figures = services.metrics.render();
    assert!(!figures.contains("qqq") && !figures.contains("ODD"));
    // Other tests count in the same process; there are no more methods than those.
    let known = [
        "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "other",
    ]
    .map(str::to_owned);
    let methods = label_values(&figures, "method");
    assert!(methods.is_subset(&known.into()), "{methods:?}");
    let kept = services.traffic.recent(&Wanted {
        limit: usize::MAX,
        ..Wanted::default()
    });
    assert!(!kept.is_empty() && kept.len() <= 2000);
    for answered in kept {
        let request = &answered.request;
        let bytes = request.route().len()
            + request.correlation_id().len()
            + request.user_agent().map_or(0, str::len);
        assert!(
            bytes <= 400 && !request.route().contains("qqq"),
            "{answered:?}"
        );
    }
    assert_eq!(services.audit.origins().waiting(), 0);
}

async fn an_invented_method_is_answered_and_the_connection_goes_on(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let head = "/api/v1/users HTTP/1.1\r\nhost: localhost\r\n";
    let requests = format!(
        "BREW {head}\r\nBREW {head}content-length: 2\r\n\r\n{{}}GET {head}connection: close\r\n\r\n"
    );
    let (status, text) = raw::exchange(&app.base, requests.as_bytes()).await;
    assert_eq!(status, 405);
    let statuses: Vec<_> = text
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| answer[..3].to_owned())
        .collect();
    assert_eq!(statuses, ["405", "405", "401"], "{text}");
    assert!(
        text.contains("x-correlation-id: cid_") && text.contains("Unknown HTTP method"),
        "{text}"
    );
    let list = app.admin.get("/admin/requests").await.ok(200);
    assert!(
        list["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|item| item["method"] != "BREW" && item["method"] != "other")
    );
}

async fn refused_writes_leave_no_note_of_where_they_came_from(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "code", "type": "text", "unique": true}]);
    app.collection("open_notes", &fields, &open()).await;
    let mut rules = open();
    rules["create_rule"] = json!("title = 'good'");
    rules["update_rule"] = json!("title = 'good'");
    app.collection("notes", &fields, &rules).await;
    let user = app.register().await;
    let id = user.create_id("open_notes", &json!({"code": "a"})).await;
    let other = user.create_id("open_notes", &json!({"code": "b"})).await;
    let nowhere = "0192d3a4-0000-7000-8000-000000000000";
    let body = json!({"title": "x"});
    for _ in 0..20 {
        user.patch(&format!("/records/open_notes/{nowhere}"), &body)
            .await
            .refused(404, "");
        user.put(&format!("/records/open_notes/{nowhere}"), &body)
            .await
            .refused(404, "");
        user.post("/records/notes", &body).await.refused(400, "");
        user.post("/records/open_notes", &json!({"code": "a"}))
            .await
            .refused(409, "");
        user.patch(&format!("/records/open_notes/{id}"), &json!({"code": "b"}))
            .await
            .refused(409, "");
        let several = json!({"records": [{"title": "y"}, {"code": "a"}]});
        user.post("/records/open_notes/batch", &several)
            .await
            .refused(409, "");
        let several = json!({"records": [{"id": id, "data": {"title": "y"}}, {"id": other, "data": {"code": "a"}}]});
        user.patch("/records/open_notes/batch", &several)
            .await
            .refused(409, "");
        let several = json!({"records": [{"id": id, "data": {"title": "y"}}, {"id": nowhere, "data": {"title": "z"}}]});
        user.patch("/records/open_notes/batch", &several)
            .await
            .refused(404, "");
    }
    let origins = app.services().audit.origins();
    // What was written before waits until it is in the trail.
    eventually("the trail to have taken everything over", async || {
        origins.waiting() == 0
    })
    .await;
}
