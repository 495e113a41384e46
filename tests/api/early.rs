//! Answers that are ready before the whole of a request has come.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::harness::{Backend, TestApp, open, soon};

crate::both![
    an_early_answer_reaches_a_client_that_sends_everything_before_it_reads,
    an_early_answer_reaches_a_client_that_reads_while_it_sends,
    a_connection_goes_on_after_an_early_answer,
    a_client_that_asks_first_is_not_told_to_send_what_nobody_wants,
    a_body_without_an_end_is_not_read_for_ever,
];

const MEGABYTE: usize = 1 << 20;

/// A connection that is written to and read from by hand.
struct Raw(TcpStream);

impl Raw {
    async fn connect(app: &TestApp) -> Self {
        Self(
            TcpStream::connect(app.base.trim_start_matches("http://"))
                .await
                .unwrap(),
        )
    }

    async fn write(&mut self, bytes: &[u8]) {
        soon("the server to take bytes", self.0.write_all(bytes))
            .await
            .unwrap();
    }

    /// The head of the next answer; its body must be in one piece with it.
    async fn answer(&mut self) -> String {
        let mut text = String::new();
        let mut bytes = vec![0; 8 << 10];
        while !text.contains("\r\n\r\n") {
            let read = soon("an answer", self.0.read(&mut bytes)).await.unwrap();
            assert!(read > 0, "the connection was closed after: {text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..read]));
        }
        text
    }
}

fn head(method: &str, path: &str, headers: &str, length: usize) -> String {
    format!(
        "{method} {path} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {length}\r\n\r\n"
    )
}

/// Requests that are refused before their bodies matter: method, path, headers and the status of
/// the answer.
async fn refused(app: &TestApp) -> Vec<(&'static str, &'static str, String, u16)> {
    app.collection(
        "notes",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    let token = format!("authorization: Bearer {}\r\n", user.token);
    let form = "content-type: multipart/form-data; boundary=x\r\n".to_owned();
    vec![
        ("POST", "/api/v1/users", form, 401),
        (
            "POST",
            "/api/v1/records/notes",
            "authorization: Bearer wrong\r\n".to_owned(),
            401,
        ),
        ("POST", "/api/v1/nowhere", String::new(), 404),
        ("PUT", "/api/v1/auth/login", String::new(), 405),
        ("BREW", "/api/v1/users", String::new(), 405),
        ("GET", "/api/v1/records/notes?limit=x", token.clone(), 422),
        ("POST", "/api/v1/records/notes", token, 413),
    ]
}

async fn an_early_answer_reaches_a_client_that_sends_everything_before_it_reads(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let part = vec![b'x'; MEGABYTE];
    for (method, path, headers, status) in refused(&app).await {
        for megabytes in [11, 40] {
            let mut client = Raw::connect(&app).await;
            client
                .write(head(method, path, &headers, megabytes * MEGABYTE).as_bytes())
                .await;
            for _ in 0..megabytes {
                client.write(&part).await;
            }
            let answer = client.answer().await;
            assert!(
                answer.starts_with(&format!("HTTP/1.1 {status} ")),
                "{method} {path} {megabytes}: {answer}"
            );
        }
    }
}

async fn an_early_answer_reaches_a_client_that_reads_while_it_sends(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    refused(&app).await;
    let page = app
        .anonymous()
        .with_header("origin", "http://localhost:3000");
    for _ in 0..10 {
        let request = page
            .request(Method::POST, "/records/notes")
            .header("authorization", "Bearer wrong");
        let answer = page.send(request.body(vec![b'x'; 20 * MEGABYTE])).await;
        assert_eq!(
            (answer.status, answer.header("access-control-allow-origin")),
            (401, Some("http://localhost:3000"))
        );
    }
}

async fn a_connection_goes_on_after_an_early_answer(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut client = Raw::connect(&app).await;
    for _ in 0..3 {
        client
            .write(head("POST", "/api/v1/users", "", 3 * MEGABYTE).as_bytes())
            .await;
        // The answer is there before the body.
        assert!(client.answer().await.starts_with("HTTP/1.1 401 "));
        client.write(&vec![b'x'; 3 * MEGABYTE]).await;
        client
            .write(b"POST /api/v1/users HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
            .await;
        assert!(client.answer().await.starts_with("HTTP/1.1 401 "));
        client.write(b"5\r\nhello\r\n0\r\n\r\n").await;
    }
    client.write(head("GET", "/health", "", 0).as_bytes()).await;
    assert!(client.answer().await.starts_with("HTTP/1.1 200 "));
}

async fn a_client_that_asks_first_is_not_told_to_send_what_nobody_wants(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    refused(&app).await;
    let expect = "expect: 100-continue\r\n";
    let mut client = Raw::connect(&app).await;
    client
        .write(head("POST", "/api/v1/users", expect, 20 * MEGABYTE).as_bytes())
        .await;
    assert!(client.answer().await.starts_with("HTTP/1.1 401 "));
    let mut client = Raw::connect(&app).await;
    let headers = format!("{expect}authorization: Bearer {}\r\n", app.admin.token);
    client
        .write(head("POST", "/api/v1/records/notes", &headers, 20 * MEGABYTE).as_bytes())
        .await;
    let answer = client.answer().await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    // Who is told to go on gets an answer to what it sends.
    let mut client = Raw::connect(&app).await;
    client
        .write(head("POST", "/api/v1/records/notes", &headers, 13).as_bytes())
        .await;
    assert!(client.answer().await.starts_with("HTTP/1.1 100 "));
    client.write(b"{\"title\":\"x\"}").await;
    assert!(client.answer().await.starts_with("HTTP/1.1 201 "));
}

async fn a_body_without_an_end_is_not_read_for_ever(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let mut client = Raw::connect(&app).await;
    client
        .write(head("POST", "/api/v1/users", "", 1 << 40).as_bytes())
        .await;
    let answer = client.answer().await;
    assert!(
        answer.starts_with("HTTP/1.1 401 ") && answer.contains("connection: close"),
        "{answer}"
    );
    let part = vec![b'x'; MEGABYTE];
    let mut sent = 0;
    while client.0.write_all(&part).await.is_ok() {
        sent += 1;
        assert!(sent < 2000, "the server reads on and on");
    }
}
