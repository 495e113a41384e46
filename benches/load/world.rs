//! What a scenario needs on the server: an account with users, a collection with rules, records.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::options::Rule;
use crate::server::Server;
use crate::wire::{Connection, Fallible, Target};

const PASSWORD: &str = "Load-Generator-1";

/// Records of one batch request; the API takes no more.
const BATCH: usize = 100;

/// An account of our own, and the collection that it writes to.
#[derive(Debug, Clone)]
pub struct World {
    /// Where the server is
    pub target: Target,
    /// The collection under load
    pub collection: String,
    /// The record that all others refer to
    pub parent: String,
    /// Slug of the account
    pub account: String,
    /// The user who writes
    pub email: String,
    /// That user's access token
    pub token: String,
    admin: String,
    account_id: String,
    /// Paths of what goes in the end, in this order.
    garbage: Vec<String>,
}

impl World {
    /// Creates account, user and collections. Their names are random, so a server in use can be
    /// measured too.
    pub async fn build(server: &Server, rule: Rule) -> Fallible<Self> {
        let target = server.target.clone();
        let mut api = Api::open(&target).await?;
        let tag = format!("{:08x}", RandomState::new().build_hasher().finish() >> 32);
        let admin = login(&mut api, "system", &server.email, &server.password).await?;
        let (account, email) = (format!("load-{tag}"), format!("writer-{tag}@example.com"));
        let registered = api
            .post(
                "/auth/register",
                None,
                &json!({"email": email, "password": PASSWORD, "account_name": account, "account_slug": account}),
            )
            .await?;
        let token = login(&mut api, &account, &email, PASSWORD).await?;
        let (parents, collection) = (format!("load_{tag}_parents"), format!("load_{tag}_records"));
        let name = json!({"name": "name", "type": "text", "required": true});
        let parents_id = api
            .post(
                "/collections",
                Some(&admin),
                &collection_of(&parents, &[name], ""),
            )
            .await?;
        let query = format!("load_{tag}_has");
        let mut garbage = Vec::new();
        if rule == Rule::Relation {
            let counting = format!("SELECT COUNT(*) FROM {parents} WHERE id = :parent");
            let body = json!({"name": query, "sql_query": counting, "parameters": ["parent"]});
            let made = api.post("/macros", Some(&admin), &body).await?;
            garbage.push(format!(
                "/macros/{}",
                made.get("id").ok_or("a macro without `id`")?
            ));
        }
        let fields = fields(&parents);
        let records = collection_of(&collection, &fields, &rule.text(&query));
        let records_id = api.post("/collections", Some(&admin), &records).await?;
        // What refers to others goes first.
        garbage.insert(0, format!("/collections/{}", text(&records_id, "/id")?));
        garbage.push(format!("/collections/{}", text(&parents_id, "/id")?));
        let path = format!("/records/{parents}");
        let parent = api
            .post(&path, Some(&token), &json!({"name": "The one parent"}))
            .await?;
        Ok(Self {
            parent: text(&parent, "/id")?,
            account_id: text(&registered, "/account/id")?,
            garbage,
            target,
            collection,
            account,
            email,
            token,
            admin,
        })
    }

    /// Adds records, and returns the ids of all of them.
    pub async fn seed(&self, count: usize) -> Fallible<Vec<String>> {
        let mut api = Api::open(&self.target).await?;
        let path = format!("/records/{}/batch", self.collection);
        let mut ids = Vec::with_capacity(count);
        while ids.len() < count {
            let last = count.min(ids.len() + BATCH);
            let records = (ids.len()..last)
                .map(|number| self.record(number, &title(number)))
                .collect::<Result<Vec<_>, _>>()?;
            let answer = api
                .post(&path, Some(&self.token), &json!({ "records": records }))
                .await?;
            let created = answer
                .get("created")
                .and_then(Value::as_array)
                .ok_or("a batch without `created`")?;
            for record in created {
                ids.push(text(record, "/id")?);
            }
            if created.is_empty() {
                return Err("the batch created nothing".into());
            }
        }
        Ok(ids)
    }

    /// Access tokens of further users of the account. They are few and shared by many subscribers:
    /// hashing the passwords of thousands would take longer than the measurement.
    pub async fn users(&self, count: usize) -> Fallible<Vec<String>> {
        let mut jobs = JoinSet::new();
        for number in 0..count {
            let world = self.clone();
            jobs.spawn(async move {
                let mut api = Api::open(&world.target).await?;
                let email = format!("reader-{number}-{}@example.com", world.account);
                let user = json!({"email": email, "password": PASSWORD, "account_id": world.account_id,
                    "role_id": 2, "email_verified": true});
                api.post("/users", Some(&world.admin), &user).await?;
                login(&mut api, &world.account, &email, PASSWORD).await
            });
        }
        let mut tokens = Vec::with_capacity(count);
        while let Some(token) = jobs.join_next().await {
            tokens.push(token??);
        }
        Ok(tokens)
    }

    /// Body of a login of the writing user.
    pub fn credentials(&self) -> Vec<u8> {
        json!({"account": self.account, "email": self.email, "password": PASSWORD})
            .to_string()
            .into_bytes()
    }

    /// Path of the records.
    pub fn records_path(&self) -> String {
        format!("/api/v1/records/{}", self.collection)
    }

    /// A record of seven fields.
    fn record(&self, number: usize, title: &str) -> Fallible<Value> {
        let mut body = Vec::new();
        self.record_body(&mut body, number, title)?;
        Ok(serde_json::from_slice(&body)?)
    }

    /// Appends a record's JSON.
    pub fn record_body(
        &self,
        out: &mut Vec<u8>,
        number: usize,
        title: &str,
    ) -> std::io::Result<()> {
        use std::io::Write as _;
        write!(
            out,
            "{{\"title\":\"{title}\",\"amount\":{number}.5,\"is_public\":true,\"starts_at\":\"2026-03-01T09:{:02}:00Z\",\
             \"contact\":\"person{number}@example.com\",\"link\":\"https://example.com/items/{number}\",\"parent\":\"{}\"}}",
            number % 60,
            self.parent,
        )
    }

    /// Removes everything again; a server that goes on should not keep our records.
    pub async fn remove(&self) -> Fallible<()> {
        let mut api = Api::open(&self.target).await?;
        for path in &self.garbage {
            api.call("DELETE", path, Some(&self.admin), None).await?;
        }
        api.call(
            "DELETE",
            &format!("/accounts/{}", self.account_id),
            Some(&self.admin),
            None,
        )
        .await?;
        Ok(())
    }
}

/// Title of a seeded record.
fn title(number: usize) -> String {
    format!("Quarterly figures, part {number:08}")
}

fn collection_of(name: &str, fields: &[Value], rule: &str) -> Value {
    json!({"name": name, "fields": fields, "list_rule": rule, "view_rule": rule,
        "create_rule": "@request.auth.id != ''", "update_rule": "created_by = @request.auth.id",
        "delete_rule": "created_by = @request.auth.id"})
}

fn fields(parents: &str) -> Vec<Value> {
    vec![
        json!({"name": "title", "type": "text", "required": true}),
        json!({"name": "amount", "type": "number"}),
        json!({"name": "is_public", "type": "boolean"}),
        json!({"name": "starts_at", "type": "datetime"}),
        json!({"name": "contact", "type": "email"}),
        json!({"name": "link", "type": "url"}),
        json!({"name": "parent", "type": "reference", "collection": parents, "on_delete": "set_null"}),
    ]
}

async fn login(api: &mut Api, account: &str, email: &str, password: &str) -> Fallible<String> {
    let body = json!({"account": account, "email": email, "password": password});
    text(&api.post("/auth/login", None, &body).await?, "/token")
}

fn text(value: &Value, pointer: &str) -> Fallible<String> {
    let found = value.pointer(pointer).and_then(Value::as_str);
    Ok(found
        .ok_or_else(|| format!("no {pointer} in {value}"))?
        .to_owned())
}

/// JSON calls for the set-up, where speed does not matter.
#[derive(Debug)]
pub struct Api {
    target: Target,
    connection: Connection,
}

impl Api {
    /// Connects.
    pub async fn open(target: &Target) -> Fallible<Self> {
        Ok(Self {
            target: target.clone(),
            connection: Connection::open(target).await?,
        })
    }

    /// A POST that must succeed.
    pub async fn post(&mut self, path: &str, token: Option<&str>, body: &Value) -> Fallible<Value> {
        self.call("POST", path, token, Some(body)).await
    }

    /// A request below `/api/v1` that must succeed.
    pub async fn call(
        &mut self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<&Value>,
    ) -> Fallible<Value> {
        let body = body.map(Value::to_string);
        let mut request = Vec::new();
        self.target.head(
            &mut request,
            method,
            &format!("/api/v1{path}"),
            token,
            body.as_ref().map(String::len),
        );
        request.extend_from_slice(body.unwrap_or_default().as_bytes());
        let status = self.connection.exchange(&request).await?;
        let answer = self.connection.body();
        if !(200..300).contains(&status) {
            return Err(format!(
                "{method} {path}: {status} {}",
                String::from_utf8_lossy(answer)
            )
            .into());
        }
        Ok(if answer.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(answer)?
        })
    }
}
