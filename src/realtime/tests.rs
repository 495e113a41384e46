//! The hub without a network: the frames that subscribers get, and how often they are encoded.

mod backlog;
mod connections;
mod relations;
mod replay;
mod visibility;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::FutureExt as _;
use serde_json::{Value as Json, json};

use super::hub::options::HubOptions;
use super::*;
use crate::auth::{AccountRef, Caller, Principal, TokenType};
use crate::changes::{Change, ChangeConsumer, ChangeKind, ChangeLog};
use crate::clock::Clock;
use crate::config::RealtimeConfig;
use crate::db::{Db, Sqlite, SqliteOptions, Stmt, Synchronous};
use crate::error::{Error, Result};
use crate::id::{AccountId, CollectionId, SYSTEM_ACCOUNT, UserId};
use crate::schema::CatalogHandle;

const NEVER: Duration = Duration::from_hours(1);
const PATIENCE: Duration = Duration::from_secs(5);

/// Counts the events that it encodes, and takes a number of microseconds for each.
#[derive(Default)]
struct CountingProtocol(AtomicUsize, AtomicU64);

impl CountingProtocol {
    fn leak() -> &'static Self {
        Box::leak(Box::default())
    }
}

impl Protocol for CountingProtocol {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes {
        self.0.fetch_add(1, Ordering::Relaxed);
        std::thread::sleep(Duration::from_micros(self.1.load(Ordering::Relaxed)));
        let name = event
            .visibility_change
            .map_or(event.operation.name(), VisibilityChange::name);
        format!("{name} {} {}", event.id, event.data).into()
    }

    fn heartbeat_frame(&self, _: DateTime<Utc>) -> Bytes {
        Bytes::from_static(b"beat")
    }

    fn tag_frame(&self, frame: &Bytes, tag: &str) -> Bytes {
        [tag.as_bytes(), b": ", frame].concat().into()
    }

    fn control_frame(
        &self,
        frame: &ControlFrame<'_>,
        _: Option<FrameSubject<'_>>,
    ) -> Option<Bytes> {
        Some(match frame {
            ControlFrame::Replayed { count, cursor } => {
                format!("replayed {count} {}", cursor.position).into()
            }
            ControlFrame::Live { cursor } => format!("live {}", cursor.position).into(),
            ControlFrame::Checkpoint { cursor } => format!("checkpoint {}", cursor.position).into(),
            ControlFrame::Resync { reason, .. } => format!("resync {}", reason.name()).into(),
            ControlFrame::Ended { error } => format!("ended {error}").into(),
        })
    }
}

/// A hub over a fresh database with one collection, `posts`.
struct World {
    hub: Hub,
    db: Db,
    catalog: CatalogHandle,
    log: ChangeLog,
    account: AccountId,
    collection: CollectionId,
    protocol: &'static CountingProtocol,
    position: AtomicUsize,
    _folder: tempfile::TempDir,
}

impl World {
    async fn with_rule(rule: Option<&str>) -> Self {
        Self::new(rule, "*", Clock::System, |_| {}).await
    }

    async fn new(
        rule: Option<&str>,
        fields: &str,
        clock: Clock,
        change: impl FnOnce(&mut HubOptions),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = SqliteOptions {
            path: folder.path().join("test.db"),
            synchronous: Synchronous::Normal,
            readers: 1,
            busy_timeout: PATIENCE,
            cache_kib: 1000,
        };
        let db = Db::Sqlite(Sqlite::open(options).await.unwrap());
        db.migrate().await.unwrap();
        let collection = CollectionId::new();
        define(&db, collection, "posts", rule, fields).await;
        let catalog = CatalogHandle::load(db.clone()).await.unwrap();
        let log = ChangeLog::open(db.clone()).await.unwrap();
        let mut options = HubOptions::new(&RealtimeConfig::default());
        // Frames that come with time come only in tests that ask for them.
        (options.heartbeat, options.checkpoint) = (NEVER, NEVER);
        change(&mut options);
        let hub = Hub::start(db.clone(), log.clone(), catalog.clone(), clock, options);
        let position = AtomicUsize::new(1);
        let account = AccountId::new();
        Self {
            hub,
            db,
            catalog,
            log,
            account,
            collection,
            protocol: CountingProtocol::leak(),
            position,
            _folder: folder,
        }
    }

    async fn set_rule(&self, rule: Option<&str>) {
        let update = "UPDATE collections SET list_rule = $1 WHERE name = 'posts'";
        self.db
            .execute(Stmt::fixed(update, vec![nullable(rule)]))
            .await
            .unwrap();
        self.catalog.reload().await.unwrap();
    }

    fn user(&self, role: &str) -> Caller {
        user(self.account, role, &[])
    }

    fn connect(&self, caller: &Caller) -> Client {
        let again = caller.clone();
        self.connect_with(
            caller,
            Box::new(move || std::future::ready(Ok(again.clone())).boxed()),
        )
    }

    fn connect_with(&self, caller: &Caller, check: CredentialCheck) -> Client {
        let arrival = ConnectRequest {
            caller: caller.clone(),
            check,
            address: None,
            opened_by: None,
            protocol: self.protocol,
        };
        Client(self.hub.connect(arrival).unwrap())
    }

    fn change(
        &self,
        kind: ChangeKind,
        id: &str,
        before: Option<Json>,
        after: Option<Json>,
    ) -> Arc<Change> {
        let position = self
            .position
            .fetch_add(1, Ordering::Relaxed)
            .try_into()
            .unwrap();
        Arc::new(Change {
            position,
            account_id: Some(self.account),
            collection_id: Some(self.collection),
            record_id: id.into(),
            kind,
            at: "2030-01-01T00:00:00Z".parse().unwrap(),
            actor: "system".into(),
            record: after.map(|record| record.to_string()),
            previous: before.map(|record| record.to_string()),
            own: true,
        })
    }

    fn publish(&self, changes: &[Arc<Change>]) {
        let until = changes.last().map_or(0, |change| change.position);
        self.hub.publish(changes, until);
    }

    fn create(&self, id: &str, record: Json) {
        self.publish(&[self.change(ChangeKind::Create, id, None, Some(record))]);
    }

    fn update(&self, id: &str, before: Json, after: Json) {
        self.publish(&[self.change(ChangeKind::Update, id, Some(before), Some(after))]);
    }

    /// Writes to the log.
    async fn log(&self, id: &str) {
        let insert = "INSERT INTO change_log (account_id, collection_id, record_id, operation, at, actor, record) \
                      VALUES ($1, $2, $3, 'create', '2030-01-01T00:00:00.000Z', 'system', '{}')";
        let args = vec![self.account.into(), self.collection.into(), id.into()];
        self.db.execute(Stmt::fixed(insert, args)).await.unwrap();
    }

    /// Hands the log to the hub from now on.
    fn follow(&self) -> tokio::task::JoinHandle<()> {
        let feed = HubFeed(self.hub.clone());
        tokio::spawn(
            self.log
                .clone()
                .follow(feed, tokio_util::sync::CancellationToken::new()),
        )
    }

    /// The position up to which a scope's events have been delivered.
    fn position_of(&self, scope: AccountScope) -> i64 {
        self.hub.inner().shards().position(scope)
    }

    fn delete(&self, id: &str, before: Json) {
        self.publish(&[self.change(ChangeKind::Delete, id, Some(before), None)]);
    }
}

/// Hands the log to the hub.
struct HubFeed(Hub);

impl ChangeConsumer for HubFeed {
    async fn consume(&mut self, changes: Vec<Arc<Change>>, until: i64) {
        self.0.publish(&changes, until);
    }
}

async fn define(db: &Db, id: CollectionId, name: &str, rule: Option<&str>, fields: &str) {
    let schema = json!([
        {"name": "title", "type": "text"},
        {"name": "owner", "type": "text"},
        {"name": "mail", "type": "email", "pii": true, "mask_type": "email"},
    ]);
    let insert = "INSERT INTO collections (id, name, name_key, schema, rules_id, list_rule, list_fields, \
                  created_at, updated_at, rules_updated_at) VALUES ($1, $2, $2, $3, $1, $4, $5, $6, $6, $6)";
    let at: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    let args = vec![
        id.into(),
        name.into(),
        schema.to_string().into(),
        nullable(rule),
        fields.into(),
        at.into(),
    ];
    assert!(db.execute(Stmt::fixed(insert, args)).await.unwrap());
}

fn nullable(text: Option<&str>) -> crate::db::Value {
    text.map_or(crate::db::Value::Null(crate::db::Kind::Text), Into::into)
}

fn user(account: AccountId, role: &str, groups: &[&str]) -> Caller {
    let user_id = UserId::new();
    let at = DateTime::UNIX_EPOCH;
    Caller::User(Arc::new(Principal {
        user_id,
        user_id_text: user_id.to_string(),
        account: Arc::new(AccountRef::new(
            account,
            "AB1234".into(),
            "ab".into(),
            "Ab".into(),
            at,
        )),
        email: "user@example.com".into(),
        role: role.into(),
        groups: groups.iter().map(ToString::to_string).collect(),
        is_active: true,
        email_verified: true,
        created_at: at,
        last_login: None,
        token_type: TokenType::Jwt,
        session_id: None,
        key: None,
        expires_at: None,
        stamp: crate::auth::Stamp::default(),
    }))
}

fn superadmin() -> Caller {
    user(SYSTEM_ACCOUNT, "admin", &[])
}

fn id_of(caller: &Caller) -> String {
    caller.principal().unwrap().user_id_text.clone()
}

struct Client(Connection);

impl Client {
    fn scope(&self) -> AccountScope {
        let caller = self.0.caller();
        if caller.is_superadmin() {
            AccountScope::Everything
        } else {
            AccountScope::Account(caller.account_id().unwrap())
        }
    }

    fn request(&self, collection: &str, operations: OperationSet) -> Subscribe {
        let ack = Some(Bytes::from_static(b"ack"));
        Subscribe {
            ack,
            ..Subscribe::to(collection, operations, self.scope())
        }
    }

    /// Subscribes and waits for the acknowledgement.
    async fn listen(&self, operations: OperationSet) {
        self.0
            .subscribe(self.request("posts", operations))
            .await
            .unwrap();
        assert_eq!(self.frames(1).await, ["ack"]);
    }

    /// The next frames.
    async fn frames(&self, count: usize) -> Vec<String> {
        let mut all = Vec::new();
        while all.len() < count {
            let mut frames = Vec::new();
            let taken = tokio::time::timeout(PATIENCE, self.0.next_frames(&mut frames))
                .await
                .expect("no more frames");
            all.extend(
                frames
                    .iter()
                    .map(|frame| String::from_utf8_lossy(frame).into_owned()),
            );
            assert!(
                taken.close.is_none() || all.len() >= count,
                "closed: {:?}",
                taken.close
            );
        }
        all
    }

    /// The reason for which the connection is ended.
    async fn closed(&self) -> CloseReason {
        tokio::time::timeout(PATIENCE, self.0.queue().closed())
            .await
            .expect("still open")
    }
}

/// The frames without the data.
fn names(frames: &[String]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| {
            frame
                .rsplit_once(" {")
                .map_or(frame.as_str(), |(name, _)| name)
        })
        .collect()
}

/// A subscription that shows some of the records.
fn selecting(client: &Client, name: &str, selection: RecordSelection) -> Subscribe {
    let tag = Some(name.into());
    Subscribe {
        name: name.into(),
        tag,
        selection: Arc::new(selection),
        ..client.request("posts", OperationSet::ALL)
    }
}
