//! Files after `kill -9`: no record names one that is gone, and nothing stays that nobody knows.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Backend, Database, PASSWORD, Process, User, address, eventually, open, soon};

crate::both![files_survive_a_crash_with_the_records_that_name_them];

const WRITERS: usize = 16;
const ROUNDS: usize = 4;
/// Requests that were answered before each crash.
const REQUESTS: usize = 60;
/// What no record names is removed after a second.
const SETTINGS: [(&str, &str); 2] = [
    ("FILES_UNCLAIMED_SECONDS", "1"),
    ("FILES_GRACE_SECONDS", "0"),
];

async fn files_survive_a_crash_with_the_records_that_name_them(backend: Backend) {
    let database = Database::create(backend).await;
    for round in 0..ROUNDS {
        let mut server = Process::serve(&database, &SETTINGS);
        let user = if round == 0 {
            prepare(&server).await
        } else {
            sign_in(&server).await
        };
        let (stop, answered) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicUsize::new(0)),
        );
        let writers: Vec<_> = (0..WRITERS)
            .map(|_| tokio::spawn(write(user.clone(), stop.clone(), answered.clone())))
            .collect();
        eventually("enough requests", async || {
            answered.load(Ordering::Relaxed) >= REQUESTS
        })
        .await;
        server.kill();
        stop.store(true, Ordering::Relaxed);
        soon("the writers", futures_util::future::join_all(writers)).await;
    }
    let server = Process::serve(&database, &SETTINGS);
    let user = sign_in(&server).await;
    let posts = user.get("/records/posts?limit=100").await.ok(200);
    for post in posts["items"].as_array().unwrap() {
        if post["f"].is_object() {
            let read = user.get(&address(&post["f"])).await;
            assert_eq!((read.status, read.text.len()), (200, 50_000), "{post}");
        }
    }
    // Whatever was under way is gone after a sweep, in the registry and on the disk.
    eventually("the room of the interrupted is taken back", async || {
        let swept = tokio::task::block_in_place(|| {
            Process::run_with(&database, &["files", "sweep"], &SETTINGS)
        });
        assert!(swept.status.success(), "{swept:?}");
        let mut known = BTreeSet::new();
        while let Some(page) = page(&user, known.len()).await {
            known.extend(page);
        }
        let mut stored = BTreeSet::new();
        let folder = database.folder().join("files");
        list(&folder, &folder, &mut stored);
        let is_temporary = |path: &String| path.starts_with(".unfinished");
        assert!(
            stored.is_superset(&known),
            "missing: {:?}",
            known.difference(&stored)
        );
        stored.iter().filter(|path| !is_temporary(path)).count() == known.len()
    })
    .await;
    let checked =
        tokio::task::block_in_place(|| Process::run(&database, &["files", "check", "--read"]));
    assert!(checked.status.success(), "{checked:?}");
}

async fn page(user: &User, skip: usize) -> Option<Vec<String>> {
    let page = user
        .get(&format!("/files?limit=100&skip={skip}"))
        .await
        .ok(200);
    let paths: Vec<String> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["path"].as_str().unwrap().to_owned())
        .collect();
    Some(paths).filter(|paths| !paths.is_empty())
}

fn list(root: &Path, folder: &Path, paths: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            list(root, &path, paths);
        } else {
            paths.insert(
                path.strip_prefix(root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
        }
    }
}

async fn prepare(server: &Process) -> User {
    let admin = server.admin().await;
    let mut collection = open();
    collection["name"] = "posts".into();
    collection["fields"] = json!([{"name": "f", "type": "file"}]);
    admin.post("/collections", &collection).await.ok(201);
    let body = json!({"email": "ann@example.com", "password": PASSWORD, "account_name": "ann", "account_slug": "ann"});
    server
        .anonymous()
        .post("/auth/register", &body)
        .await
        .ok(201);
    sign_in(server).await
}

async fn sign_in(server: &Process) -> User {
    server
        .anonymous()
        .login("ann", "ann@example.com", PASSWORD)
        .await
}

/// Uploads, names, replaces and deletes until told to stop or the server is gone.
async fn write(user: User, stop: Arc<AtomicBool>, answered: Arc<AtomicUsize>) {
    let content = "x".repeat(50_000);
    let attempt = async || -> Option<()> {
        let upload = || user.try_upload_text(&content);
        let file = upload().await?;
        let post = user
            .try_send(
                user.request(Method::POST, "/records/posts")
                    .json(&json!({"f": file})),
            )
            .await?;
        let id = post["id"].as_str()?.to_owned();
        let other = upload().await?;
        let path = format!("/records/posts/{id}");
        user.try_send(
            user.request(Method::PATCH, &path)
                .json(&json!({"f": other})),
        )
        .await?;
        if answered.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
            user.try_send(user.request(Method::DELETE, &path)).await?;
        }
        let _: Option<Value> = upload().await;
        Some(())
    };
    while !stop.load(Ordering::Relaxed) {
        if attempt().await.is_none() {
            return;
        }
    }
}
