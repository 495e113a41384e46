//! API keys, roles, groups, invitations, sessions and the dashboard.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::World;
use super::{Row, get, row};

pub fn rows(world: &World) -> Vec<Row> {
    api_keys(world)
}

fn one(path: &str, body: Value) -> Vec<(String, Value)> {
    vec![(path.to_owned(), body)]
}

fn api_keys(world: &World) -> Vec<Row> {
    let key = format!("/admin/api-keys/{}", world.key);
    let new = json!({"name": "taken over", "account_id": world.a.account_id});
    vec![
        get("/api/v1/admin/api-keys", &["/admin/api-keys".to_owned()]),
        row(Method::POST, "/api/v1/admin/api-keys", one("/admin/api-keys", new)),
        get("/api/v1/admin/api-keys/{id}", std::slice::from_ref(&key)),
        row(Method::DELETE, "/api/v1/admin/api-keys/{id}", one(&key, Value::Null)),
    ]
}
