//! Counting what the records of each account take, while that is limited.

use super::logged_table::{LoggedTable, stored_bytes};
use crate::db::dialect::Dialect;
use crate::db::error::{QUOTA_EXCEEDED, QUOTA_STATE};
use crate::db::sql::{Sql, Stmt};

/// A change of a record, as it counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Create,
    Update,
    Delete,
}

impl LoggedTable<'_> {
    /// Appends the statements of a trigger that count a change and refuse it if the account then
    /// has more than its quota; changes that make it smaller are never refused.
    pub(super) fn write_usage(&self, sql: &mut Sql, counted: Counted) {
        let row = if counted == Counted::Delete {
            "OLD"
        } else {
            "NEW"
        };
        let is_postgres = sql.dialect() == Dialect::Postgres;
        if is_postgres {
            sql.push("IF EXISTS (SELECT 1 FROM account_quotas) THEN ");
        }
        sql.push("UPDATE account_usage SET ");
        sql.push(match counted {
            Counted::Create => "records = records + 1, bytes = bytes + ",
            Counted::Update => "bytes = bytes + ",
            Counted::Delete => "records = records - 1, bytes = bytes - ",
        });
        self.write_stored_bytes(sql, row);
        if counted == Counted::Update {
            sql.push(" - ");
            self.write_stored_bytes(sql, "OLD");
        }
        sql.push(" WHERE account_id = ")
            .push(row)
            .push(".account_id");
        if counted == Counted::Update {
            sql.push(" AND ");
            self.write_stored_bytes(sql, row);
            sql.push(" <> ");
            self.write_stored_bytes(sql, "OLD");
        }
        sql.push("; ");
        if counted == Counted::Create {
            self.write_refusal(sql, "records", counted);
        }
        if counted != Counted::Delete {
            self.write_refusal(sql, "bytes", counted);
        }
        if is_postgres {
            sql.push("END IF; ");
        }
    }

    fn write_refusal(&self, sql: &mut Sql, quota: &'static str, counted: Counted) {
        let (before, after) = match sql.dialect() {
            Dialect::Sqlite => ("SELECT RAISE(ABORT, '", "') "),
            Dialect::Postgres => ("IF EXISTS (SELECT 1 ", ""),
        };
        sql.push(before);
        if sql.dialect() == Dialect::Sqlite {
            sql.push(QUOTA_EXCEEDED).push(quota);
        }
        sql.push(after).push(
            "FROM account_quotas q, account_usage u WHERE u.account_id = NEW.account_id AND u.",
        );
        sql.push(quota).push(" > q.max_").push(quota);
        if counted == Counted::Update {
            sql.push(" AND ");
            self.write_stored_bytes(sql, "NEW");
            sql.push(" > ");
            self.write_stored_bytes(sql, "OLD");
        }
        if sql.dialect() == Dialect::Postgres {
            sql.push(") THEN RAISE EXCEPTION USING ERRCODE = '")
                .push(QUOTA_STATE)
                .push("', MESSAGE = '");
            sql.push(QUOTA_EXCEEDED).push(quota).push("'; END IF");
        }
        sql.push("; ");
    }

    fn write_stored_bytes(&self, sql: &mut Sql, alias: &'static str) {
        sql.push("(0");
        for column in self.unbounded_columns() {
            sql.push(" + coalesce(");
            stored_bytes(sql, alias, column);
            sql.push(", 0)");
        }
        sql.push(")");
    }

    /// The statements that add the records of the table to the usage of their accounts.
    pub fn count_usage(&self, dialect: Dialect) -> Vec<Stmt> {
        let mut statements = Vec::new();
        if dialect == Dialect::Postgres {
            // What is being written is waited for, so that it is counted as well.
            let mut sql = Sql::new(dialect);
            sql.push("LOCK TABLE ")
                .ident(self.table)
                .push(" IN SHARE MODE");
            statements.push(sql.build());
        }
        statements.push(self.change_usage(dialect, "+"));
        statements
    }

    /// The statement that takes the records of the table out of the usage of their accounts.
    pub fn discount_usage(&self, dialect: Dialect) -> Stmt {
        self.change_usage(dialect, "-")
    }

    fn change_usage(&self, dialect: Dialect, sign: &'static str) -> Stmt {
        let mut sql = Sql::new(dialect);
        sql.push("UPDATE account_usage SET records = account_usage.records ")
            .push(sign)
            .push(" c.records, ");
        sql.push("bytes = account_usage.bytes ")
            .push(sign)
            .push(" c.bytes FROM (SELECT t.account_id, ");
        sql.push("count(*) AS records, CAST(sum(");
        self.write_stored_bytes(&mut sql, "t");
        sql.push(") AS BIGINT) AS bytes FROM ").ident(self.table);
        sql.push(" t WHERE EXISTS (SELECT 1 FROM account_quotas) GROUP BY t.account_id) c ");
        sql.push("WHERE c.account_id = account_usage.account_id");
        sql.build()
    }
}
