//! One decision about who sees what: for each kind of rule and each kind of caller, every way of
//! looking shows the same records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::harness::{Backend, Client, PocketBase, Sse, TestApp, Ws};

crate::both![every_way_of_looking_shows_what_the_rule_lets_the_caller_see];

/// The kinds of rules. Each is the list and the view rule of a collection of that name.
const RULES: [(&str, Option<&str>); 5] = [
    ("locked", None),
    ("public", Some("")),
    ("always", Some("n > 0")),
    ("own", Some("owner = @request.auth.id")),
    ("related", Some("@memberships(key) > 0")),
];

/// What each caller sees of the records `admins`, `keys` and `mine` of one account and `theirs` of
/// another one.
#[rustfmt::skip]
const EXPECTED: [(&str, [&str; 5]); 6] = [
    // caller          locked                     public                     always                     own       related
    ("anonymous", ["", "admins keys mine", "", "", ""]),
    ("other account", ["", "theirs", "theirs", "theirs", "theirs"]),
    ("member", ["", "admins keys mine", "admins keys mine", "mine", "admins mine"]),
    ("account admin", ["", "admins keys mine", "admins keys mine", "admins", "admins"]),
    ("API key", ["", "admins keys mine", "admins keys mine", "keys", "keys mine"]),
    ("superadmin", ["admins keys mine theirs"; 5]),
];

/// What a caller sees, by the rule.
type Seen = BTreeMap<&'static str, BTreeSet<String>>;

struct Caller {
    name: &'static str,
    client: Client,
    /// An access token or a key; anonymous callers have none.
    credential: Option<String>,
    /// The accounts whose records a marker must be heard of before everything has been heard.
    accounts: Vec<String>,
}

struct World {
    app: TestApp,
    callers: Vec<Caller>,
    /// A record's id: its rule and its name.
    records: BTreeMap<String, (&'static str, String)>,
    /// The records' names: the owner's id and the account's.
    names: Vec<(&'static str, String, String)>,
}

async fn every_way_of_looking_shows_what_the_rule_lets_the_caller_see(backend: Backend) {
    let world = Box::pin(World::new(backend)).await;
    let before = world.position().await;
    let mut streams = Vec::new();
    for caller in &world.callers {
        streams.push((caller, Streams::open(&world, caller).await));
    }
    world.touch_everything().await;
    let mut problems = Vec::new();
    for (caller, streams) in streams {
        let mut ways = Box::pin(streams.heard(&world, caller)).await;
        ways.push(("list", world.listed(caller).await));
        ways.push(("view", world.viewed(caller).await));
        ways.push(("count", world.counted(caller).await));
        ways.push(("expand", world.expanded(caller).await));
        if caller.credential.is_some() {
            ways.push(("replay", world.replayed(caller, &before).await));
            ways.push(("snapshot", world.snapshot(caller).await));
            ways.push(("rooms", world.rooms(caller).await));
        }
        let expected = EXPECTED
            .iter()
            .find(|(name, _)| *name == caller.name)
            .unwrap()
            .1;
        for (way, seen) in ways {
            for ((rule, _), expected) in RULES.iter().zip(expected) {
                // Rules of rooms read the room and the caller, no records.
                let Some(seen) = seen.get(rule) else { continue };
                let shown = seen
                    .iter()
                    .map(String::as_str)
                    .collect::<Vec<_>>()
                    .join(" ");
                let counted = expected.split_whitespace().count().to_string();
                if shown != if way == "count" { &counted } else { expected } {
                    problems.push(format!(
                        "{way}, {}, {rule}: '{shown}' instead of '{expected}'",
                        caller.name
                    ));
                }
            }
        }
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

impl World {
    async fn new(backend: Backend) -> Self {
        let app = TestApp::spawn(backend).await;
        let text = |name: &str| json!({"name": name, "type": "text"});
        let rules = |rule: Option<&str>| json!({"list_rule": rule, "view_rule": rule});
        let members = json!([text("user"), text("project")]);
        app.collection("members", &members, &rules(None)).await;
        let query =
            "SELECT COUNT(*) FROM members WHERE user = @request.auth.id AND project = :project";
        let body = json!({"name": "memberships", "sql_query": query, "parameters": ["project"]});
        app.admin.post("/macros", &body).await.ok(201);
        let fields = json!([text("key"), text("owner"), {"name": "n", "type": "number"}]);
        let mut links = Vec::new();
        for (rule, source) in RULES {
            app.collection(rule, &fields, &rules(source)).await;
            links.push(
                json!({"name": format!("to_{rule}"), "type": "reference", "collection": rule, "on_delete": "set_null"}),
            );
            let room = match source {
                Some("n > 0") => Some("@room.owner != ''"),
                Some("owner = @request.auth.id") => Some("@room.owner = @request.auth.id"),
                source => source,
            };
            if rule != "related" {
                let body = json!({"pattern": format!("{rule}:{{owner}}"), "join_rule": room});
                app.admin.post("/realtime/rooms", &body).await.ok(201);
            }
        }
        app.collection("links", &json!(links), &rules(Some("")))
            .await;
        app.collection("markers", &json!([text("key")]), &rules(Some("")))
            .await;

        let (admin, other) = (app.register().await, app.register().await);
        let member = app.colleague_of(&admin).await;
        let key = json!({"name": "matrix", "account_id": admin.account_id, "role": "user"});
        let key = app.admin.post("/admin/api-keys", &key).await.ok(201)["key"]
            .as_str()
            .unwrap()
            .to_owned();
        let names = vec![
            ("admins", admin.id.clone(), admin.account_id.clone()),
            ("keys", app.admin.id.clone(), admin.account_id.clone()),
            ("mine", member.id.clone(), admin.account_id.clone()),
            ("theirs", other.id.clone(), other.account_id.clone()),
        ];
        let own = vec![admin.account_id.clone()];
        let both = vec![admin.account_id.clone(), other.account_id.clone()];
        let caller =
            |name, client: &Client, credential: Option<&String>, accounts: &Vec<String>| Caller {
                name,
                client: client.clone(),
                credential: credential.cloned(),
                accounts: accounts.clone(),
            };
        let with_key = app.anonymous().with_header("x-api-key", &key);
        let callers = vec![
            caller("anonymous", &app.visitor_of(&admin), None, &own),
            caller(
                "other account",
                &other,
                Some(&other.token),
                &both[1..].to_vec(),
            ),
            caller("member", &member, Some(&member.token), &own),
            caller("account admin", &admin, Some(&admin.token), &own),
            caller("API key", &with_key, Some(&key), &own),
            caller("superadmin", &app.admin, Some(&app.admin.token), &both),
        ];
        let mut world = Self {
            app,
            callers,
            records: BTreeMap::new(),
            names,
        };
        world
            .fill(&[
                (&member.id, "mine"),
                (&member.id, "admins"),
                (&admin.id, "admins"),
                (&world.app.admin.id.clone(), "keys"),
                (&world.app.admin.id.clone(), "mine"),
                (&other.id, "theirs"),
            ])
            .await;
        world
    }

    /// Makes the records, links to them, and the members that the relational rule reads.
    async fn fill(&mut self, members: &[(&String, &str)]) {
        let admin = self.app.admin.clone();
        for (name, owner, account) in self.names.clone() {
            let mut link = json!({"account_id": account});
            for (rule, _) in RULES {
                let body = json!({"key": name, "owner": owner, "n": 1, "account_id": account});
                let id = admin.create_id(rule, &body).await;
                link[format!("to_{rule}")] = json!(id);
                self.records.insert(id, (rule, name.to_owned()));
            }
            admin.create("links", &link).await;
            for (user, project) in members.iter().filter(|(_, project)| *project == name) {
                admin
                    .create(
                        "members",
                        &json!({"user": user, "project": project, "account_id": account}),
                    )
                    .await;
            }
        }
    }

    /// Changes every record, and then tells each account that this was all.
    async fn touch_everything(&self) {
        for (id, (rule, _)) in &self.records {
            self.app
                .admin
                .patch(&format!("/records/{rule}/{id}"), &json!({"n": 2}))
                .await
                .ok(200);
        }
        let accounts: BTreeSet<&String> =
            self.names.iter().map(|(_, _, account)| account).collect();
        for account in accounts {
            self.app
                .admin
                .create("markers", &json!({"key": account, "account_id": account}))
                .await;
        }
    }

    /// Nothing seen yet.
    fn nothing() -> Seen {
        RULES
            .iter()
            .map(|(rule, _)| (*rule, BTreeSet::new()))
            .collect()
    }

    /// Notes a record by its id.
    fn note(&self, seen: &mut Seen, id: &Value) {
        if let Some((rule, name)) = self.records.get(id.as_str().unwrap_or_default()) {
            seen.entry(rule).or_default().insert(name.clone());
        }
    }

    async fn listed(&self, caller: &Caller) -> Seen {
        let mut seen = Self::nothing();
        for (rule, _) in RULES {
            let answer = caller
                .client
                .get(&format!("/records/{rule}?limit=100"))
                .await;
            assert!([200, 401, 403].contains(&answer.status), "{}", answer.text);
            for item in answer.body["items"].as_array().into_iter().flatten() {
                self.note(&mut seen, &item["id"]);
            }
        }
        seen
    }

    async fn viewed(&self, caller: &Caller) -> Seen {
        let mut seen = Self::nothing();
        for (id, (rule, _)) in &self.records {
            let answer = caller.client.get(&format!("/records/{rule}/{id}")).await;
            assert!(
                [200, 401, 403, 404].contains(&answer.status),
                "{}",
                answer.text
            );
            if answer.status == 200 {
                self.note(&mut seen, &json!(id));
            }
        }
        seen
    }

    /// How many records there are, as a text.
    async fn counted(&self, caller: &Caller) -> Seen {
        let mut seen = Seen::new();
        for (rule, _) in RULES {
            let answer = caller
                .client
                .get(&format!("/records/{rule}/aggregate?functions=count()"))
                .await;
            let count = answer.body["results"][0]["count"]
                .as_i64()
                .unwrap_or_default();
            seen.insert(rule, BTreeSet::from([count.to_string()]));
        }
        seen
    }

    async fn expanded(&self, caller: &Caller) -> Seen {
        let mut seen = Self::nothing();
        let fields: Vec<String> = RULES.iter().map(|(rule, _)| format!("to_{rule}")).collect();
        let path = format!("/records/links?expand={}", fields.join(","));
        let page = caller.client.get(&path).await.ok(200);
        for link in page["items"].as_array().unwrap() {
            for field in &fields {
                self.note(&mut seen, &link[field]["id"]);
            }
        }
        seen
    }

    /// A place in the log after everything that was written so far.
    async fn position(&self) -> String {
        let mut ws = Ws::connect(&self.app.admin).await;
        ws.send(&json!({"action": "subscribe", "collection": "markers", "ref": 1}))
            .await;
        ws.frame().await["cursor"].as_str().unwrap().to_owned()
    }

    async fn socket(&self, caller: &Caller) -> Ws {
        Ws::connect_to(&self.app.base, caller.credential.as_ref().unwrap()).await
    }

    async fn replayed(&self, caller: &Caller, since: &str) -> Seen {
        let (mut seen, mut ws) = (Self::nothing(), self.socket(caller).await);
        for (rule, _) in RULES {
            ws.send(
                &json!({"action": "subscribe", "collection": rule, "ref": rule, "since": since}),
            )
            .await;
            loop {
                let frame = ws.frame().await;
                self.note(&mut seen, &frame["id"]);
                if frame["type"] == "replayed" {
                    break;
                }
                assert!(
                    frame["error"].is_null() && frame["type"] != "resync",
                    "{frame}"
                );
            }
        }
        seen
    }

    async fn snapshot(&self, caller: &Caller) -> Seen {
        let (mut seen, mut ws) = (Self::nothing(), self.socket(caller).await);
        for (rule, _) in RULES {
            ws.send(
                &json!({"action": "subscribe", "collection": rule, "ref": rule, "snapshot": true}),
            )
            .await;
            loop {
                let frame = ws.frame().await;
                for record in frame["items"].as_array().into_iter().flatten() {
                    self.note(&mut seen, &record["id"]);
                }
                // A locked list is refused.
                if frame["type"] == "live" || frame["error"].is_string() {
                    break;
                }
            }
        }
        seen
    }

    /// The rooms that are called like the records, in the records' accounts.
    async fn rooms(&self, caller: &Caller) -> Seen {
        let (mut seen, mut ws) = (Self::nothing(), self.socket(caller).await);
        seen.remove("related");
        for (rule, _) in RULES.iter().filter(|(rule, _)| *rule != "related") {
            for (name, owner, account) in &self.names {
                let join = json!({"action": "join", "room": format!("{rule}:{owner}"), "account": account});
                if ws.ask(&join).await["type"] == "room.state" {
                    seen.entry(rule).or_default().insert((*name).to_owned());
                }
            }
        }
        seen
    }
}

/// Everything that tells of changes while they happen.
struct Streams {
    /// WebSocket and server-sent events want a credential.
    with_credential: Option<(Ws, Ws, Sse)>,
    pocketbase: PocketBase,
}

impl Streams {
    async fn open(world: &World, caller: &Caller) -> Self {
        let pocketbase = PocketBase::open(&caller.client).await;
        let wholes = RULES.iter().map(|(rule, _)| format!("{rule}/*"));
        let records = world
            .records
            .iter()
            .map(|(id, (rule, _))| format!("{rule}/{id}"));
        let topics: Vec<String> = wholes
            .chain(records)
            .chain(["markers/*".to_owned()])
            .collect();
        let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
        pocketbase.subscribe(&caller.client, &topics).await.ok(204);
        let Some(credential) = &caller.credential else {
            assert_eq!(
                Ws::try_connect(&world.app.base, "", &[]).await.err(),
                Some(401)
            );
            assert_eq!(
                caller
                    .client
                    .send_head("/realtime/subscribe?collection=public")
                    .await,
                401
            );
            return Self {
                with_credential: None,
                pocketbase,
            };
        };
        let (mut whole, mut single) = (world.socket(caller).await, world.socket(caller).await);
        for (rule, _) in RULES {
            whole.subscribe(rule).await;
        }
        for (id, (rule, _)) in &world.records {
            single
                .send(&json!({"action": "subscribe", "collection": rule, "record": id, "ref": id}))
                .await;
            assert_eq!(single.frame().await["type"], "subscribed");
        }
        whole.subscribe("markers").await;
        single.subscribe("markers").await;
        let query =
            format!("?collections=locked,public,always,own,related,markers&token={credential}");
        let sse = Sse::open(&world.app.anonymous(), &query).await;
        Self {
            with_credential: Some((whole, single, sse)),
            pocketbase,
        }
    }

    /// What was told of until the markers came.
    async fn heard(mut self, world: &World, caller: &Caller) -> Vec<(&'static str, Seen)> {
        let mut ways = Vec::new();
        if let Some((whole, single, mut sse)) = self.with_credential {
            for (way, mut ws) in [("WebSocket", whole), ("WebSocket, single records", single)] {
                let mut heard = Heard::new(world, caller);
                while heard.goes_on() {
                    let frame = ws.frame().await;
                    heard.take(&frame["data"]);
                }
                ways.push((way, heard.seen));
            }
            let mut heard = Heard::new(world, caller);
            while heard.goes_on() {
                let event = sse.event().await;
                heard.take(&event.data["data"]);
            }
            ways.push(("SSE", heard.seen));
        }
        let (mut wholes, mut singles) = (Heard::new(world, caller), Heard::new(world, caller));
        while wholes.goes_on() {
            let (topic, data) = self.pocketbase.event().await.expect("the stream ended");
            if topic.ends_with("/*") {
                wholes.take(&data["record"]);
            } else {
                singles.take(&data["record"]);
            }
        }
        ways.push(("PocketBase", wholes.seen));
        ways.push(("PocketBase, single records", singles.seen));
        ways
    }
}

struct Heard<'w> {
    world: &'w World,
    waits_for: BTreeSet<String>,
    seen: Seen,
}

impl<'w> Heard<'w> {
    fn new(world: &'w World, caller: &Caller) -> Self {
        Self {
            world,
            waits_for: caller.accounts.iter().cloned().collect(),
            seen: World::nothing(),
        }
    }

    fn goes_on(&self) -> bool {
        !self.waits_for.is_empty()
    }

    fn take(&mut self, record: &Value) {
        self.world.note(&mut self.seen, &record["id"]);
        self.waits_for
            .remove(record["key"].as_str().unwrap_or_default());
    }
}
