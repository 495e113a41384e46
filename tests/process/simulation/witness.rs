//! A superadmin sees every change, so what one hears must be the log, entry by entry.

use crate::direct::texts;
use crate::harness::Database;

/// The entries of the collection: position and account.
const LOG: &str = "SELECT CAST(position AS TEXT) || ' ' || account_id FROM change_log \
    WHERE operation IN ('create', 'update', 'delete') \
    AND collection_id = (SELECT id FROM collections WHERE name = 'items') ORDER BY position";

/// What somebody has heard without interruption.
#[derive(Clone, Debug)]
struct Stretch {
    /// Everything after this position.
    after: i64,
    heard: Vec<i64>,
    /// Whether something was told that is not in the log, and what came next is another story.
    has_ended: bool,
}

/// What somebody has heard.
#[derive(Clone, Debug, Default)]
pub struct Witness(Vec<Stretch>);

impl Witness {
    /// Everything after a position is told from now on.
    pub fn begin(&mut self, after: i64) {
        self.end();
        self.0.push(Stretch {
            after,
            heard: Vec::new(),
            has_ended: false,
        });
    }

    /// Nothing is sure until it begins again.
    pub fn end(&mut self) {
        if let Some(stretch) = self.0.last_mut() {
            stretch.has_ended = true;
        }
    }

    pub fn hears(&mut self, position: i64) {
        if let Some(stretch) = self
            .0
            .last_mut()
            .filter(|stretch| !stretch.has_ended && position > stretch.after)
        {
            stretch.heard.push(position);
        }
    }

    /// What was not heard, or does not exist.
    pub async fn difference(&self, database: &Database, account: Option<&str>) -> Option<String> {
        let log: Vec<i64> = texts(database, LOG)
            .await
            .iter()
            .map(|entry| entry.split_once(' ').unwrap())
            .filter(|(_, owner)| account.is_none_or(|account| account == *owner))
            .map(|(position, _)| position.parse().unwrap())
            .collect();
        for Stretch {
            after,
            heard,
            has_ended,
        } in &self.0
        {
            let until = if *has_ended {
                heard.last().copied().unwrap_or(0)
            } else {
                i64::MAX
            };
            let expected: Vec<i64> = log
                .iter()
                .copied()
                .filter(|at| at > after && *at <= until)
                .collect();
            if *heard != expected {
                let missed: Vec<&i64> = expected.iter().filter(|at| !heard.contains(at)).collect();
                let invented: Vec<&i64> =
                    heard.iter().filter(|at| !expected.contains(at)).collect();
                return Some(format!(
                    "  after {after} it missed {missed:?} and invented {invented:?}\n"
                ));
            }
        }
        None
    }
}
