//! What must be found out about events before they are handed out. The database is asked about
//! several of them at once: as many as it answers for quickly.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::Shard;
use crate::changes::{Change, Most};
use crate::realtime::expanding::{Errand, Expanded};
use crate::realtime::inquiry::Inquiry;
use crate::realtime::lens::Subject;
use crate::realtime::topic::{Findings, GroupId, Questions};
use crate::schema::Catalog;

/// The most events that are looked at together.
const MOST: i64 = 32;
/// The most bytes of them: they are parsed.
const MOST_BYTES: usize = 1 << 20;
/// If it took no longer, more of them are looked at together next time,
const QUICK: Duration = Duration::from_millis(50);
/// and fewer if it took longer than this.
const SLOW: Duration = Duration::from_millis(500);

/// How many events are looked at together.
pub(super) struct Pace(i64);

impl Default for Pace {
    fn default() -> Self {
        Self(1)
    }
}

impl Pace {
    /// How many of these events are looked at together, one at least.
    fn of(&self, changes: &[Arc<Change>]) -> usize {
        let most = Most {
            entries: self.0,
            bytes: MOST_BYTES,
        };
        most.of(changes.iter().map(|change| change.size()))
    }

    fn took(&mut self, time: Duration) {
        if time <= QUICK {
            self.0 = (self.0 * 2).min(MOST);
        } else if time > SLOW {
            self.0 = (self.0 / 2).max(1);
        }
    }
}

/// What is known about the next events. It holds as long as nobody comes or goes, nobody's rights
/// change, and the collections stay what they are.
#[derive(Default)]
pub(super) struct Outlook {
    /// The collections for which it holds.
    catalog: Arc<Catalog>,
    /// How many events are still to come that were looked at.
    left: usize,
    events: HashMap<i64, (Subject, Findings)>,
    /// The time that each of the events took.
    share: Duration,
}

impl Outlook {
    /// What was found out about the next event, if anything had to be.
    pub(super) fn next(&mut self, change: &Change) -> Option<(Subject, Findings)> {
        self.left = self.left.saturating_sub(1);
        self.events.remove(&change.position)
    }

    /// The collections for which it holds.
    pub(super) fn catalog(&self) -> &Arc<Catalog> {
        &self.catalog
    }

    /// How long it took, for each event.
    pub(super) fn share(&self) -> Duration {
        self.share
    }

    fn holds(&self, catalog: &Arc<Catalog>) -> bool {
        self.left > 0 && Arc::ptr_eq(&self.catalog, catalog)
    }
}

/// It is too much to be looked at together.
struct TooMuch;

impl Shard {
    /// Finds out what must be known about the first of these events, and about some that follow.
    pub(super) async fn look_ahead(&mut self, outlook: &mut Outlook, changes: &[Arc<Change>]) {
        let catalog = self.catalog.current();
        let Some(first) = changes.first().filter(|_| !outlook.holds(&catalog)) else {
            return;
        };
        if !self
            .topic_of(first, &catalog)
            .is_some_and(|(topic, _)| topic.needs_answers())
        {
            *outlook = Outlook {
                catalog,
                left: 1,
                ..Outlook::default()
            };
            return;
        }
        loop {
            let start = Instant::now();
            let together = self.pace.of(changes);
            if let Ok(found) = self.find_out(&catalog, &changes[..together]).await {
                *outlook = found;
                let took = start.elapsed();
                self.pace.took(took);
                outlook.share = took / u32::try_from(together).unwrap_or(1);
                return;
            }
            self.pace = Pace::default();
        }
    }

    async fn find_out(
        &mut self,
        catalog: &Arc<Catalog>,
        changes: &[Arc<Change>],
    ) -> Result<Outlook, TooMuch> {
        let is_one = changes.len() == 1;
        let mut inquiry = Inquiry::new(&self.db);
        let mut asked: Vec<(Subject, Questions)> = Vec::new();
        for change in changes {
            let cursor = self.log.cursor(change.position);
            let mut allowance = self.allowances.of(change.account_id, Instant::now());
            let Some((topic, collection)) = self.topic_of(change, catalog) else {
                continue;
            };
            if topic.needs_answers() {
                let subject = Subject::new(change.clone(), collection.clone(), cursor);
                let questions = topic.inquire(&subject, &mut inquiry, &mut allowance);
                self.allowances
                    .settle(change.account_id, &allowance, Instant::now());
                asked.push((subject, questions));
            }
        }
        let answers = match inquiry.answers().await {
            Ok(answers) => Some(answers),
            Err(_) if is_one => None,
            Err(_) => return Err(TooMuch),
        };
        let mut errand = Errand::default();
        let mut judged: Vec<(Subject, Findings, HashSet<GroupId>)> = Vec::new();
        for (subject, questions) in asked {
            let mut allowance = self
                .allowances
                .of(subject.change.account_id, Instant::now());
            let Some((topic, _)) = self.topic_of(&subject.change, catalog) else {
                continue;
            };
            let mut findings = Findings::default();
            match &answers {
                Some(answers) => {
                    let verdicts = questions
                        .into_iter()
                        .map(|(group, asked)| (group, answers.verdict(asked)));
                    findings.verdicts = verdicts.collect();
                }
                None => topic.give_up(&questions, subject.change.position),
            }
            let sent = topic.send_for(&subject, &findings.verdicts, &mut errand, &mut allowance);
            self.allowances
                .settle(subject.change.account_id, &allowance, Instant::now());
            judged.push((subject, findings, sent));
        }
        let expanded = errand.run(&self.db, &self.catalog).await;
        let is_all = expanded.as_ref().is_ok_and(Expanded::is_complete);
        if !is_all && !is_one {
            return Err(TooMuch);
        }
        let expanded = expanded.ok().map(Arc::new);
        let mut outlook = Outlook {
            catalog: catalog.clone(),
            left: changes.len(),
            ..Outlook::default()
        };
        for (subject, mut findings, sent) in judged {
            if let Some(expanded) = &expanded {
                findings.expanded = expanded.clone();
            } else {
                if let Some((topic, _)) = self.topic_of(&subject.change, catalog) {
                    topic.withhold(&sent, subject.change.position);
                }
                findings.withheld = sent;
            }
            outlook
                .events
                .insert(subject.change.position, (subject, findings));
        }
        Ok(outlook)
    }
}
