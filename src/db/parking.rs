//! Exchanging unique values between records. Unique indexes are checked row by row, so a batch that
//! exchanges values first sets them to NULL ("parks" them) and gives them their new values at the
//! end. The change log tells nothing of that: it gets one entry for each record, as if all values
//! had changed at once.

use uuid::Uuid;

use super::dialect::Dialect;
use super::sql::{Sql, Stmt};

impl Dialect {
    /// The statement before values are parked: it notes where the log ends, and lets `required`
    /// columns be NULL.
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

    /// The statements after the last value has its place. Of the entries of each record the first
    /// one stays, and tells what all of them tell: each value as the last entry has it that does
    /// not leave it out, each earlier value as the first entry has it that has one.
    pub fn end_parking(self, collection: Uuid) -> Vec<Stmt> {
        let mut join = Sql::new(self);
        join.push("UPDATE change_log SET record = ");
        self.write_joined(&mut join, match self {
            Self::Sqlite => [
                "(SELECT json_group_object(k.key, json(coalesce((SELECT e.record -> k.fullkey FROM change_log e WHERE ",
                " AND instr(coalesce(e.omitted, ''), ':' || k.key || ',') = 0 ORDER BY e.position DESC LIMIT 1), 'null'))) \
                 FROM (SELECT e.record FROM change_log e WHERE ",
                " ORDER BY e.position DESC LIMIT 1) d, json_each(d.record) k)",
            ],
            Self::Postgres => [
                "(SELECT '{' || string_agg(to_json(k.key)::text || ':' || coalesce((SELECT (e.record::json -> k.key)::text \
                 FROM change_log e WHERE ",
                " AND strpos(coalesce(e.omitted, ''), ':' || k.key || ',') = 0 ORDER BY e.position DESC LIMIT 1), 'null'), \
                 ',' ORDER BY k.ordinality) || '}' FROM (SELECT e.record FROM change_log e WHERE ",
                " ORDER BY e.position DESC LIMIT 1) d, json_each(d.record::json) WITH ORDINALITY k)",
            ],
        });
        join.push(", previous = ");
        self.write_joined(&mut join, match self {
            Self::Sqlite => [
                "(SELECT json_group_object(p.key, json(p.value)) FROM (SELECT k.key AS key, e.previous -> k.fullkey AS value, \
                 min(e.position) FROM change_log e, json_each(e.previous) k WHERE ",
                " GROUP BY k.key) p)",
                "",
            ],
            Self::Postgres => [
                "(SELECT '{' || string_agg(to_json(p.key)::text || ':' || p.value, ',') || '}' FROM (SELECT DISTINCT ON \
                 (k.key) k.key, k.value::text AS value FROM change_log e, json_each(e.previous::json) k WHERE ",
                " ORDER BY k.key, e.position) p)",
                "",
            ],
        });
        join.push(", omitted = CASE WHEN omitted IS NOT NULL THEN ");
        self.write_joined(&mut join, match self {
            Self::Sqlite => [
                "(SELECT coalesce(group_concat(n.value || ',', ''), '') FROM json_each('[\"' || replace(change_log.omitted, \
                 ',', '\",\"') || '\"]') n WHERE n.value <> '' AND NOT EXISTS (SELECT 1 FROM change_log e WHERE ",
                " AND instr(coalesce(e.omitted, ''), n.value || ',') = 0))",
                "",
            ],
            Self::Postgres => [
                "(SELECT coalesce(string_agg(n || ',', ''), '') FROM unnest(string_to_array(rtrim(change_log.omitted, ','), \
                 ',')) n WHERE NOT EXISTS (SELECT 1 FROM change_log e WHERE ",
                " AND strpos(coalesce(e.omitted, ''), n || ',') = 0))",
                "",
            ],
        });
        join.push(" END WHERE ")
            .push(self.parked())
            .push(" AND operation = 'update' AND collection_id = ");
        join.arg(collection.to_string())
            .push(" AND EXISTS (SELECT 1 FROM change_log e WHERE ");
        self.write_of_record(&mut join);
        join.push(" AND e.position > change_log.position) AND NOT EXISTS (SELECT 1 FROM change_log e WHERE ");
        self.write_of_record(&mut join);
        join.push(" AND e.position < change_log.position)");
        let mut delete = Sql::new(self);
        delete
            .push("DELETE FROM change_log WHERE ")
            .push(self.parked());
        delete
            .push(" AND operation = 'update' AND collection_id = ")
            .arg(collection.to_string());
        delete.push(" AND EXISTS (SELECT 1 FROM change_log e WHERE ");
        self.write_of_record(&mut delete);
        delete.push(" AND e.position < change_log.position)");
        let end = match self {
            Self::Sqlite => "UPDATE change_context SET parked_after = NULL",
            Self::Postgres => "SELECT set_config('snackbase.parked_after', '', true)",
        };
        vec![join.build(), delete.build(), Stmt::fixed(end, Vec::new())]
    }

    /// Appends parts of a query, with the condition of [`Self::write_of_record`] between them; an
    /// empty part ends it.
    fn write_joined(self, sql: &mut Sql, parts: [&'static str; 3]) {
        for (index, part) in parts
            .into_iter()
            .enumerate()
            .filter(|(_, part)| !part.is_empty())
        {
            if index > 0 {
                self.write_of_record(sql);
            }
            sql.push(part);
        }
    }

    /// Appends whether an entry `e` is of the record, the transaction and the exchange of the entry
    /// `change_log`.
    fn write_of_record(self, sql: &mut Sql) {
        sql.push("e.")
            .push(self.parked())
            .push(" AND e.operation = 'update'");
        sql.push(" AND e.collection_id = change_log.collection_id AND e.record_id = change_log.record_id");
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
    /// Appends to a `SELECT` that it locks its rows until the end of the transaction, in the order
    /// in which it finds them: on PostgreSQL, where others write at the same time.
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
