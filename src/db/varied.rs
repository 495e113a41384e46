//! Prepared statements whose text callers of the API decide about: filters, orders, fields, limits.
//! Each takes some hundred kilobytes on each connection for as long as it is kept, so only those
//! are kept that are used again soon, and not many.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use super::sql::Stmt;

/// At least so many statements are remembered to have been used, and twice as many at most.
const REMEMBERED: usize = 256;
/// After so many more were kept, connections forget what they keep.
const MAX_KEPT: u64 = 64;

/// The last of these statements; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct VariedStatements(Arc<Mutex<RecentTexts>>);

#[derive(Debug, Default)]
struct RecentTexts {
    /// Hashes of their texts, and whether they are kept prepared.
    young: HashMap<u64, bool>,
    /// Those of the time before.
    old: HashMap<u64, bool>,
    /// How many have been kept since the start.
    kept: u64,
}

/// Whether a statement is kept prepared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Keeping {
    pub is_kept: bool,
    /// A connection that has not seen this number yet forgets what it keeps.
    pub generation: u64,
}

impl VariedStatements {
    /// Notes that a statement is used now; `None` if it is not one of these.
    pub fn note(&self, stmt: &Stmt) -> Option<Keeping> {
        if !stmt.varied {
            return None;
        }
        let mut hasher = DefaultHasher::new();
        stmt.text.hash(&mut hasher);
        let hash = hasher.finish();
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let was_kept = recent
            .young
            .get(&hash)
            .copied()
            .or_else(|| recent.old.remove(&hash));
        if was_kept == Some(false) {
            recent.kept += 1;
        }
        recent.young.insert(hash, was_kept.is_some());
        if recent.young.len() >= REMEMBERED {
            recent.old = std::mem::take(&mut recent.young);
        }
        Some(Keeping {
            is_kept: was_kept.is_some(),
            generation: recent.kept / MAX_KEPT,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Dialect, Sql};

    fn note(statements: &VariedStatements, number: i64) -> Keeping {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.varied().push("SELECT ").number(number);
        statements.note(&sql.build()).unwrap()
    }

    #[test]
    fn what_is_used_again_soon_is_kept() {
        let statements = VariedStatements::default();
        assert!(!note(&statements, 1).is_kept);
        assert!(note(&statements, 1).is_kept);
        assert!(
            statements
                .note(&Stmt::fixed("SELECT 1", Vec::new()))
                .is_none()
        );
        for number in 2..1_000 {
            assert!(!note(&statements, number).is_kept);
        }
        assert!(!note(&statements, 1).is_kept);
    }

    #[test]
    fn connections_forget_what_they_keep_before_it_is_much() {
        let statements = VariedStatements::default();
        for number in 0..10_000 {
            note(&statements, number);
            assert_eq!(
                note(&statements, number).generation,
                (u64::try_from(number).unwrap() + 1) / MAX_KEPT
            );
        }
    }
}
