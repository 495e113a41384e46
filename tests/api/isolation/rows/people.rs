//! API keys, roles, groups, invitations, sessions and the dashboard.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::World;
use super::{Row, get, row};
use crate::harness::PASSWORD;

pub fn rows(world: &World) -> Vec<Row> {
    let mut rows = api_keys(world);
    rows.extend(roles());
    rows.extend(groups(world));
    rows.extend(invitations(world));
    rows.extend(sessions(world));
    rows.push(get(
        "/api/v1/dashboard/stats",
        &["/dashboard/stats".to_owned()],
    ));
    rows
}

fn one(path: &str, body: Value) -> Vec<(String, Value)> {
    vec![(path.to_owned(), body)]
}

fn api_keys(world: &World) -> Vec<Row> {
    let key = format!("/admin/api-keys/{}", world.key);
    let new = json!({"name": "taken over", "account_id": world.a.account_id});
    vec![
        get("/api/v1/admin/api-keys", &["/admin/api-keys".to_owned()]),
        row(
            Method::POST,
            "/api/v1/admin/api-keys",
            one("/admin/api-keys", new),
        ),
        get("/api/v1/admin/api-keys/{id}", std::slice::from_ref(&key)),
        row(
            Method::DELETE,
            "/api/v1/admin/api-keys/{id}",
            one(&key, Value::Null),
        ),
    ]
}

fn roles() -> Vec<Row> {
    let rule = json!({"rule": "title ~ '%'", "collection": "posts", "context": {}});
    vec![
        get("/api/v1/roles", &["/roles".to_owned()]),
        row(
            Method::POST,
            "/api/v1/roles",
            one("/roles", json!({"name": "mine"})),
        ),
        get("/api/v1/roles/{id}", &["/roles/1".to_owned()]),
        row(
            Method::PUT,
            "/api/v1/roles/{id}",
            one("/roles/2", json!({"name": "mine"})),
        ),
        row(
            Method::DELETE,
            "/api/v1/roles/{id}",
            one("/roles/2", Value::Null),
        ),
        get(
            "/api/v1/roles/{id}/permissions",
            &["/roles/1/permissions".to_owned()],
        ),
        get(
            "/api/v1/roles/{id}/permissions/matrix",
            &["/roles/1/permissions/matrix".to_owned()],
        ),
        row(
            Method::POST,
            "/api/v1/roles/validate-rule",
            one("/roles/validate-rule", rule.clone()),
        ),
        row(
            Method::POST,
            "/api/v1/roles/test-rule",
            one("/roles/test-rule", rule),
        ),
    ]
}

fn groups(world: &World) -> Vec<Row> {
    let group = format!("/groups/{}", world.group);
    let users = format!("{group}/users");
    let (a, b) = (&world.a, &world.b);
    let with = |path: &str, body: Value| (path.to_owned(), body);
    vec![
        get(
            "/api/v1/groups",
            &[
                "/groups".to_owned(),
                "/groups?search=%25".to_owned(),
                format!("/groups?account_id={}", a.account_id),
            ],
        ),
        row(
            Method::POST,
            "/api/v1/groups",
            vec![
                with(
                    "/groups",
                    json!({"name": "b's", "account_id": a.account_id}),
                ),
                with(
                    "/groups",
                    json!({"name": "b's", "account_id": a.account_slug}),
                ),
            ],
        ),
        get("/api/v1/groups/{id}", std::slice::from_ref(&group)),
        row(
            Method::PATCH,
            "/api/v1/groups/{id}",
            one(&group, json!({"name": "taken over"})),
        ),
        row(
            Method::DELETE,
            "/api/v1/groups/{id}",
            one(&group, Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/groups/{id}/users",
            vec![
                with(&users, json!({"user_id": b.id})),
                with(
                    &format!("/groups/{}/users", world.own_group),
                    json!({"user_id": a.id}),
                ),
            ],
        ),
        row(
            Method::DELETE,
            "/api/v1/groups/{id}/users/{user_id}",
            one(&format!("{users}/{}", a.id), Value::Null),
        ),
    ]
}

fn invitations(world: &World) -> Vec<Row> {
    let (a, invitation) = (&world.a, format!("/invitations/{}", world.invitation));
    let new = json!({"email": "b-friend@example.com", "account_id": a.account_id});
    let into = json!({"email": "b-friend@example.com", "groups": [world.group]});
    vec![
        get(
            "/api/v1/invitations",
            &[
                "/invitations".to_owned(),
                format!("/invitations?account_id={}", a.account_id),
            ],
        ),
        row(
            Method::POST,
            "/api/v1/invitations",
            vec![
                ("/invitations".to_owned(), new),
                ("/invitations".to_owned(), into),
            ],
        ),
        get(
            "/api/v1/invitations/{token}",
            std::slice::from_ref(&invitation),
        ),
        row(
            Method::DELETE,
            "/api/v1/invitations/{token}",
            one(&invitation, Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/invitations/{id}/resend",
            one(&format!("{invitation}/resend"), Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/invitations/{token}/accept",
            one(
                &format!("{invitation}/accept"),
                json!({"password": PASSWORD}),
            ),
        ),
    ]
}

fn sessions(world: &World) -> Vec<Row> {
    let users = format!("/users/{}/sessions", world.a.id);
    let session = &world.session;
    vec![
        get("/api/v1/auth/sessions", &["/auth/sessions".to_owned()]),
        row(
            Method::DELETE,
            "/api/v1/auth/sessions",
            one("/auth/sessions", Value::Null),
        ),
        row(
            Method::DELETE,
            "/api/v1/auth/sessions/{session_id}",
            one(&format!("/auth/sessions/{session}"), Value::Null),
        ),
        get("/api/v1/users/{id}/sessions", std::slice::from_ref(&users)),
        row(
            Method::DELETE,
            "/api/v1/users/{id}/sessions",
            one(&users, Value::Null),
        ),
        row(
            Method::DELETE,
            "/api/v1/users/{id}/sessions/{session_id}",
            vec![
                (format!("{users}/{session}"), Value::Null),
                (
                    format!("/users/{}/sessions/{session}", world.b.id),
                    Value::Null,
                ),
            ],
        ),
    ]
}
