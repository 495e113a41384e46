//! Triggers that write the change log, in each dialect.

mod file_uses;
mod logged_table;
mod usage;

use uuid::Uuid;

use super::dialect::Dialect;
use super::error::{TOO_LARGE, TOO_LARGE_STATE};
use super::sql::{Ident, Sql, Stmt};
pub use logged_table::{LoggedTable, MIN_RECORD_BYTES, set_record_limit};
use usage::Counted;

/// When a transaction acts, if it says so: what a trigger cannot read off a deleted row.
const CONTEXT_TIME: &str =
    "coalesce(nullif(current_setting('snackbase.at', true), '')::timestamptz, now())";

/// Where a change comes from, if the statement or the transaction says so.
const ORIGIN: &str = "nullif(current_setting('snackbase.origin', true), '')";

impl Dialect {
    /// The statements that make (or replace) the triggers of a collection's table.
    pub fn log_triggers(self, logged: &LoggedTable<'_>, replace: bool) -> Vec<Stmt> {
        match self {
            Self::Sqlite => OPERATIONS
                .into_iter()
                .flat_map(|operation| sqlite_trigger(logged, replace, operation))
                .collect(),
            Self::Postgres => postgres_trigger(logged, replace),
        }
    }

    /// The statements that drop the triggers of a table.
    pub fn drop_log_triggers(self, table: &Ident) -> Vec<Stmt> {
        let drop = |name: &Ident| {
            let mut sql = Sql::new(self);
            sql.push("DROP TRIGGER ").ident(name);
            if self == Self::Postgres {
                sql.push(" ON ").ident(table);
            }
            sql.build()
        };
        match self {
            Self::Sqlite => OPERATIONS
                .iter()
                .map(|operation| drop(&trigger_name(table, operation)))
                .collect(),
            Self::Postgres => vec![drop(&function_name(table))],
        }
    }

    /// The statements before columns are renamed, which must be followed by [`Self::log_triggers`]
    /// that replace: SQLite would rewrite each name in the triggers.
    pub fn drop_log_triggers_to_rename(self, table: &Ident) -> Vec<Stmt> {
        if self == Self::Sqlite {
            self.drop_log_triggers(table)
        } else {
            Vec::new()
        }
    }

    /// The statement that drops what outlives a dropped table, if there is something.
    pub fn drop_trigger_function(self, table: &Ident) -> Option<Stmt> {
        (self == Self::Postgres).then(|| {
            let mut sql = Sql::new(self);
            sql.push("DROP FUNCTION ")
                .ident(&function_name(table))
                .push("()");
            sql.build()
        })
    }

    /// The statement that gives a constraint another name; SQLite's are known by no name.
    pub fn rename_constraint(self, table: &Ident, from: &Ident, to: &Ident) -> Option<Stmt> {
        (self == Self::Postgres).then(|| {
            let mut sql = Sql::new(self);
            sql.push("ALTER TABLE ")
                .ident(table)
                .push(" RENAME CONSTRAINT ")
                .ident(from)
                .push(" TO ")
                .ident(to);
            sql.build()
        })
    }

    /// How a reference keeps what it refers to: until the end of the statement, or of the
    /// transaction if a batch asks for it. `RESTRICT` would not wait.
    pub fn on_delete_refuse(self) -> &'static str {
        match self {
            // Whether it waits is a pragma.
            Self::Sqlite => " ON DELETE NO ACTION",
            Self::Postgres => " ON DELETE NO ACTION DEFERRABLE",
        }
    }

    /// The statements that give [`Self::on_delete_refuse`] to a reference that was made with
    /// `RESTRICT`.
    pub fn relax_reference(
        self,
        table: &Ident,
        constraint: &Ident,
        column: &Ident,
        target: &Ident,
    ) -> Vec<Stmt> {
        match self {
            // The procedure that SQLite's documentation gives for changes that need no other data.
            Self::Sqlite => {
                let mut sql = Sql::new(self);
                sql.push(
                    "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, ",
                );
                sql.push(
                    "'(\"id\") ON DELETE RESTRICT', '(\"id\") ON DELETE NO ACTION') WHERE type = 'table' AND name = ",
                );
                sql.text_literal(table.as_str())
                    .push("; PRAGMA writable_schema = RESET");
                vec![sql.build()]
            }
            Self::Postgres => {
                let mut drop = Sql::new(self);
                drop.push("ALTER TABLE ")
                    .ident(table)
                    .push(" DROP CONSTRAINT IF EXISTS ")
                    .ident(constraint);
                let mut add = Sql::new(self);
                add.push("ALTER TABLE ")
                    .ident(table)
                    .push(" ADD CONSTRAINT ")
                    .ident(constraint);
                add.push(" FOREIGN KEY (")
                    .ident(column)
                    .push(") REFERENCES ")
                    .ident(target)
                    .push(" (\"id\")");
                add.push(self.on_delete_refuse());
                vec![drop.build(), add.build()]
            }
        }
    }

    /// SQLite stores a row with its key instead of giving it a hidden number first; PostgreSQL has
    /// no such choice.
    pub fn clustered_by_key(self) -> &'static str {
        match self {
            Self::Sqlite => " WITHOUT ROWID",
            Self::Postgres => "",
        }
    }
}

const INSERT: &str = "INSERT INTO change_log (account_id, collection_id, record_id, operation, at, actor, record, previous, omitted, origin) ";

impl Sql {
    /// Appends `AND …`, which is always true, and tells the triggers where the change comes from:
    /// on PostgreSQL, where a statement can.
    pub fn change_origin(&mut self, origin: impl FnOnce() -> Option<String>) -> &mut Self {
        if self.dialect() == Dialect::Postgres
            && let Some(origin) = origin()
        {
            self.push(" AND set_config('snackbase.origin', ")
                .typed_arg(origin)
                .push(", true) IS NOT NULL");
        }
        self
    }
}

const OPERATIONS: [&str; 3] = ["create", "update", "delete"];

fn trigger_name(table: &Ident, operation: &'static str) -> Ident {
    table
        .suffixed(&Ident::fixed(operation))
        .suffixed(&Ident::fixed("log"))
}

fn function_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("log"))
}

fn sqlite_trigger(logged: &LoggedTable<'_>, replace: bool, operation: &'static str) -> Vec<Stmt> {
    let LoggedTable {
        collection,
        table,
        required,
        ..
    } = *logged;
    let name = trigger_name(table, operation);
    let mut statements = Vec::new();
    if replace {
        let mut sql = Sql::new(Dialect::Sqlite);
        // Renaming a column has dropped it before.
        sql.push("DROP TRIGGER IF EXISTS ").ident(&name);
        statements.push(sql.build());
    }
    let mut sql = Sql::new(Dialect::Sqlite);
    let (event, row) = match operation {
        "create" => (" AFTER INSERT ON ", "NEW"),
        "update" => (" AFTER UPDATE ON ", "NEW"),
        _ => (" AFTER DELETE ON ", "OLD"),
    };
    sql.push("CREATE TRIGGER ")
        .ident(&name)
        .push(event)
        .ident(table)
        .push(" BEGIN ");
    if operation != "delete" {
        for column in required {
            sql.push("SELECT RAISE(ABORT, 'NOT NULL constraint failed: ")
                .ident(table)
                .push(".")
                .ident(column);
            sql.push("') WHERE NEW.").ident(column).push(" IS NULL");
            if operation == "update" {
                sql.unless_parking();
            }
            sql.push("; ");
        }
        if logged.unbounded_columns().next().is_some() {
            sql.push("SELECT RAISE(ABORT, '")
                .push(TOO_LARGE)
                .push("') WHERE ");
            logged.write_is_large(&mut sql);
            sql.push(" AND ");
            logged.write_is_too_large(&mut sql, operation == "update");
            sql.push("; ");
        }
    }
    logged.write_usage(
        &mut sql,
        match operation {
            "create" => Counted::Create,
            "update" => Counted::Update,
            _ => Counted::Delete,
        },
    );
    match operation {
        "create" => logged.write_file_claims(&mut sql),
        "update" => logged.write_file_changes(&mut sql),
        _ => logged.write_file_releases(&mut sql),
    }
    sql.push(INSERT);
    sql.push("SELECT ")
        .push(row)
        .push(".account_id, ")
        .uuid_literal(collection)
        .push(", ")
        .push(row);
    sql.push(".id, '").push(operation).push("', ");
    match operation {
        "create" => sql.push("NEW.created_at, NEW.created_by, "),
        // A change that the database makes itself (a reference set to null) touches neither stamp.
        // What is older than the row is the context of something else: then two changes came within
        // a millisecond.
        "update" => sql.push(
            "CASE WHEN NEW.updated_at = OLD.updated_at AND c.at >= OLD.updated_at THEN c.at ELSE NEW.updated_at END, \
             CASE WHEN NEW.updated_at = OLD.updated_at AND c.at >= OLD.updated_at THEN c.actor ELSE NEW.updated_by END, ",
        ),
        _ => sql.push("c.at, c.actor, "),
    };
    match operation {
        "create" => logged.write_document(&mut sql, "NEW"),
        "update" => logged.write_update(&mut sql),
        _ => logged.write_delete(&mut sql),
    }
    sql.push(match operation {
        "create" => ", NULL, NULL, NULL; END",
        // Other changes are told of in another way, see the audit trail.
        "update" => {
            ", CASE WHEN NEW.updated_at = OLD.updated_at AND c.at >= OLD.updated_at THEN c.origin END \
             FROM change_context c; END"
        }
        _ => ", c.origin FROM change_context c; END",
    });
    statements.push(sql.build());
    statements
}

fn postgres_trigger(logged: &LoggedTable<'_>, replace: bool) -> Vec<Stmt> {
    let LoggedTable {
        collection,
        table,
        required,
        ..
    } = *logged;
    let function = function_name(table);
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push("CREATE OR REPLACE FUNCTION ")
        .ident(&function)
        .push("() RETURNS trigger LANGUAGE plpgsql AS $log$ BEGIN ");
    sql.push("IF TG_OP = 'DELETE' THEN ");
    logged.write_usage(&mut sql, Counted::Delete);
    logged.write_file_releases(&mut sql);
    insert(&mut sql, collection, "OLD", "'delete'");
    sql.push(CONTEXT_TIME)
        .push(", coalesce(nullif(current_setting('snackbase.actor', true), ''), 'system'), ");
    logged.write_delete(&mut sql);
    sql.push(", ").push(ORIGIN).push("); RETURN OLD; END IF; ");
    for column in required {
        sql.push("IF NEW.")
            .ident(column)
            .push(" IS NULL")
            .unless_parking()
            .push(" THEN RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = 'null in ");
        sql.ident(column).push("'; END IF; ");
    }
    let has_long_columns = logged.unbounded_columns().next().is_some();
    let refuse_large = |sql: &mut Sql, is_update: bool| {
        if has_long_columns {
            // An expression without a query is quick in PL/pgSQL.
            sql.push("IF ");
            logged.write_is_large(sql);
            sql.push(" THEN IF ");
            logged.write_is_too_large(sql, is_update);
            sql.push(" THEN RAISE EXCEPTION USING ERRCODE = '")
                .push(TOO_LARGE_STATE);
            sql.push("', MESSAGE = '")
                .push(TOO_LARGE)
                .push("'; END IF; END IF; ");
        }
    };
    sql.push("IF TG_OP = 'INSERT' THEN ");
    refuse_large(&mut sql, false);
    logged.write_usage(&mut sql, Counted::Create);
    logged.write_file_claims(&mut sql);
    insert(&mut sql, collection, "NEW", "'create'");
    sql.push("NEW.created_at, NEW.created_by, ");
    logged.write_document(&mut sql, "NEW");
    sql.push(", NULL, NULL, ")
        .push(ORIGIN)
        .push("); RETURN NEW; END IF; ");
    refuse_large(&mut sql, true);
    logged.write_usage(&mut sql, Counted::Update);
    logged.write_file_changes(&mut sql);
    insert(&mut sql, collection, "NEW", "'update'");
    // A change that the database makes itself (a reference set to null) touches neither stamp.
    sql.push("CASE WHEN NEW.updated_at = OLD.updated_at THEN ")
        .push(CONTEXT_TIME)
        .push(" ELSE NEW.updated_at END, ");
    sql.push("coalesce(CASE WHEN NEW.updated_at = OLD.updated_at THEN nullif(current_setting('snackbase.actor', true), '') END, ");
    sql.push("NEW.updated_by), ");
    logged.write_update(&mut sql);
    sql.push(", ").push(ORIGIN).push("); RETURN NEW; END $log$");
    let mut statements = vec![sql.build()];
    if !replace {
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push("CREATE TRIGGER ")
            .ident(&function)
            .push(" AFTER INSERT OR UPDATE OR DELETE ON ")
            .ident(table);
        sql.push(" FOR EACH ROW EXECUTE FUNCTION ")
            .ident(&function)
            .push("()");
        statements.push(sql.build());
    }
    statements
}

fn insert(sql: &mut Sql, collection: Uuid, row: &'static str, operation: &'static str) {
    sql.push(INSERT);
    sql.push("VALUES (")
        .push(row)
        .push(".account_id, ")
        .uuid_literal(collection)
        .push(", ");
    sql.push(row).push(".id, ").push(operation).push(", ");
}
