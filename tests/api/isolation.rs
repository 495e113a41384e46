//! Nothing crosses the border between accounts: not in any answer, not in any event.

mod levels;
mod realtime;
mod rows;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Answer, Backend, Client, TestApp, User, open};
use rows::{Probe, Row};

crate::both![
    no_route_answers_anything_of_another_account,
    superadmins_alone_cross_the_border,
];

/// Stands in every text that belongs to account A.
const SECRET: &str = "secret-of-account-a";

/// An account with records, and another that is after them.
struct World {
    app: TestApp,
    a: User,
    b: User,
    /// A record of A in the open collection, and one in the collection with rules.
    open_record: String,
    ruled_record: String,
    /// A record of B.
    own_record: String,
    /// An API key bound to A, a group and an invitation of A.
    key: String,
    group: String,
    invitation: String,
    /// A's session.
    session: String,
    /// The path of a file of A.
    file: String,
    /// A group of B, and an API key that may do all that B may.
    own_group: String,
    own_key: String,
}

impl World {
    async fn new(backend: Backend) -> Self {
        let app = TestApp::spawn(backend).await;
        let fields = json!([
            {"name": "title", "type": "text"},
            {"name": "code", "type": "text", "unique": true},
            {"name": "link", "type": "reference", "collection": "posts", "on_delete": "set_null"}
        ]);
        app.collection("posts", &fields, &open()).await;
        let rule = json!("@request.auth.id != ''");
        let names = [
            "list_rule",
            "view_rule",
            "create_rule",
            "update_rule",
            "delete_rule",
        ];
        let rules: Value = Value::Object(
            names
                .iter()
                .map(|name| ((*name).to_owned(), rule.clone()))
                .collect(),
        );
        app.collection("notes", &fields, &rules).await;
        let (a, b) = (app.register_named(SECRET).await, app.register().await);
        let body = json!({"title": SECRET, "code": format!("{SECRET}-code")});
        let open_record = a.create_id("posts", &body).await;
        let ruled_record = a
            .create_id("notes", &json!({"title": SECRET, "link": open_record}))
            .await;
        let own_record = b.create_id("posts", &json!({"title": "mine"})).await;
        let key = json!({"name": SECRET, "account_id": a.account_id});
        let id = |answer: Answer| answer.ok(201)["id"].as_str().unwrap().to_owned();
        let key = id(app.admin.post("/admin/api-keys", &key).await);
        let group = id(a
            .post("/groups", &json!({"name": SECRET, "description": SECRET}))
            .await);
        let own_group = id(b.post("/groups", &json!({"name": "mine"})).await);
        let own_key = json!({"name": "mine", "account_id": b.account_id, "role": "admin"});
        let own_key = app.admin.post("/admin/api-keys", &own_key).await.ok(201)["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let guest = json!({"email": format!("{SECRET}-guest@example.com"), "groups": [SECRET]});
        let invitation = id(a.post("/invitations", &guest).await);
        let sessions = a.get("/auth/sessions").await.ok(200);
        let session = sessions["items"][0]["id"].as_str().unwrap().to_owned();
        let file = a
            .upload(&format!("{SECRET}.txt"), "text/plain", SECRET.as_bytes())
            .await;
        let file = file.ok(201)["file"]["path"].as_str().unwrap().to_owned();
        Self {
            app,
            a,
            b,
            open_record,
            ruled_record,
            own_record,
            key,
            group,
            invitation,
            session,
            file,
            own_group,
            own_key,
        }
    }

    /// Everything of A that can be seen, for comparing.
    async fn state_of_a(&self) -> Value {
        json!([
            self.a.get("/records/posts").await.ok(200),
            self.a.get("/records/notes").await.ok(200),
            self.a.get("/auth/me").await.ok(200),
            self.app
                .admin
                .get(&format!("/users/{}", self.a.id))
                .await
                .ok(200),
            self.app
                .admin
                .get(&format!("/accounts/{}", self.a.account_id))
                .await
                .ok(200),
            self.app
                .admin
                .get(&format!("/admin/api-keys/{}", self.key))
                .await
                .ok(200),
            self.app
                .admin
                .get(&format!("/groups?account_id={}", self.a.account_id))
                .await
                .ok(200),
            self.app
                .admin
                .get(&format!("/groups/{}", self.group))
                .await
                .ok(200),
            self.app
                .admin
                .get(&format!("/invitations?account_id={}", self.a.account_id))
                .await
                .ok(200),
            self.app.admin.get("/roles").await.ok(200),
            self.a.get("/auth/sessions").await.ok(200),
            self.a.get("/files").await.ok(200),
        ])
    }

    /// An answer must not say anything that belongs to A, beyond what the request itself said.
    fn check(&self, who: &str, probe: &Probe, answer: &Answer) {
        let what = format!("{who}: {} {} {}", probe.method, probe.path, probe.body);
        let sent = format!("{} {}", probe.path, probe.body);
        assert!(
            answer.status < 500,
            "{what}: {} {}",
            answer.status,
            answer.text
        );
        let marks = [
            SECRET,
            &self.a.email,
            &self.a.account_slug,
            &self.a.id,
            &self.a.account_id,
            &self.open_record,
            &self.ruled_record,
            &self.key,
            &self.group,
            &self.invitation,
            &self.session,
            &self.file,
        ];
        for mark in marks {
            let echoed = answer.status >= 400 && sent.contains(mark);
            assert!(
                echoed || !answer.text.contains(mark),
                "{what} answers {mark}: {}",
                answer.text
            );
        }
        // A's words are never repeated, unless they were sent.
        let told = !sent.contains(SECRET) && answer.text.contains(SECRET);
        assert!(!told, "{what}: {}", answer.text);
    }
}

async fn no_route_answers_anything_of_another_account(backend: Backend) {
    let world = Box::pin(World::new(backend)).await;
    let before = world.state_of_a().await;
    let rows = rows::all(&world);
    let covered: BTreeSet<String> = rows.iter().map(Row::name).collect();
    let documented = documented();
    let missing: Vec<&String> = documented.difference(&covered).collect();
    assert!(
        missing.is_empty(),
        "these routes have no row in tests/api/isolation/rows.rs: {missing:?}"
    );
    let unknown: Vec<&String> = covered.difference(&documented).collect();
    assert!(
        unknown.is_empty(),
        "these rows are no routes any more: {unknown:?}"
    );
    let callers: [(&str, Client); 5] = [
        ("a user of B", (*world.b).clone()),
        (
            "a user of B who names A",
            world.b.with_header("x-account-id", &world.a.account_slug),
        ),
        (
            "an API key of B",
            world
                .app
                .anonymous()
                .with_header("x-api-key", &world.own_key),
        ),
        ("a visitor of B", world.app.visitor_of(&world.b)),
        ("nobody", world.app.anonymous()),
    ];
    for probe in rows.iter().flat_map(|row| &row.probes) {
        for (who, caller) in &callers {
            let mut request = caller.request(probe.method.clone(), &probe.path);
            if !probe.body.is_null() {
                request = request.json(&probe.body);
            }
            world.check(who, probe, &caller.send(request).await);
        }
    }
    assert_eq!(
        world.state_of_a().await,
        before,
        "something of A has changed"
    );
}

/// The documented routes, as `GET /path`.
fn documented() -> BTreeSet<String> {
    let routes = snackbase::http::route_table().into_iter();
    routes
        .filter(|route| route.is_documented)
        .map(|route| format!("{} {}", route.method, route.path))
        .collect()
}

async fn superadmins_alone_cross_the_border(backend: Backend) {
    let world = Box::pin(World::new(backend)).await;
    let page = world.app.admin.get("/records/posts").await.ok(200);
    assert_eq!(page["total"], 2);
    assert!(page.to_string().contains(SECRET));
    let page = world.b.get("/records/posts").await.ok(200);
    assert_eq!(
        (&page["total"], &page["items"][0]["id"]),
        (&json!(1), &json!(world.own_record))
    );
}
