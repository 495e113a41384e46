//! One row for each route of the API document: the requests by which B goes after what belongs to
//! A.

mod files;
mod people;

use reqwest::Method;
use serde_json::{Value, json};

use super::{SECRET, World};
use crate::harness::PASSWORD;

/// A route and requests for it.
pub struct Row {
    method: Method,
    route: &'static str,
    pub probes: Vec<Probe>,
}

/// A request.
pub struct Probe {
    pub method: Method,
    pub path: String,
    pub body: Value,
}

impl Row {
    /// The route as the API document has it.
    pub fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }
}

/// A row; paths have no `/api/v1`.
fn row(method: Method, route: &'static str, requests: Vec<(String, Value)>) -> Row {
    let probe = |(path, body)| Probe {
        method: method.clone(),
        path,
        body,
    };
    let probes = requests.into_iter().map(probe).collect();
    Row {
        method,
        route,
        probes,
    }
}

fn get(route: &'static str, paths: &[String]) -> Row {
    row(
        Method::GET,
        route,
        paths
            .iter()
            .map(|path| (path.clone(), Value::Null))
            .collect(),
    )
}

/// All rows.
pub fn all(world: &World) -> Vec<Row> {
    let mut rows = records(world);
    rows.extend(collections());
    rows.extend(auth(world));
    rows.extend(administration(world));
    rows.extend(rooms(world));
    rows.extend(connections(world));
    rows.extend(files::rows(world));
    rows.extend(people::rows(world));
    rows
}

fn records(world: &World) -> Vec<Row> {
    let (open, ruled) = (&world.open_record, &world.ruled_record);
    let lists = ["posts", "notes"].iter().flat_map(|name| {
        let queries = [
            String::new(),
            format!("?filter=account_id+%3D+'{}'", world.a.account_id),
            format!("?filter=account_id+!%3D+'{}'", world.b.account_id),
            format!("?filter=created_by+%3D+'{}'", world.a.id),
            "?filter=title+~+'%25'+%7C%7C+true".to_owned(),
            "?filter=title+~+'%25'&sort=title&limit=100".to_owned(),
            "?cursor=&include_count=true".to_owned(),
            "?expand=link".to_owned(),
        ];
        queries
            .into_iter()
            .map(move |query| format!("/records/{name}{query}"))
    });
    let aggregates = ["posts", "notes"].map(|name| {
        format!(
            "/records/{name}/aggregate?functions=count(),max(title),max(code)&group_by=id,account_id,title,created_by"
        )
    });
    let ones = [
        format!("/records/posts/{open}"),
        format!("/records/notes/{ruled}"),
        format!("/records/posts/{ruled}"),
    ];
    let with = |path: &str, body: Value| (path.to_owned(), body);
    let change = json!({"title": "taken over"});
    let link = json!({"title": "x", "link": open});
    let each = |body: &Value| {
        ones.iter()
            .map(|path| (path.clone(), body.clone()))
            .collect::<Vec<_>>()
    };
    let updates =
        json!({"records": [{"id": world.own_record, "data": {}}, {"id": open, "data": change}]});
    vec![
        get("/api/v1/records/{collection}", &lists.collect::<Vec<_>>()),
        get("/api/v1/records/{collection}/aggregate", &aggregates),
        row(
            Method::POST,
            "/api/v1/records/{collection}",
            vec![
                with("/records/posts", link.clone()),
                with("/records/notes", link.clone()),
                with("/records/posts", json!({"account_id": world.a.account_id})),
                with("/records/posts", json!({"id": open})),
            ],
        ),
        row(
            Method::POST,
            "/api/v1/records/{collection}/batch",
            vec![
                with("/records/posts/batch", json!({"records": [link]})),
                with(
                    "/records/posts/batch",
                    json!({"records": [{"account_id": world.a.account_id}]}),
                ),
            ],
        ),
        row(
            Method::PATCH,
            "/api/v1/records/{collection}/batch",
            vec![with("/records/posts/batch", updates)],
        ),
        row(
            Method::DELETE,
            "/api/v1/records/{collection}/batch",
            vec![
                with(
                    "/records/posts/batch",
                    json!({"ids": [world.own_record, open]}),
                ),
                with("/records/notes/batch", json!({"ids": [ruled]})),
            ],
        ),
        get("/api/v1/records/{collection}/{id}", &ones),
        get(
            "/api/v1/records/{collection}/{id}/secrets",
            &ones.clone().map(|path| format!("{path}/secrets")),
        ),
        row(
            Method::PUT,
            "/api/v1/records/{collection}/{id}",
            each(&change),
        ),
        row(
            Method::PATCH,
            "/api/v1/records/{collection}/{id}",
            each(&change),
        ),
        row(
            Method::DELETE,
            "/api/v1/records/{collection}/{id}",
            each(&Value::Null),
        ),
    ]
}

fn collections() -> Vec<Row> {
    let one = ["/collections/posts".to_owned()];
    let rules = ["/collections/posts/rules".to_owned()];
    let body = |path: &str, body: Value| vec![(path.to_owned(), body)];
    let rule = json!({"rule": "title ~ '%'", "operation": "list", "collectionFields": ["title"], "context": {}});
    vec![
        get("/api/v1/collections", &["/collections".to_owned()]),
        row(
            Method::POST,
            "/api/v1/collections",
            body("/collections", json!({"name": "mine", "fields": []})),
        ),
        get(
            "/api/v1/collections/names",
            &["/collections/names".to_owned()],
        ),
        get(
            "/api/v1/collections/export",
            &["/collections/export".to_owned()],
        ),
        row(
            Method::POST,
            "/api/v1/collections/import",
            body(
                "/collections/import",
                json!({"data": {"version": "1.0", "collections": []}, "strategy": "update"}),
            ),
        ),
        get("/api/v1/collections/{id}", &one),
        row(
            Method::PUT,
            "/api/v1/collections/{id}",
            body(&one[0], json!({"list_rule": ""})),
        ),
        row(
            Method::DELETE,
            "/api/v1/collections/{id}",
            body(&one[0], Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/collections/{id}/rename",
            body("/collections/posts/rename", json!({"name": "taken"})),
        ),
        row(
            Method::POST,
            "/api/v1/admin/collections/validate",
            body(
                "/admin/collections/validate?collection=posts",
                json!({"fields": []}),
            ),
        ),
        get("/api/v1/collections/{name}/rules", &rules),
        row(
            Method::PUT,
            "/api/v1/collections/{name}/rules",
            body(&rules[0], json!({"list_rule": ""})),
        ),
        row(
            Method::POST,
            "/api/v1/rules/validate",
            body("/rules/validate", rule.clone()),
        ),
        row(
            Method::POST,
            "/api/v1/rules/test",
            body("/rules/test", rule),
        ),
        get("/api/v1/macros", &["/macros".to_owned()]),
        row(
            Method::POST,
            "/api/v1/macros",
            body(
                "/macros",
                json!({"name": "all", "sql_query": "SELECT count(*) FROM posts"}),
            ),
        ),
        get("/api/v1/macros/{id}", &["/macros/1".to_owned()]),
        row(
            Method::PUT,
            "/api/v1/macros/{id}",
            body("/macros/1", json!({"sql_query": "SELECT 1"})),
        ),
        row(
            Method::DELETE,
            "/api/v1/macros/{id}",
            body("/macros/1", Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/macros/{id}/test",
            body("/macros/1/test", json!({"parameters": []})),
        ),
    ]
}

fn connections(world: &World) -> Vec<Row> {
    let ticket = |body: Value| ("/realtime/ticket".to_owned(), body);
    let (all, of_a) = (
        "/admin/realtime/connections",
        format!("?account={}", world.a.account_slug),
    );
    vec![
        row(
            Method::POST,
            "/api/v1/realtime/ticket",
            vec![ticket(Value::Null), ticket(json!({"user_id": world.a.id}))],
        ),
        get(
            "/api/v1/admin/realtime/connections",
            &[all.to_owned(), format!("{all}{of_a}")],
        ),
        row(
            Method::DELETE,
            "/api/v1/admin/realtime/connections/{id}",
            vec![(
                format!("{all}/00000000-0000-0000-0000-000000000000"),
                Value::Null,
            )],
        ),
    ]
}

fn rooms(world: &World) -> Vec<Row> {
    let one = "/realtime/rooms/00000000-0000-0000-0000-000000000000".to_owned();
    let definition = json!({"pattern": "mine", "join_rule": ""});
    let say = |account: &str| json!({"event": "hello", "account": account});
    let room = "/realtime/rooms/mine/publish";
    let accounts = [&world.a.account_id, &world.a.account_slug];
    vec![
        get("/api/v1/realtime/rooms", &["/realtime/rooms".to_owned()]),
        row(
            Method::POST,
            "/api/v1/realtime/rooms",
            vec![("/realtime/rooms".to_owned(), definition.clone())],
        ),
        get("/api/v1/realtime/rooms/{id}", std::slice::from_ref(&one)),
        row(
            Method::PATCH,
            "/api/v1/realtime/rooms/{id}",
            vec![(one.clone(), definition)],
        ),
        row(
            Method::DELETE,
            "/api/v1/realtime/rooms/{id}",
            vec![(one, Value::Null)],
        ),
        row(
            Method::POST,
            "/api/v1/realtime/rooms/{room}/publish",
            accounts
                .map(|account| (room.to_owned(), say(account)))
                .into(),
        ),
    ]
}

fn auth(world: &World) -> Vec<Row> {
    let a = &world.a;
    let address = json!({"email": a.email, "account": a.account_slug});
    let post = |route: &'static str, body: Value| {
        let path = route.strip_prefix("/api/v1").unwrap_or(route).to_owned();
        row(Method::POST, route, vec![(path, body)])
    };
    let plain = |route: &'static str| {
        let path = if route == "/api/v1" {
            "//api/v1".to_owned()
        } else {
            format!("/{route}")
        };
        get(route, &[path])
    };
    vec![
        plain("/health"),
        plain("/live"),
        plain("/ready"),
        plain("/api/v1"),
        get("/api/v1/setup", &["/setup".to_owned()]),
        post(
            "/api/v1/setup",
            json!({"token": "x", "email": "b@example.com", "password": PASSWORD}),
        ),
        post(
            "/api/v1/auth/register",
            json!({"email": a.email, "password": PASSWORD, "account_name": SECRET, "account_slug": a.account_slug}),
        ),
        post(
            "/api/v1/auth/login",
            json!({"account": a.account_slug, "email": a.email, "password": "Wrong-Horse-42!"}),
        ),
        post(
            "/api/v1/auth/refresh",
            json!({"refresh_token": world.b.token}),
        ),
        get("/api/v1/auth/me", &["/auth/me".to_owned()]),
        // Not B's own session: it is needed for the other rows.
        row(Method::POST, "/api/v1/auth/logout", Vec::new()),
        post("/api/v1/auth/verify-email", json!({"token": "x"})),
        post("/api/v1/auth/send-verification", address.clone()),
        post("/api/v1/auth/resend-verification", address.clone()),
        post("/api/v1/auth/forgot-password", address),
        post(
            "/api/v1/auth/reset-password",
            json!({"token": "x", "new_password": PASSWORD}),
        ),
        get(
            "/api/v1/auth/verify-reset-token/{token}",
            &["/auth/verify-reset-token/x".to_owned()],
        ),
    ]
}

fn administration(world: &World) -> Vec<Row> {
    let a = &world.a;
    let user = format!("/users/{}", a.id);
    let account = format!("/accounts/{}", a.account_id);
    let new_user = json!({"email": "b@example.com", "password": PASSWORD, "account_id": a.account_id, "role_id": 1});
    let one = |path: &str, body: Value| vec![(path.to_owned(), body)];
    vec![
        get(
            "/api/v1/users",
            &[
                "/users".to_owned(),
                format!("/users?account_id={}", a.account_id),
            ],
        ),
        row(Method::POST, "/api/v1/users", one("/users", new_user)),
        get("/api/v1/users/{id}", std::slice::from_ref(&user)),
        row(
            Method::PATCH,
            "/api/v1/users/{id}",
            one(&user, json!({"role_id": 2, "email": "c@example.com"})),
        ),
        row(
            Method::DELETE,
            "/api/v1/users/{id}",
            one(&user, Value::Null),
        ),
        row(
            Method::PUT,
            "/api/v1/users/{id}/password",
            one(
                &format!("{user}/password"),
                json!({"new_password": PASSWORD}),
            ),
        ),
        row(
            Method::POST,
            "/api/v1/users/{id}/verify",
            one(&format!("{user}/verify"), Value::Null),
        ),
        row(
            Method::POST,
            "/api/v1/users/{id}/resend-verification",
            one(&format!("{user}/resend-verification"), Value::Null),
        ),
        get(
            "/api/v1/accounts",
            &["/accounts".to_owned(), "/accounts?search=a".to_owned()],
        ),
        row(
            Method::POST,
            "/api/v1/accounts",
            one("/accounts", json!({"name": "B's other"})),
        ),
        get("/api/v1/accounts/{id}", std::slice::from_ref(&account)),
        row(
            Method::PUT,
            "/api/v1/accounts/{id}",
            one(&account, json!({"name": "taken over"})),
        ),
        row(
            Method::DELETE,
            "/api/v1/accounts/{id}",
            one(&account, Value::Null),
        ),
        get("/api/v1/accounts/{id}/users", &[format!("{account}/users")]),
        get(
            "/api/v1/audit-logs",
            &[
                "/audit-logs".to_owned(),
                format!("/audit-logs?account_id={}", a.account_id),
            ],
        ),
        get(
            "/api/v1/audit-logs/export",
            &[
                "/audit-logs/export".to_owned(),
                "/audit-logs/export?format=json".to_owned(),
            ],
        ),
        get(
            "/api/v1/audit-logs/verify",
            &[format!("/audit-logs/verify?account_id={}", a.account_id)],
        ),
        get("/api/v1/audit-logs/{id}", &["/audit-logs/1".to_owned()]),
        get("/api/v1/admin/requests", &["/admin/requests".to_owned()]),
        get("/api/v1/admin/figures", &["/admin/figures".to_owned()]),
        get("/api/v1/admin/settings", &["/admin/settings".to_owned()]),
        get(
            "/api/v1/admin/types/typescript",
            &["/admin/types/typescript".to_owned()],
        ),
    ]
}
