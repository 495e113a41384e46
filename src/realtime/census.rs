//! Who is connected, for people who run the server. Everything is looked up when somebody asks;
//! handing out events costs nothing more for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::Hub;
use super::connection::{Line, Outlet};
use super::subscription::{Command, Operations, Scope, Selection, Subscription, SubscriptionId};
use crate::auth::Caller;
use crate::id::{AccountId, UserId};

/// How long shards are waited for that are handing out events.
const PATIENCE: Duration = Duration::from_millis(500);

/// Which connections to tell of.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    /// Only those of callers of this account.
    pub account: Option<AccountId>,
    /// Only those that show what this user sees.
    pub user: Option<UserId>,
    /// Only those of this protocol, see [`super::Dialect::name`].
    pub protocol: Option<&'a str>,
    /// Only those that are older than the one with this id.
    pub before: Option<Uuid>,
    /// How many at most.
    pub limit: usize,
}

impl Wanted<'_> {
    fn holds(&self, outlet: &Outlet) -> bool {
        self.user.is_none_or(|user| outlet.user_id == Some(user))
            && self
                .protocol
                .is_none_or(|protocol| outlet.dialect().name() == protocol)
            && self
                .account
                .is_none_or(|account| outlet.caller().account_id() == Some(account))
    }
}

/// A connection.
#[derive(Debug)]
pub struct ConnectionInfo {
    /// Its id.
    pub id: Uuid,
    /// The protocol, see [`super::Dialect::name`].
    pub protocol: &'static str,
    /// Who is connected, with the rights of now.
    pub caller: Caller,
    /// The superadmin who acts for the caller.
    pub opened_by: Option<UserId>,
    /// From where.
    pub address: Option<IpAddr>,
    /// When it was opened.
    pub since: DateTime<Utc>,
    /// When its credential expires.
    pub expires_at: Option<DateTime<Utc>>,
    /// Frames that wait for it.
    pub queued_frames: usize,
    /// Bytes of them.
    pub queued_bytes: usize,
    /// How many entries of the change log it has yet to read, if it reads the log instead of being
    /// handed events.
    pub behind: Option<i64>,
    /// How many frames it has been given.
    pub sent: u64,
    /// What it listens to, in the order in which that began.
    pub subscriptions: Vec<SubscriptionInfo>,
}

/// A subscription of a connection.
#[derive(Debug)]
pub struct SubscriptionInfo {
    subscription: Arc<Subscription>,
    /// How many subscriptions see the same, itself among them; `None` if it is not live, or the
    /// server is too busy to tell.
    pub group_size: Option<usize>,
}

impl SubscriptionInfo {
    /// The collection's name.
    pub fn collection(&self) -> &str {
        &self.subscription.collection
    }

    /// Its tag.
    pub fn tag(&self) -> Option<&str> {
        self.subscription.tag.as_deref()
    }

    /// Whose records it is about.
    pub fn scope(&self) -> Scope {
        self.subscription.scope
    }

    /// Which records it is about, and what of them it shows.
    pub fn selection(&self) -> &Selection {
        &self.subscription.selection
    }

    /// What it hears of.
    pub fn operations(&self) -> Operations {
        self.subscription.operations
    }

    /// Whether it is handed events as they happen; otherwise it is still told of what was before.
    pub fn is_live(&self) -> bool {
        self.subscription.is_live()
    }
}

impl Hub {
    /// The connections of this process, newest first, and how many there are of those that are
    /// wanted, on whatever page.
    pub async fn connections_now(&self, wanted: &Wanted<'_>) -> (Vec<ConnectionInfo>, usize) {
        let all: Vec<Arc<Outlet>> = self.connections().by_id.values().cloned().collect();
        let mut found: Vec<Arc<Outlet>> = all
            .into_iter()
            .filter(|outlet| wanted.holds(outlet))
            .collect();
        let total = found.len();
        found.retain(|outlet| wanted.before.is_none_or(|before| outlet.id < before));
        found.sort_unstable_by_key(|outlet| std::cmp::Reverse(outlet.id));
        found.truncate(wanted.limit);
        let held: Vec<Vec<Arc<Subscription>>> =
            found.iter().map(|outlet| outlet.held(|_| true)).collect();
        let sizes = self.group_sizes(held.iter().flatten()).await;
        let connections = found
            .iter()
            .zip(held)
            .map(|(outlet, held)| self.info(outlet, held, &sizes));
        (connections.collect(), total)
    }

    /// The connection with this id.
    pub fn connection(&self, id: Uuid) -> Option<Line> {
        self.connections().by_id.get(&id).cloned().map(Line::new)
    }

    fn info(
        &self,
        outlet: &Outlet,
        mut held: Vec<Arc<Subscription>>,
        sizes: &HashMap<SubscriptionId, usize>,
    ) -> ConnectionInfo {
        let queue = outlet.queue();
        let (queued_frames, queued_bytes) = queue.waiting();
        held.sort_unstable_by_key(|subscription| subscription.id);
        let subscriptions = held.into_iter().map(|subscription| {
            let group_size = sizes.get(&subscription.id).copied();
            SubscriptionInfo {
                subscription,
                group_size,
            }
        });
        ConnectionInfo {
            id: outlet.id,
            protocol: outlet.dialect().name(),
            caller: outlet.caller(),
            opened_by: outlet.opened_by,
            address: outlet.address,
            since: outlet.since,
            expires_at: outlet.expires_at(),
            queued_frames,
            queued_bytes,
            behind: outlet.pulls.behind(self, &queue.lags()),
            sent: outlet.sent.load(Ordering::Relaxed),
            subscriptions: subscriptions.collect(),
        }
    }

    /// Asks each shard once.
    async fn group_sizes<'s>(
        &self,
        subscriptions: impl Iterator<Item = &'s Arc<Subscription>>,
    ) -> HashMap<SubscriptionId, usize> {
        let mut parts: HashMap<usize, Vec<Arc<Subscription>>> = HashMap::new();
        for subscription in subscriptions.filter(|subscription| subscription.is_live()) {
            parts
                .entry(self.index_of(subscription.scope))
                .or_default()
                .push(subscription.clone());
        }
        let answers = parts.into_values().filter_map(|subscriptions| {
            let (scope, (reply, answer)) = (subscriptions.first()?.scope, oneshot::channel());
            self.command(
                scope,
                Command::Count {
                    subscriptions,
                    reply,
                },
            );
            Some(answer)
        });
        let answers =
            futures_util::future::join_all(answers.map(|answer| timeout(PATIENCE, answer))).await;
        answers
            .into_iter()
            .filter_map(|answer| answer.ok()?.ok())
            .flatten()
            .collect()
    }
}
