use reqwest::Method;
use serde_json::json;

use crate::harness::{Backend, Form, TestApp, address, eventually};

crate::both![
    paths_that_lead_elsewhere_find_nothing,
    broken_forms_leave_nothing,
    connections_survive_refusals,
];

async fn paths_that_lead_elsewhere_find_nothing(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    std::fs::create_dir_all(app.database.folder().join("files")).unwrap();
    std::fs::write(
        app.database.folder().join("files/planted.txt"),
        "planted words",
    )
    .unwrap();
    let account = &user.account_id;
    for path in [
        "planted.txt".to_owned(),
        format!("{account}/../planted.txt"),
        format!("{account}/%2e%2e/planted.txt"),
        format!("{account}/..%2fplanted.txt"),
        format!("{account}/%2e%2e%2f%2e%2e%2fsecrets.toml"),
        format!("{account}/..%5c..%5csecrets.toml"),
        "%2fetc%2fpasswd".to_owned(),
        "..%2f..%2fsecrets.toml".to_owned(),
        format!("s3/{account}/x"),
        format!("{account}/%00"),
        format!("{account}/{}", "x".repeat(5000)),
        account.clone(),
        "%ff".to_owned(),
    ] {
        for method in [Method::GET, Method::DELETE] {
            let answer = user
                .send(user.request(method, &format!("/files/{path}")))
                .await;
            assert!(
                [400, 403, 404].contains(&answer.status),
                "{path}: {}",
                answer.status
            );
            let leaks = ["planted words", "secret_key"];
            assert!(
                !leaks.iter().any(|words| answer.text.contains(words)),
                "{path}"
            );
        }
    }
}

async fn broken_forms_leave_nothing(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let kind = Form::content_type();
    let text = "text/plain";
    let bodies = [
        (kind.as_str(), Vec::new()),
        (&kind, b"words".to_vec()),
        (&kind, Form::file("a.txt", text, b"words").unfinished()),
        (
            &kind,
            Form::new()
                .with_part(&"x".repeat(10_000), text, b"x")
                .body(),
        ),
        (
            "multipart/form-data",
            Form::file("a.txt", text, b"x").body(),
        ),
        (
            "multipart/form-data; boundary=",
            Form::file("a.txt", text, b"x").body(),
        ),
        (
            "multipart/form-data; boundary=other",
            Form::file("a.txt", text, b"x").body(),
        ),
    ];
    for (kind, body) in bodies {
        let request = user
            .request(Method::POST, "/files/upload")
            .header("content-type", kind);
        user.send(request.body(body))
            .await
            .refused(400, "multipart/form-data");
    }
    let listed = user.get("/files").await.ok(200);
    assert_eq!(
        (&listed["total"], &listed["used_bytes"]),
        (&json!(0), &json!(0))
    );
    eventually("the room of refused uploads is taken back", async || {
        files_below(&app.database.folder().join("files")) == 0
    })
    .await;
}

fn files_below(folder: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .map(|path| if path.is_dir() { files_below(&path) } else { 1 })
        .sum()
}

async fn connections_survive_refusals(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.max_bytes = 100_000).await;
    let user = app.register().await;
    for _ in 0..3 {
        let large = vec![b'a'; 1_000_000];
        user.upload("a.txt", "text/plain", &large)
            .await
            .problems(&[("file", "file_too_large")]);
        let file = user.upload_text("words").await;
        assert_eq!(user.get(&address(&file)).await.text, "words");
    }
}
