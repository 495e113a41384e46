//! `[limits]` and `[realtime]`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::db::MIN_RECORD_BYTES;

/// Upper limit of the connections of one address, unless a number is configured.
const MAX_AUTOMATIC_CONNECTIONS: usize = 10_000;

/// How much a client may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// The largest body of a request, in bytes.
    pub body_bytes: usize,
    /// The most bytes of records that one answer may have.
    pub answer_bytes: usize,
    /// The largest record, in bytes: what its texts, JSON values and encrypted values take in a
    /// JSON document.
    pub record_bytes: usize,
    /// Records of one account; 0 for any number. The system account is not limited.
    pub account_records: u64,
    /// Bytes of values in the records of one account; 0 for any number. The system account is not
    /// limited.
    pub account_bytes: u64,
    /// How long a request may take, in seconds.
    pub request_timeout_seconds: u64,
    /// How long a client may take to send the head of a request, and how long a connection may wait
    /// for the next, in seconds.
    pub header_timeout_seconds: u64,
    /// How long a client may take nothing of an answer that waits for it, in seconds; then its
    /// connection is closed.
    pub write_timeout_seconds: u64,
    /// Open connections of one address; 0 for half of what the process may open, but at most
    /// 10,000. Behind a trusted proxy, whose address they all have, the requests under way of one
    /// client.
    pub max_connections_per_address: usize,
    /// Connections of one address without a request under way; 0 for any number. Beyond, the oldest
    /// one is closed.
    pub max_idle_connections_per_address: usize,
    /// Records in one batch.
    pub batch_max_size: usize,
    /// Levels of `expand`.
    pub max_expand_depth: usize,
    /// Whether requests to the API are counted, and refused when there are too many.
    pub rate_limit_enabled: bool,
    /// Requests a minute without credentials, for each address.
    pub rate_limit_per_minute: u32,
    /// Requests a minute for each user.
    pub rate_limit_authenticated_per_minute: u32,
    /// Requests at once: how many may come before the rate counts.
    pub rate_limit_burst: u32,
    /// Other numbers a minute for some paths or routes, each counted in a bucket of its own. Where
    /// the number is lower than the usual one, the request counts there as well.
    pub rate_limit_endpoints: BTreeMap<String, u32>,
    /// Whether sign-in, registration and mails are throttled.
    pub throttle_enabled: bool,
    /// The window in which the following numbers are allowed, in seconds.
    pub throttle_window_seconds: u32,
    /// Failed sign-ins of one identity from one network; five times as many from all networks slow
    /// further ones down.
    pub login_failures_per_identity: u32,
    /// Failed sign-ins and bad tokens from one address.
    pub login_failures_per_address: u32,
    /// Sign-ins of one identity.
    pub sign_ins_per_identity: u32,
    /// Sign-ins from one address.
    pub sign_ins_per_address: u32,
    /// Registrations from one address.
    pub registrations_per_address: u32,
    /// Mails that one identity is sent on request.
    pub mails_per_identity: u32,
    /// Mails requested from one address.
    pub mails_per_address: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            body_bytes: 10 * 1024 * 1024,
            answer_bytes: 16 * 1024 * 1024,
            record_bytes: 1024 * 1024,
            account_records: 0,
            account_bytes: 0,
            request_timeout_seconds: 30,
            header_timeout_seconds: 75,
            write_timeout_seconds: 30,
            max_connections_per_address: 0,
            max_idle_connections_per_address: 256,
            batch_max_size: 100,
            max_expand_depth: 3,
            rate_limit_enabled: false,
            rate_limit_per_minute: 60,
            rate_limit_authenticated_per_minute: 120,
            rate_limit_burst: 10,
            rate_limit_endpoints: BTreeMap::new(),
            throttle_enabled: true,
            throttle_window_seconds: 600,
            login_failures_per_identity: 20,
            login_failures_per_address: 200,
            sign_ins_per_identity: 100,
            sign_ins_per_address: 1000,
            registrations_per_address: 300,
            mails_per_identity: 5,
            mails_per_address: 100,
        }
    }
}

impl LimitsConfig {
    /// Open connections of one address, in a process that may have so many files and sockets open.
    pub fn connections_per_address(&self, open_files: usize) -> usize {
        let half = (open_files / 2).max(1);
        match self.max_connections_per_address {
            0 => half.min(MAX_AUTOMATIC_CONNECTIONS),
            limit => limit.min(half),
        }
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        problems.range("limits.body_bytes", self.body_bytes, 1024..=4 << 30);
        problems.range(
            "limits.answer_bytes",
            self.answer_bytes,
            64 * 1024..=1 << 30,
        );
        problems.range(
            "limits.record_bytes",
            self.record_bytes,
            MIN_RECORD_BYTES..=1 << 30,
        );
        problems.range(
            "limits.request_timeout_seconds",
            self.request_timeout_seconds,
            1..=3600,
        );
        problems.range(
            "limits.header_timeout_seconds",
            self.header_timeout_seconds,
            1..=3600,
        );
        problems.range(
            "limits.write_timeout_seconds",
            self.write_timeout_seconds,
            1..=3600,
        );
        problems.range("limits.batch_max_size", self.batch_max_size, 1..=10_000);
        problems.range("limits.max_expand_depth", self.max_expand_depth, 0..=10);
        problems.range(
            "limits.rate_limit_per_minute",
            self.rate_limit_per_minute,
            1..=u32::MAX,
        );
        let per_user = self.rate_limit_authenticated_per_minute;
        problems.range(
            "limits.rate_limit_authenticated_per_minute",
            per_user,
            1..=u32::MAX,
        );
        problems.range(
            "limits.rate_limit_burst",
            self.rate_limit_burst,
            1..=u32::MAX,
        );
        problems.range(
            "limits.throttle_window_seconds",
            self.throttle_window_seconds,
            1..=86_400,
        );
        let throttles = [
            (
                "limits.login_failures_per_identity",
                self.login_failures_per_identity,
            ),
            (
                "limits.login_failures_per_address",
                self.login_failures_per_address,
            ),
            ("limits.sign_ins_per_identity", self.sign_ins_per_identity),
            ("limits.sign_ins_per_address", self.sign_ins_per_address),
            (
                "limits.registrations_per_address",
                self.registrations_per_address,
            ),
            ("limits.mails_per_identity", self.mails_per_identity),
            ("limits.mails_per_address", self.mails_per_address),
        ];
        for (key, value) in throttles {
            problems.range(key, value, 1..=1_000_000);
        }
        for (path, rate) in &self.rate_limit_endpoints {
            if !path.starts_with('/') || *rate == 0 {
                problems.add(
                    "limits.rate_limit_endpoints",
                    format!("`{path}`: give a path and at least 1 a minute"),
                );
            }
        }
    }
}

/// How realtime connections behave.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RealtimeConfig {
    /// How often a connection is sent a sign of life, in seconds.
    pub heartbeat_seconds: u64,
    /// Subscriptions of one connection.
    pub max_subscriptions: usize,
    /// Events that may wait to be handed out; those that follow are read in the change log when it
    /// is their turn.
    pub backlog_events: usize,
    /// Frames that may wait for one connection.
    pub queue_frames: usize,
    /// Bytes that may wait for one connection.
    pub queue_bytes: usize,
    /// Connections of one address; 0 for any number.
    pub max_connections_per_address: usize,
    /// Connections of one user; 0 for any number.
    pub max_connections_per_user: usize,
    /// How long a client may leave unread what waits for it, in seconds.
    pub stall_seconds: u64,
    /// How often a client that nothing concerns is told how far the log is, in seconds.
    pub checkpoint_seconds: u64,
    /// The largest message of a client, in bytes.
    pub max_message_bytes: usize,
    /// Messages of one client a second.
    pub max_messages_per_second: u32,
}

impl Default for RealtimeConfig {
    fn default() -> Self {
        Self {
            heartbeat_seconds: 30,
            max_subscriptions: 100,
            backlog_events: 4096,
            queue_frames: 1024,
            queue_bytes: 1024 * 1024,
            max_connections_per_address: 2000,
            max_connections_per_user: 200,
            stall_seconds: 30,
            checkpoint_seconds: 10,
            max_message_bytes: 64 * 1024,
            max_messages_per_second: 100,
        }
    }
}

impl RealtimeConfig {
    pub(super) fn check(&self, problems: &mut super::Problems) {
        problems.range(
            "realtime.heartbeat_seconds",
            self.heartbeat_seconds,
            1..=3600,
        );
        problems.range(
            "realtime.max_subscriptions",
            self.max_subscriptions,
            1..=100_000,
        );
        problems.range(
            "realtime.backlog_events",
            self.backlog_events,
            1..=1_000_000,
        );
        problems.range("realtime.queue_frames", self.queue_frames, 1..=1_000_000);
        problems.range("realtime.queue_bytes", self.queue_bytes, 1024..=1 << 30);
        problems.range("realtime.stall_seconds", self.stall_seconds, 1..=86_400);
        problems.range(
            "realtime.checkpoint_seconds",
            self.checkpoint_seconds,
            1..=3600,
        );
        problems.range(
            "realtime.max_message_bytes",
            self.max_message_bytes,
            1024..=64 << 20,
        );
        problems.range(
            "realtime.max_messages_per_second",
            self.max_messages_per_second,
            1..=1_000_000,
        );
    }
}
