//! Every route lets in the callers that its declaration names, and no others.

use reqwest::Method;
use serde_json::json;
use snackbase::http::{CallerLevel, RouteEntry, route_table};

use crate::harness::{Answer, Backend, Client, TestApp};

crate::both![
    callers_below_the_declared_level_are_refused,
    api_keys_without_the_declared_scope_are_refused,
];

/// A request to a route; what its parameters name does not exist.
async fn call(client: &Client, route: &RouteEntry) -> Answer {
    let mut path = route.path.clone();
    while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
        path.replace_range(start..=end, "nowhere");
    }
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    client
        .send(client.request(method, &format!("/{path}")))
        .await
}

async fn callers_below_the_declared_level_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (user, nobody) = (app.register().await, app.anonymous());
    let stranger = nobody.with_header("authorization", "Bearer no-such-token");
    for route in route_table() {
        let name = format!("{} {}", route.method, route.path);
        let level = route.access.level;
        let signed_in = matches!(level, CallerLevel::SignedIn | CallerLevel::Superadmin);
        if signed_in {
            let answer = call(&nobody, &route).await;
            assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        }
        if signed_in || level == CallerLevel::Visitor {
            let answer = call(&stranger, &route).await;
            assert_eq!(answer.status, 401, "{name}: {}", answer.text);
        }
        if level == CallerLevel::Superadmin {
            let answer = call(&user, &route).await;
            assert_eq!(answer.status, 403, "{name}: {}", answer.text);
        }
    }
}

async fn api_keys_without_the_declared_scope_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let key = async |scope: &str| {
        let key = json!({"name": scope, "scopes": [scope]});
        let key = app.admin.post("/admin/api-keys", &key).await.ok(201);
        app.anonymous()
            .with_header("x-api-key", key["key"].as_str().unwrap())
    };
    let scopes = [
        "records:read",
        "records:write",
        "files:read",
        "files:write",
        "admin",
    ];
    let mut keys = Vec::new();
    for scope in scopes {
        keys.push((scope, key(scope).await));
    }
    for route in route_table() {
        let guarded = matches!(
            route.access.level,
            CallerLevel::Visitor | CallerLevel::SignedIn | CallerLevel::Superadmin
        );
        if !guarded {
            continue;
        }
        let needed = route
            .access
            .api_key
            .scope()
            .map(snackbase::auth::KeyScope::name);
        for (scope, key) in &keys {
            let answer = call(key, &route).await;
            let refused = answer.status == 403 && answer.text.contains("it has no scope");
            let name = format!("{} {} with {scope}", route.method, route.path);
            let expected = needed.is_some_and(|needed| needed != *scope);
            assert_eq!(refused, expected, "{name}: {}", answer.text);
        }
    }
}
