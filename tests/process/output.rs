//! What nobody reads does not matter: logs and the output of commands.

use serde_json::json;

use crate::harness::{Backend, Database, LogReader, Process, SUPERADMIN, eventually};

crate::both![
    a_server_whose_log_nobody_reads_starts_serves_and_stops,
    commands_whose_output_nobody_reads_end_quietly,
];

async fn a_server_whose_log_nobody_reads_starts_serves_and_stops(backend: Backend) {
    for reader in [LogReader::Gone, LogReader::Stuck] {
        let database = Database::create(backend).await;
        let mut server = Process::serve_unread(&database, reader);
        let anonymous = server.anonymous();
        let health = format!("{}/health", server.base);
        let client = reqwest::Client::new();
        let is_up = async || {
            client
                .get(&health)
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
        };
        eventually("the server to start", is_up).await;
        let admin = server.admin().await;
        // Each is a line in the log, and all of them together are more than a pipe holds.
        for _ in 0..1500 {
            anonymous.get("/nowhere").await.refused(404, "");
        }
        admin.get("/users").await.ok(200);
        let ended = tokio::task::spawn_blocking(move || server.terminate())
            .await
            .unwrap();
        assert!(ended, "{reader:?}");
    }
}

async fn commands_whose_output_nobody_reads_end_quietly(backend: Backend) {
    let database = Database::create(backend).await;
    let server = Process::serve(&database, &[]);
    let admin = server.admin().await;
    admin
        .post(
            "/collections",
            &json!({"name": "posts", "fields": [{"name": "a", "type": "text"}]}),
        )
        .await
        .ok(201);
    drop(server);
    let commands: &[&[&str]] = &[
        &["openapi"],
        &["config", "example"],
        &["config", "check"],
        &["info"],
        &["migrate"],
        &["types", "typescript"],
        &["audit", "verify"],
        &["api-key", "create", "--name", "key", "--email", SUPERADMIN],
        &["--help"],
    ];
    for command in commands {
        let output = Process::run_unread(&database, command);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && !errors.contains("panicked"),
            "{command:?}: {output:?}"
        );
    }
}
