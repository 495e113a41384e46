//! What one server takes away, every server on the same PostgreSQL refuses; and keys from the
//! command line.

use serde_json::json;

use crate::harness::{Backend, Database, PASSWORD, Process, SUPERADMIN, Ws, eventually};

crate::both![keys_are_made_on_the_command_line];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_revoked_on_one_node_is_dead_on_the_other() {
    let Some(backend) = Backend::postgres() else {
        return;
    };
    let database = Database::create(backend).await;
    let (here, there) = (
        Process::serve(&database, &[]),
        Process::serve(&database, &[]),
    );
    let admin = here.admin().await;
    let made = admin
        .post("/admin/api-keys", &json!({"name": "everywhere"}))
        .await
        .ok(201);
    let key = made["key"].as_str().unwrap();
    let body = json!({"email": "user@example.com", "password": PASSWORD, "account_name": "acme"});
    here.anonymous().post("/auth/register", &body).await.ok(201);
    let user = there
        .anonymous()
        .login("acme", "user@example.com", PASSWORD)
        .await;
    let program = there.anonymous().with_header("x-api-key", key);
    program.get("/users").await.ok(200);
    let (mut by_key, mut by_user) = (
        Ws::connect_to(&there.base, key).await,
        Ws::connect(&user).await,
    );

    admin
        .delete(&format!("/admin/api-keys/{}", made["id"].as_str().unwrap()))
        .await
        .ok(204);
    assert_eq!(by_key.end().await.code, 1008);
    eventually("the key to be dead", async || {
        program.get("/users").await.status == 401
    })
    .await;

    // A role that has another name, and a session that was ended.
    let role = admin
        .post("/roles", &json!({"name": "reader"}))
        .await
        .ok(201);
    admin
        .patch(&format!("/users/{}", user.id), &json!({"role": "reader"}))
        .await
        .ok(200);
    let role_there = async || user.get("/auth/me").await.ok(200)["role"].clone();
    eventually("the role to be known", async || {
        role_there().await == "reader"
    })
    .await;
    admin
        .put(
            &format!("/roles/{}", role["id"]),
            &json!({"name": "writer"}),
        )
        .await
        .ok(200);
    eventually("its new name to be known", async || {
        role_there().await == "writer"
    })
    .await;
    admin
        .delete(&format!("/users/{}/sessions", user.id))
        .await
        .ok(204);
    assert_eq!(by_user.end().await.code, 1008);
    eventually("the session to have ended", async || {
        user.get("/auth/me").await.status == 401
    })
    .await;
}

async fn keys_are_made_on_the_command_line(backend: Backend) {
    let database = Database::create(backend).await;
    let args = [
        "api-key", "create", "--name", "ci key", "--scope", "admin", "--email",
    ];
    let run = |email: &str| Process::run(&database, &[args.as_slice(), &[email]].concat());
    let made = run(SUPERADMIN);
    assert!(made.status.success(), "{made:?}");
    let key = String::from_utf8(made.stdout).unwrap();
    assert!(!run("nobody@example.com").status.success());
    let bad = Process::run(
        &database,
        &[
            "api-key", "create", "--name", "ci key", "--scope", "all", "--email", SUPERADMIN,
        ],
    );
    assert!(
        String::from_utf8_lossy(&bad.stderr).contains("records:read"),
        "{bad:?}"
    );
    let server = Process::serve(&database, &[]);
    let program = server.anonymous().with_header("x-api-key", key.trim());
    program.get("/users").await.ok(200);
    program
        .get("/records/nowhere")
        .await
        .refused(403, "restricted");
    assert_eq!(
        server.admin().await.get("/admin/api-keys").await.ok(200)["total"],
        1
    );
}
