//! What stands around the API: pages of other origins, the document, the figures, the admin UI.

use reqwest::Method;
use serde_json::json;
use snackbase::config::Environment;

use crate::harness::{Backend, PASSWORD, SUPERADMIN, TestApp};

crate::both![
    pages_of_allowed_origins_may_call_and_read_every_answer,
    the_document_describes_every_route_and_its_errors,
    the_figures_tell_no_secrets,
    the_root_leads_to_the_admin_ui,
    the_server_says_that_it_is_there_and_ready,
    head_is_no_method_of_the_api,
    answers_of_the_api_are_not_stored_on_the_way,
    the_document_is_sent_again_only_if_it_changed,
    in_production_development_servers_may_not_call,
];

async fn pages_of_allowed_origins_may_call_and_read_every_answer(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.cors.origins = vec!["https://app.example.com".into()];
        config.limits.login_failures_per_identity = 1;
    })
    .await;
    let page = app
        .anonymous()
        .with_header("origin", "https://app.example.com");
    let preflight = page
        .request(Method::OPTIONS, "/records/posts")
        .header("access-control-request-method", "DELETE")
        .header(
            "access-control-request-headers",
            "authorization,content-type,x-api-key,x-account-id,x-correlation-id",
        );
    let answer = page.send(preflight).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        Some("https://app.example.com")
    );
    assert!(
        answer
            .header("access-control-allow-methods")
            .is_some_and(|methods| methods.contains("DELETE"))
    );
    let headers = answer
        .header("access-control-allow-headers")
        .unwrap()
        .to_lowercase();
    for name in [
        "authorization",
        "content-type",
        "x-api-key",
        "x-account-id",
        "x-correlation-id",
    ] {
        assert!(headers.contains(name), "{headers}");
    }
    // Refusals can be read as well, and what is exposed is there to be read.
    let login = json!({"account": "system", "email": SUPERADMIN, "password": "Wrong-Horse-42!"});
    for (answer, status) in [
        (page.get("/collections").await, 401),
        (page.get("/nowhere").await, 404),
        (page.post("/auth/login", &login).await, 401),
        (page.post("/auth/login", &login).await, 429),
    ] {
        assert_eq!(answer.status, status, "{}", answer.text);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            Some("https://app.example.com")
        );
        let exposed = answer
            .header("access-control-expose-headers")
            .unwrap()
            .to_lowercase();
        assert!(
            exposed.contains("retry-after") && exposed.contains("x-correlation-id"),
            "{exposed}"
        );
    }
    let other = app
        .anonymous()
        .with_header("origin", "https://evil.example.com");
    assert_eq!(
        other
            .get("//health")
            .await
            .header("access-control-allow-origin"),
        None
    );
}

async fn the_document_describes_every_route_and_its_errors(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let document = app.anonymous().get("//openapi.json").await.ok(200);
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with('3'))
    );
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(
                responses.keys().any(|status| status.starts_with('2')),
                "{method} {path}"
            );
            assert!(
                operation["summary"].is_string() || operation["description"].is_string(),
                "{method} {path}"
            );
        }
    }
    // What the document refers to is in it.
    let text = document.to_string();
    for reference in text.split("\"#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(
            document["components"]["schemas"][name].is_object(),
            "{name} is not defined"
        );
    }
}

async fn the_figures_tell_no_secrets(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    user.get("/records/nowhere-in-particular?filter=hidden")
        .await
        .refused(404, "");
    let figures = app.anonymous().get("//metrics").await;
    assert_eq!(figures.status, 200);
    assert!(figures.text.contains("snackbase_http_requests_total"));
    for secret in [
        &user.token,
        &user.id,
        &user.account_id,
        &user.account_slug,
        &user.email,
        "nowhere-in-particular",
        PASSWORD,
    ] {
        assert!(!figures.text.contains(secret), "{secret}");
    }
}

async fn the_root_leads_to_the_admin_ui(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let answer = app.anonymous().get("//").await;
    assert_eq!(
        (answer.status, answer.header("location")),
        (307, Some("/admin/"))
    );
    // The API never answers with a page, whatever is asked for.
    let page = app.anonymous().with_header("accept", "text/html");
    for path in ["/nowhere", "/records", "//api", "//api/v1/admin/index.html"] {
        let answer = page.get(path).await;
        assert!(
            answer
                .header("content-type")
                .is_some_and(|kind| kind.contains("json")),
            "{path}: {}",
            answer.text
        );
    }
}

async fn head_is_no_method_of_the_api(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let head = async |path: &str| app.admin.send(app.admin.request(Method::HEAD, path)).await;
    for (path, allowed) in [
        ("//health", &["GET"][..]),
        ("/collections", &["GET", "POST"]),
        ("/records/nowhere", &["GET", "POST"]),
        ("/realtime/events", &["GET"]),
        ("/auth/login", &["POST"]),
    ] {
        let answer = head(path).await;
        let mut methods: Vec<&str> = answer
            .header("allow")
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .collect();
        methods.sort_unstable();
        assert_eq!((answer.status, &methods[..]), (405, allowed), "{path}");
    }
    assert_eq!(head("/nowhere").await.status, 404);
    assert_eq!(head("//docs/").await.status, 200);
    app.admin
        .send(app.admin.request(Method::PUT, "/auth/login"))
        .await
        .refused(405, "Method Not Allowed");
}

async fn the_server_says_that_it_is_there_and_ready(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let anonymous = app.anonymous();
    for (path, status) in [
        ("//health", "healthy"),
        ("//live", "alive"),
        ("//ready", "ready"),
    ] {
        let answer = anonymous.get(path).await.ok(200);
        assert_eq!(
            (&answer["status"], &answer["service"]),
            (&json!(status), &json!("SnackBase")),
            "{path}"
        );
    }
    let version = anonymous.get("//api/v1").await.ok(200);
    assert_eq!(version["api_version"], "v1");
}

async fn answers_of_the_api_are_not_stored_on_the_way(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let login = json!({"account": "system", "email": SUPERADMIN, "password": PASSWORD});
    let answers = [
        app.anonymous().post("/auth/login", &login).await,
        app.admin.get("/auth/me").await,
        app.admin
            .post("/admin/api-keys", &json!({"name": "key"}))
            .await,
        app.anonymous().get("/auth/me").await,
        app.anonymous().get("/nowhere").await,
    ];
    for answer in answers {
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{}",
            answer.text
        );
    }
}

async fn in_production_development_servers_may_not_call(backend: Backend) {
    for (environment, origins, allowed) in [
        (Environment::Testing, None, true),
        (Environment::Production, None, false),
        (Environment::Production, Some("http://localhost:3000"), true),
    ] {
        let app = TestApp::spawn_with(backend, |config| {
            config.server.environment = environment;
            if let Some(origin) = origins {
                config.cors.origins = vec![origin.into()];
            }
        })
        .await;
        let answer = app
            .anonymous()
            .with_header("origin", "http://localhost:3000")
            .get("//health")
            .await;
        let expected = allowed.then_some("http://localhost:3000");
        assert_eq!(
            answer.header("access-control-allow-origin"),
            expected,
            "{environment:?} {origins:?}"
        );
    }
}

async fn the_document_is_sent_again_only_if_it_changed(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let tag_of = async |client: &crate::harness::Client| {
        let answer = client.get("//openapi.json").await;
        assert_eq!(answer.status, 200);
        answer.header("etag").unwrap().to_owned()
    };
    let (public, wide) = (tag_of(&app.anonymous()).await, tag_of(&app.admin).await);
    assert_eq!(tag_of(&app.anonymous()).await, public);
    let again = async |tag: &str| {
        app.admin
            .with_header("if-none-match", tag)
            .get("//openapi.json")
            .await
    };
    assert_eq!(
        (again(&wide).await.status, again(&wide).await.text),
        (304, String::new())
    );
    app.collection("posts", &json!([{"name": "a", "type": "text"}]), &json!({}))
        .await;
    let changed = again(&wide).await;
    assert!(changed.status == 200 && changed.text.contains("PostsRecord"));
    assert_eq!(tag_of(&app.anonymous()).await, public);
    // Programs that take compressed answers get the same document.
    let packed = app
        .anonymous()
        .with_header("accept-encoding", "br, gzip")
        .get("//openapi.json")
        .await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let plain = app.anonymous().get("//openapi.json").await;
    assert!(plain.text.len() > 100_000 && packed.header("etag") == plain.header("etag"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_on_the_machine_may_read_the_database() {
    use std::os::unix::fs::PermissionsExt as _;
    let app = TestApp::spawn(Backend::Sqlite).await;
    for file in ["snackbase.db", "snackbase.db-wal", "snackbase.db-shm"] {
        let mode = std::fs::metadata(app.database.folder().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}
