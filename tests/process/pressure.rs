//! One client that behaves badly costs the others nothing, and the server no memory.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};

use crate::harness::{Backend, Client, Database, Process, eventually, soon};

crate::both![
    ten_thousand_invented_methods_leave_no_memory_and_no_figures,
    refused_writes_with_long_heads_leave_no_memory,
    answers_that_nobody_takes_are_given_up,
];

/// What a server may hold more than before: allocators keep some of what was used.
const SLACK: u64 = 64 << 20;

async fn connect(base: &str) -> TcpStream {
    TcpStream::connect(base.trim_start_matches("http://"))
        .await
        .unwrap()
}

/// Sends the same request again and again over one connection.
async fn repeat(base: &str, count: usize, request: impl Fn(usize) -> String) {
    let mut stream = connect(base).await;
    let mut answers = vec![0; 64 << 10];
    for number in 0..count {
        stream.write_all(request(number).as_bytes()).await.unwrap();
        let read = soon("an answer", stream.read(&mut answers)).await.unwrap();
        assert!(answers[..read].starts_with(b"HTTP/1.1 "), "{number}");
    }
}

async fn figures(client: &Client) -> String {
    client.get("//metrics").await.text
}

async fn ten_thousand_invented_methods_leave_no_memory_and_no_figures(backend: Backend) {
    let database = Database::create(backend).await;
    let server = Process::serve(&database, &[]);
    let anonymous = server.anonymous();
    repeat(&server.base, 10, |_| {
        "GET /health HTTP/1.1\r\nhost: x\r\n\r\n".to_owned()
    })
    .await;
    let (memory, before) = (server.memory(), figures(&anonymous).await);
    let filler = "A".repeat(8000);
    repeat(&server.base, 10_000, |number| {
        format!("M{number}{filler} /health HTTP/1.1\r\nhost: x\r\n\r\n")
    })
    .await;
    let after = figures(&anonymous).await;
    assert!(
        after.len() < before.len() + 4096,
        "{} -> {}",
        before.len(),
        after.len()
    );
    if let (Some(before), Some(after)) = (memory, server.memory()) {
        assert!(after < before + SLACK, "{before} -> {after}");
    }
}

async fn refused_writes_with_long_heads_leave_no_memory(backend: Backend) {
    let database = Database::create(backend).await;
    let server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    let notes =
        json!({"name": "notes", "fields": [{"name": "title", "type": "text"}], "update_rule": ""});
    admin.post("/collections", &notes).await.ok(201);
    let memory = server.memory();
    let agent = "u".repeat(100_000);
    let id = "0192d3a4-0000-7000-8000-00000000";
    repeat(&server.base, 2000, |number| {
        format!(
            "PATCH /api/v1/records/notes/{id}{number:04} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nuser-agent: {agent}\r\n\
             x-correlation-id: {number}\r\ncontent-length: 13\r\n\r\n{{\"title\":\"x\"}}",
            admin.token
        )
    })
    .await;
    if let (Some(before), Some(after)) = (memory, server.memory()) {
        assert!(after < before + SLACK, "{before} -> {after}");
    }
}

async fn answers_that_nobody_takes_are_given_up(backend: Backend) {
    let database = Database::create(backend).await;
    let server = Process::serve(
        &database,
        &[
            ("WRITE_TIMEOUT_SECONDS", "1"),
            ("REALTIME_STALL_SECONDS", "1"),
        ],
    );
    let admin = server.admin().await;
    let notes =
        json!({"name": "notes", "fields": [{"name": "text", "type": "text"}], "list_rule": ""});
    admin.post("/collections", &notes).await.ok(201);
    let text = "x".repeat(500_000);
    for _ in 0..20 {
        admin.create_id("notes", &json!({"text": text})).await;
    }
    // More than the buffers of both systems hold.
    let head = |path: &str| {
        format!(
            "GET /api/v1/{path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
            admin.token
        )
    };
    let address = server.base.trim_start_matches("http://").parse().unwrap();
    let mut streams = Vec::new();
    for path in [
        "records/notes?limit=20",
        "records/notes?limit=20",
        "realtime/subscribe?collection=notes&snapshot=true&limit=20",
    ] {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(8192).unwrap();
        let mut stream = socket.connect(address).await.unwrap();
        stream.write_all(head(path).as_bytes()).await.unwrap();
        streams.push(stream);
    }
    eventually("all three to be given up", async || {
        let figures = figures(&admin).await;
        figures
            .lines()
            .any(|line| line == "snackbase_http_connections_stalled_total 3")
    })
    .await;
    for stream in &mut streams {
        // What the systems hold can still be read; then comes the end, before the whole of the
        // answer.
        let mut taken = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut taken)).await;
        assert!(taken.len() < 20 * text.len(), "{}", taken.len());
    }
    admin.get("/records/notes?limit=1").await.ok(200);
}
