//! Mails, sent in the background so that no request waits for a mail server, and none tells by its
//! time whether a mail was sent. What became of each is in `email_logs`, for 90 days.

mod template;
mod transport;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures_util::StreamExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

pub use template::{Kind, Rendered};
use transport::Transport;

use crate::clock::Clock;
use crate::config::{Config, Environment};
use crate::db::{Db, Stmt, Value};
use crate::error::{Error, Result};
use crate::id::{AccountId, new_id};
use crate::lifecycle::Lifecycle;

/// Mails that are sent at once.
const AT_ONCE: usize = 4;
/// How long to wait before each further attempt.
const PAUSES: [Duration; 3] = [
    Duration::from_secs(2),
    Duration::from_secs(10),
    Duration::from_mins(1),
];
/// How long the log of mails goes back.
const LOG_DAYS: i64 = 90;
/// Mails that a test can look at.
const KEPT: usize = 1000;

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct Mail {
    /// What it is about.
    pub kind: Kind,
    /// The account it concerns.
    pub account: AccountId,
    /// To whom.
    pub to: String,
    /// The token in its link.
    pub token: String,
}

/// Sends mails; cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    queue: mpsc::Sender<Mail>,
    kept: Arc<Mutex<VecDeque<Mail>>>,
    keeps: bool,
    delivers: bool,
}

/// The statement that deletes old entries of the log of mails.
pub fn prune_log(now: DateTime<Utc>) -> Stmt {
    Stmt::fixed(
        "DELETE FROM email_logs WHERE sent_at < $1",
        vec![(now - TimeDelta::days(LOG_DAYS)).into()],
    )
}

struct Worker {
    config: Arc<Config>,
    db: Db,
    clock: Clock,
    transport: Transport,
    stopping: CancellationToken,
}

impl Mailer {
    /// Starts the background work.
    pub fn start(config: Arc<Config>, db: Db, clock: Clock, lifecycle: &Lifecycle) -> Self {
        let (queue, mails) = mpsc::channel(config.mail.queue_size);
        let keeps = config.server.environment == Environment::Testing;
        let transport = Transport::new(&config);
        let delivers = keeps || transport.delivers();
        let worker = Worker {
            config,
            db,
            clock,
            transport,
            stopping: lifecycle.stopping().clone(),
        };
        lifecycle.spawn(worker.run(mails));
        Self {
            queue,
            kept: Arc::default(),
            keeps,
            delivers,
        }
    }

    /// Refuses where a mail would reach nobody, for requests whose only purpose is to send one.
    ///
    /// # Errors
    /// [`Error::Refused`] without a mail server, unless a developer or a test looks at the mails.
    pub fn require_delivery(&self) -> Result<()> {
        if self.delivers {
            return Ok(());
        }
        let message =
            "no mail server is configured, so that no mail can be sent: set mail.smtp_host";
        Err(Error::refused("No mail server", message))
    }

    /// Puts a mail in the queue; fails if too many are waiting.
    pub fn send(&self, mail: Mail) -> Result<()> {
        if self.keeps {
            let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            kept.truncate(KEPT - 1);
            kept.push_front(mail.clone());
        }
        self.queue.try_send(mail).map_err(|_| {
            Error::Unavailable("Too many mails are waiting to be sent. Try again later.".into())
        })
    }

    /// The newest mail to an address; in the testing environment only.
    pub fn newest_to(&self, address: &str) -> Option<Mail> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|mail| mail.to == address).cloned()
    }
}

impl Worker {
    async fn run(self, mut mails: mpsc::Receiver<Mail>) {
        let mut stopping = Some(Box::pin(self.stopping.clone().cancelled_owned()));
        // Once the server stops, what is in the queue is still tried once, and then it ends.
        let queue = futures_util::stream::poll_fn(move |context| {
            if stopping
                .as_mut()
                .is_some_and(|stopping| stopping.as_mut().poll(context).is_ready())
            {
                stopping = None;
                mails.close();
            }
            mails.poll_recv(context)
        });
        queue
            .for_each_concurrent(AT_ONCE, |mail| self.send(mail))
            .await;
    }

    async fn send(&self, mail: Mail) {
        let rendered = template::render(&mail, &self.config);
        let mut result = self.transport.send(&mail.to, &rendered).await;
        for pause in PAUSES {
            if result.is_ok() || self.stopping.is_cancelled() {
                break;
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stopping.cancelled() => {}
            }
            result = self.transport.send(&mail.to, &rendered).await;
        }
        if let Err(error) = &result {
            tracing::error!(mail.kind = mail.kind.name(), account.id = %mail.account, error, "a mail could not be sent");
        }
        let insert = "INSERT INTO email_logs (id, account_id, template_type, recipient_email, provider, status, \
                      error_message, sent_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let args = vec![
            new_id().to_string().into(),
            mail.account.into(),
            mail.kind.name().into(),
            mail.to.into(),
            self.transport.name().into(),
            if result.is_ok() { "sent" } else { "failed" }.into(),
            Value::text_or_null(result.err()),
            self.clock.now().into(),
        ];
        if let Err(error) = self.db.execute(Stmt::fixed(insert, args)).await {
            tracing::warn!(%error, "the log of mails could not be written");
        }
    }
}

#[cfg(test)]
mod tests;
