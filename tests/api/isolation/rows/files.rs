//! Files of the other account: by their paths, as links, and named in own records.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Row, World, get, row};

pub fn rows(world: &World) -> Vec<Row> {
    let file = format!("/files/{}", world.file);
    let token = json!({"path": world.file, "expires_in": 60});
    let lists = [
        "/files".to_owned(),
        "/files?search=secret&limit=100".to_owned(),
        format!("/files?account_id={}", world.a.account_id),
    ];
    let reads = [
        file.clone(),
        format!("{file}?inline=true"),
        format!("{file}?thumb=100x100"),
        format!("/files/s3/{}", world.file),
        format!("/files/{}/../{}", world.b.account_id, world.file),
        format!("/files/{}/..%2f{}", world.b.account_id, world.file),
    ];
    let upload = format!("/files/resumable/{}", world.a.id);
    let path = "/api/v1/files/{path}";
    let resumable = "/api/v1/files/resumable/{id}";
    vec![
        get("/api/v1/files", &lists),
        row(
            Method::POST,
            "/api/v1/files/upload",
            vec![("/files/upload".to_owned(), json!({"file": world.file}))],
        ),
        row(
            Method::POST,
            "/api/v1/files/token",
            vec![
                ("/files/token".to_owned(), token),
                ("/files/token".to_owned(), json!({"cookie": true})),
            ],
        ),
        row(
            Method::POST,
            "/api/v1/files/resumable",
            vec![("/files/resumable".to_owned(), json!({"path": world.file}))],
        ),
        get(resumable, std::slice::from_ref(&upload)),
        row(Method::PATCH, resumable, vec![(upload.clone(), json!({}))]),
        row(Method::DELETE, resumable, vec![(upload, Value::Null)]),
        get(path, &reads),
        row(Method::DELETE, path, vec![(file, Value::Null)]),
    ]
}
