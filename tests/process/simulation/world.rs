//! Who and what there is: people of two accounts, a collection with everything that decides what
//! they see, and records.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::{Answer, Cluster};
use super::dice::Dice;
use super::trace::Trace;
use crate::harness::{PASSWORD, SUPERADMIN, open};

/// List and view rules. Those with a macro read other records.
pub const RULES: [&str; 10] = [
    "",
    "n > 3",
    "owner = @request.auth.id",
    "owner = @request.auth.id || n < 8",
    "@request.auth.role = 'admin' || n > 5",
    "n != 7 && (owner = @request.auth.id || @has_group('pii_access') || n > 9)",
    "@has_group('editors') || n > 6",
    "@owns_record || topic = null",
    "owner = @request.auth.id || @badges(n) > 0",
    "n < 6 || @badges(n) > 1",
];
/// How many badges somebody has for a record.
const BADGES: &str = "SELECT COUNT(*) FROM badges WHERE holder = @request.auth.id AND least <= :n";
/// View rules of what records refer to. They read nothing that changes without anybody being told.
pub const TARGET_RULES: [&str; 7] = [
    "",
    "",
    "title = 'some'",
    "@request.auth.role = 'admin' || title = 'some'",
    "@has_group('editors')",
    "created_by = @request.auth.id",
    "title != 'some' || @has_group('pii_access')",
];
/// `n` of records that only slow readers want to see.
pub const HUGE: u64 = 100;
/// Records that some listen to one by one.
const ANCHORS: usize = 3;

/// Somebody.
#[derive(Debug)]
pub struct Person {
    pub name: &'static str,
    pub id: String,
    pub account_id: String,
    /// The account's name.
    pub account: String,
    pub email: String,
    token: Mutex<String>,
    /// Whether the person may sign in.
    pub active: AtomicBool,
}

impl Person {
    fn new(name: &'static str, account: &str, email: &str) -> Self {
        Self {
            name,
            id: String::new(),
            account_id: String::new(),
            account: account.to_owned(),
            email: email.to_owned(),
            token: Mutex::default(),
            active: AtomicBool::new(true),
        }
    }

    pub fn token(&self) -> String {
        self.token.lock().unwrap().clone()
    }

    pub fn take_token(&self, token: &str) {
        token.clone_into(&mut self.token.lock().unwrap());
    }
}

/// See the module.
pub struct World {
    pub cluster: Cluster,
    pub trace: Trace,
    pub admin: Person,
    /// The first of the account, who sees personal data.
    pub member: Person,
    /// A user whose role and groups change.
    pub colleague: Person,
    /// A user who is shut out for a while.
    pub third: Person,
    /// Somebody of another account.
    pub stranger: Person,
    pub anchors: Vec<String>,
    /// The ids of the groups `editors` and `pii_access` of the account.
    pub groups: [String; 2],
    /// The id of the collection.
    pub items: String,
    /// Areas of topics, and whose accounts they belong to.
    pub areas: Vec<(String, String)>,
    /// Whether slow readers do not read at all.
    pub asleep: AtomicBool,
    /// Whether all that upsets is over.
    pub calm: AtomicBool,
    stamp: AtomicU64,
}

impl World {
    pub async fn new(cluster: Cluster, dice: &mut Dice) -> Self {
        let trace = Trace::new();
        let mut admin = Person::new("admin", "system", SUPERADMIN);
        identify(&cluster, &mut admin).await;
        let say = async |method, path: &str, body: &Value| {
            done(&cluster, &admin, method, path, body).await
        };
        for (name, fields) in [
            ("areas", json!([{"name": "title", "type": "text"}])),
            ("topics", topic_fields(0)),
        ] {
            say(Method::POST, "/collections", &collection(name, &fields)).await;
        }
        let badges = json!([{"name": "holder", "type": "text"}, {"name": "least", "type": "number"},
            {"name": "note", "type": "text"}]);
        say(Method::POST, "/collections", &collection("badges", &badges)).await;
        let of_badges = json!({"name": "badges", "sql_query": BADGES, "parameters": ["n"]});
        say(Method::POST, "/macros", &of_badges).await;
        let mut items = collection("items", &fields(0));
        items["list_rule"] = json!(dice.pick(&RULES));
        items["view_rule"] = json!(dice.pick(&RULES));
        let items = say(Method::POST, "/collections", &items).await["id"]
            .as_str()
            .unwrap()
            .to_owned();
        let mut firsts = Vec::new();
        for (name, account) in [("member", "acme"), ("stranger", "other")] {
            let email = format!("{name}@example.com");
            let body = json!({"email": email, "password": PASSWORD, "account_name": account, "account_slug": account});
            say(Method::POST, "/auth/register", &body).await;
            let mut first = Person::new(name, account, &email);
            identify(&cluster, &mut first).await;
            firsts.push(first);
        }
        let [member, stranger] = firsts.try_into().unwrap();
        let mut others = Vec::new();
        for name in ["colleague", "third"] {
            let email = format!("{name}@example.com");
            let body = json!({"email": email, "password": PASSWORD, "account_id": member.account_id, "role_id": 2,
                "email_verified": true});
            say(Method::POST, "/users", &body).await;
            let mut other = Person::new(name, "acme", &email);
            identify(&cluster, &mut other).await;
            others.push(other);
        }
        let [colleague, third] = others.try_into().unwrap();
        let editors = done(
            &cluster,
            &member,
            Method::POST,
            "/groups",
            &json!({"name": "editors"}),
        )
        .await;
        let all = cluster
            .insist(&member, Method::GET, "/groups?search=pii_access", None)
            .await
            .body;
        let groups = [&editors["id"], &all[0]["id"]].map(|id| id.as_str().unwrap().to_owned());
        let mut areas = Vec::new();
        for (person, title) in [(&member, "some"), (&member, "other"), (&stranger, "some")] {
            let area = done(
                &cluster,
                person,
                Method::POST,
                "/records/areas",
                &json!({"title": title}),
            )
            .await;
            areas.push((
                area["id"].as_str().unwrap().to_owned(),
                person.account_id.clone(),
            ));
        }
        let mut anchors = Vec::new();
        let taken = json!({"n": 1, "stamp": 0, "code": "taken"});
        done(&cluster, &stranger, Method::POST, "/records/items", &taken).await;
        done(&cluster, &member, Method::POST, "/records/items", &taken).await;
        for n in 0..ANCHORS {
            let anchor = json!({"n": n, "stamp": 0, "owner": colleague.id});
            let made = done(&cluster, &member, Method::POST, "/records/items", &anchor).await;
            anchors.push(made["id"].as_str().unwrap().to_owned());
        }
        Self {
            cluster,
            trace,
            admin,
            member,
            colleague,
            third,
            stranger,
            anchors,
            groups,
            items,
            areas,
            asleep: AtomicBool::new(false),
            calm: AtomicBool::new(false),
            stamp: AtomicU64::new(1),
        }
    }

    /// A number that no other write has.
    pub fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::Relaxed)
    }

    /// Does something that must succeed, however often it takes.
    pub async fn command(&self, method: Method, path: &str, body: &Value) -> Answer {
        self.cluster
            .insist(&self.admin, method, path, Some(body))
            .await
    }

    /// Changes rules of a collection.
    pub async fn rules(&self, collection: &str, rules: &Value) {
        let answer = self
            .command(
                Method::PUT,
                &format!("/collections/{collection}/rules"),
                rules,
            )
            .await;
        assert_eq!(answer.status, 200, "{rules}: {answer:?}");
    }
}

async fn done(
    cluster: &Cluster,
    person: &Person,
    method: Method,
    path: &str,
    body: &Value,
) -> Value {
    let answer = cluster.insist(person, method, path, Some(body)).await;
    assert!(answer.status < 300, "{path}: {answer:?}");
    answer.body
}

/// Signs somebody in for the first time.
async fn identify(cluster: &Cluster, person: &mut Person) {
    let body = json!({"account": person.account, "email": person.email, "password": PASSWORD});
    let session = done(cluster, person, Method::POST, "/auth/login", &body).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (person.id, person.account_id) = (
        text(&session["user"]["id"]),
        text(&session["account"]["id"]),
    );
    person.take_token(session["token"].as_str().unwrap());
}

fn collection(name: &str, fields: &Value) -> Value {
    let mut collection = open();
    (collection["name"], collection["fields"]) = (json!(name), fields.clone());
    collection
}

/// The fields of topics, with so many more than at the beginning.
pub fn topic_fields(more: u64) -> Value {
    let mut fields = json!([
        {"name": "title", "type": "text"},
        {"name": "hint", "type": "text", "pii": true, "mask_type": "phone"},
        {"name": "area", "type": "reference", "collection": "areas", "on_delete": "cascade"}
    ]);
    fields.as_array_mut().unwrap().extend(extras(more));
    fields
}

fn extras(count: u64) -> impl Iterator<Item = Value> {
    (0..count).map(|number| json!({"name": format!("extra{number}"), "type": "text"}))
}

/// The fields of the collection, with so many more than at the beginning.
pub fn fields(more: u64) -> Value {
    let mut fields = json!([
        {"name": "n", "type": "number"},
        {"name": "stamp", "type": "number"},
        {"name": "owner", "type": "text"},
        {"name": "phone", "type": "text", "pii": true, "mask_type": "phone"},
        {"name": "secret", "type": "text"},
        {"name": "code", "type": "text", "unique": true, "discloses_existence": true},
        {"name": "body", "type": "text"},
        {"name": "parent", "type": "reference", "collection": "items", "on_delete": "cascade"},
        {"name": "topic", "type": "reference", "collection": "topics", "on_delete": "set_null"}
    ]);
    fields.as_array_mut().unwrap().extend(extras(more));
    fields
}
