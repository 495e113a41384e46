//! What a write locks, so that a rule about other records and the write that it allows are one
//! step.
//!
//! A write whose rule reads other records locks what the rule reads, and its own collection if
//! rules of writes read that. So of two writes, one whose rule reads what the other one writes, the
//! second is judged with the first one stored. A write whose rule reads no other record locks
//! nothing: whatever it does counts as done after what was judged meanwhile.

use super::Records;
use crate::access::RecordScope;
use crate::db::{RecordLock, Stmt};
use crate::id::RecordId;
use crate::schema::Operation;

impl Records {
    /// The locks for writes within a scope.
    pub(super) fn locks(&self, scope: &RecordScope<'_>) -> Vec<RecordLock> {
        let rule = scope.rule.filter(|rule| rule.relational());
        let (Some(rule), Some(account)) = (rule, scope.account) else {
            return Vec::new();
        };
        let catalog = self.catalog.current();
        let own = scope.collection.id;
        let mut locks: Vec<RecordLock> = catalog
            .read_by(rule)
            .map(|read| RecordLock::shared(account.0, read.0))
            .collect();
        if catalog.is_read_by_write_rules(own) {
            locks.push(RecordLock::exclusive(account.0, own.0));
        }
        locks
    }

    /// The statement that locks records before a batch changes or deletes them, in an order that
    /// all batches keep.
    pub(super) fn lock_rows(&self, scope: &RecordScope<'_>, records: &[RecordId]) -> Option<Stmt> {
        if self.db.is_embedded() || records.len() < 2 {
            return None;
        }
        let mut sql = self.db.sql();
        sql.push("SELECT r.id FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id IN (");
        sql.list(", ", records, |sql, id| {
            sql.arg(*id);
        });
        sql.push(")");
        if let Some(account) = scope.account {
            sql.push(" AND r.account_id = ").arg(account);
        }
        sql.push(" ORDER BY r.id")
            .for_update(scope.operation == Operation::Delete);
        Some(sql.build())
    }
}
