//! Exchanging unique values between records. Unique indexes are checked row by row, so a batch that exchanges values
//! first sets them to NULL ("parks" them) and gives them their new values at the end. The change log tells nothing of
//! that: it gets one entry for each record, as if all values had changed at once.

use uuid::Uuid;

use super::dialect::Dialect;
use super::sql::{Sql, Stmt};

impl Dialect {
    /// The statement before values are parked: it notes where the log ends, and lets `required` columns be NULL.
    pub fn begin_parking(self) -> Stmt {
        let text = match self {
            Self::Sqlite => {
                "UPDATE change_context SET parked_after = (SELECT coalesce(max(position), 0) FROM change_log)"
            }
            Self::Postgres => {
                "SELECT set_config('snackbase.parked_after', coalesce(max(position), 0)::text, true) FROM change_log"
            }
        };
        Stmt::fixed(text, Vec::new())
    }

    /// The statements after the last value has its place: of the entries of each record the first one stays, with the
    /// record as the last one has it.
    pub fn end_parking(self, collection: Uuid) -> Vec<Stmt> {
        let mut join = Sql::new(self);
        join.push("UPDATE change_log SET record = (SELECT l.record FROM change_log l WHERE l.").push(self.parked());
        join.push(" AND l.collection_id = change_log.collection_id AND l.record_id = change_log.record_id");
        join.push(" ORDER BY l.position DESC LIMIT 1) WHERE ").push(self.parked());
        join.push(" AND operation = 'update' AND collection_id = ").arg(collection.to_string());
        let mut delete = Sql::new(self);
        delete.push("DELETE FROM change_log WHERE ").push(self.parked());
        delete.push(" AND operation = 'update' AND collection_id = ").arg(collection.to_string());
        delete.push(" AND EXISTS (SELECT 1 FROM change_log e WHERE e.").push(self.parked());
        delete.push(" AND e.position < change_log.position AND e.collection_id = change_log.collection_id");
        delete.push(" AND e.record_id = change_log.record_id)");
        let end = match self {
            Self::Sqlite => "UPDATE change_context SET parked_after = NULL",
            Self::Postgres => "SELECT set_config('snackbase.parked_after', '', true)",
        };
        vec![join.build(), delete.build(), Stmt::fixed(end, Vec::new())]
    }

    /// The entries of the transaction since values were parked.
    fn parked(self) -> &'static str {
        match self {
            Self::Sqlite => "position > (SELECT parked_after FROM change_context)",
            Self::Postgres => {
                "position > current_setting('snackbase.parked_after')::bigint AND xid = pg_current_xact_id()"
            }
        }
    }
}

impl Sql {
    /// Appends to a `SELECT` that it locks its rows until the end of the transaction, in the order in which it finds them:
    /// on PostgreSQL, where others write at the same time.
    pub fn for_update(&mut self, deletes: bool) -> &mut Self {
        self.push(match (self.dialect(), deletes) {
            (Dialect::Sqlite, _) => "",
            (Dialect::Postgres, true) => " FOR UPDATE",
            // Records that refer to these can still be made.
            (Dialect::Postgres, false) => " FOR NO KEY UPDATE",
        })
    }

    /// Appends `AND …`, which is true unless an update parks values.
    pub(super) fn unless_parking(&mut self) -> &mut Self {
        self.push(match self.dialect() {
            Dialect::Sqlite => " AND (SELECT parked_after FROM change_context) IS NULL",
            Dialect::Postgres => {
                " AND NOT (TG_OP = 'UPDATE' AND coalesce(current_setting('snackbase.parked_after', true), '') <> '')"
            }
        })
    }
}
