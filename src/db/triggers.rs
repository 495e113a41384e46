//! Triggers that write the change log, in each dialect.

use uuid::Uuid;

use super::dialect::Dialect;
use super::sql::{Ident, Sql, Stmt};

/// When a transaction acts, if it says so: what a trigger cannot read off a deleted row.
const CONTEXT_TIME: &str = "coalesce(nullif(current_setting('snackbase.at', true), '')::timestamptz, now()), ";

/// Where a change comes from, if the statement or the transaction says so.
const ORIGIN: &str = "nullif(current_setting('snackbase.origin', true), '')";

/// Writes the document of a row that a trigger sees as `NEW` or `OLD`.
type Document<'a> = &'a dyn Fn(&mut Sql, &'static str);

impl Dialect {
    /// The statements that make (or replace) the triggers of a collection's table.
    /// A NULL in a `required` column fails the write.
    pub fn log_triggers(
        self,
        collection: Uuid,
        table: &Ident,
        required: &[&Ident],
        document: Document<'_>,
        replace: bool,
    ) -> Vec<Stmt> {
        match self {
            Self::Sqlite => OPERATIONS
                .into_iter()
                .flat_map(|operation| sqlite_trigger(collection, table, required, document, replace, operation))
                .collect(),
            Self::Postgres => postgres_trigger(collection, table, required, document, replace),
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
            Self::Sqlite => OPERATIONS.iter().map(|operation| drop(&trigger_name(table, operation))).collect(),
            Self::Postgres => vec![drop(&function_name(table))],
        }
    }

    /// The statement that drops what outlives a dropped table, if there is something.
    pub fn drop_trigger_function(self, table: &Ident) -> Option<Stmt> {
        (self == Self::Postgres).then(|| {
            let mut sql = Sql::new(self);
            sql.push("DROP FUNCTION ").ident(&function_name(table)).push("()");
            sql.build()
        })
    }

    /// The statement that gives a constraint another name; SQLite's are known by no name.
    pub fn rename_constraint(self, table: &Ident, from: &Ident, to: &Ident) -> Option<Stmt> {
        (self == Self::Postgres).then(|| {
            let mut sql = Sql::new(self);
            sql.push("ALTER TABLE ").ident(table).push(" RENAME CONSTRAINT ").ident(from).push(" TO ").ident(to);
            sql.build()
        })
    }

    /// SQLite stores a row with its key instead of giving it a hidden number first; PostgreSQL has no such choice.
    pub fn clustered_by_key(self) -> &'static str {
        match self {
            Self::Sqlite => " WITHOUT ROWID",
            Self::Postgres => "",
        }
    }
}

const INSERT: &str =
    "INSERT INTO change_log (account_id, collection_id, record_id, operation, at, actor, record, previous, origin) ";

impl Sql {
    /// Appends `AND …`, which is always true, and tells the triggers where the change comes from: on PostgreSQL, where a
    /// statement can.
    pub fn change_origin(&mut self, origin: impl FnOnce() -> Option<String>) -> &mut Self {
        if self.dialect() == Dialect::Postgres
            && let Some(origin) = origin()
        {
            self.push(" AND set_config('snackbase.origin', ").typed_arg(origin).push(", true) IS NOT NULL");
        }
        self
    }
}

const OPERATIONS: [&str; 3] = ["create", "update", "delete"];

fn trigger_name(table: &Ident, operation: &'static str) -> Ident {
    table.suffixed(&Ident::fixed(operation)).suffixed(&Ident::fixed("log"))
}

fn function_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("log"))
}

fn sqlite_trigger(
    collection: Uuid,
    table: &Ident,
    required: &[&Ident],
    document: Document<'_>,
    replace: bool,
    operation: &'static str,
) -> Vec<Stmt> {
    let name = trigger_name(table, operation);
    let mut statements = Vec::new();
    if replace {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("DROP TRIGGER ").ident(&name);
        statements.push(sql.build());
    }
    let mut sql = Sql::new(Dialect::Sqlite);
    let (event, row) = match operation {
        "create" => (" AFTER INSERT ON ", "NEW"),
        "update" => (" AFTER UPDATE ON ", "NEW"),
        _ => (" AFTER DELETE ON ", "OLD"),
    };
    sql.push("CREATE TRIGGER ").ident(&name).push(event).ident(table).push(" BEGIN ");
    if operation != "delete" {
        for column in required {
            sql.push("SELECT RAISE(ABORT, 'NOT NULL constraint failed: ").ident(table).push(".").ident(column);
            sql.push("') WHERE NEW.").ident(column).push(" IS NULL; ");
        }
    }
    sql.push(INSERT);
    sql.push("SELECT ").push(row).push(".account_id, ").uuid_literal(collection).push(", ").push(row);
    sql.push(".id, '").push(operation).push("', ");
    match operation {
        "create" => sql.push("NEW.created_at, NEW.created_by, "),
        // A change that the database makes itself (a reference set to null) touches neither stamp. What is older than the
        // row is the context of something else: then two changes came within a millisecond.
        "update" => sql.push(
            "CASE WHEN NEW.updated_at = OLD.updated_at AND c.at >= OLD.updated_at THEN c.at ELSE NEW.updated_at END, \
             CASE WHEN NEW.updated_at = OLD.updated_at AND c.at >= OLD.updated_at THEN c.actor ELSE NEW.updated_by END, ",
        ),
        _ => sql.push("c.at, c.actor, "),
    };
    match operation {
        "create" => document(&mut sql, "NEW"),
        "update" => {
            document(&mut sql, "NEW");
            sql.push(", ");
            document(&mut sql, "OLD");
        }
        _ => {
            sql.push("NULL, ");
            document(&mut sql, "OLD");
        }
    }
    sql.push(match operation {
        "create" => ", NULL, NULL; END",
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

fn postgres_trigger(
    collection: Uuid,
    table: &Ident,
    required: &[&Ident],
    document: Document<'_>,
    replace: bool,
) -> Vec<Stmt> {
    let function = function_name(table);
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push("CREATE OR REPLACE FUNCTION ")
        .ident(&function)
        .push("() RETURNS trigger LANGUAGE plpgsql AS $log$ BEGIN ");
    sql.push("IF TG_OP = 'DELETE' THEN ");
    insert(&mut sql, collection, "OLD", "'delete'");
    sql.push(CONTEXT_TIME).push("coalesce(nullif(current_setting('snackbase.actor', true), ''), 'system'), NULL, ");
    document(&mut sql, "OLD");
    sql.push(", ").push(ORIGIN).push("); RETURN OLD; END IF; ");
    for column in required {
        sql.push("IF NEW.")
            .ident(column)
            .push(" IS NULL THEN RAISE EXCEPTION USING ERRCODE = '23502', MESSAGE = 'null in ");
        sql.ident(column).push("'; END IF; ");
    }
    sql.push("IF TG_OP = 'INSERT' THEN ");
    insert(&mut sql, collection, "NEW", "'create'");
    sql.push("NEW.created_at, NEW.created_by, ");
    document(&mut sql, "NEW");
    sql.push(", NULL, ").push(ORIGIN).push("); ELSIF NEW.updated_at = OLD.updated_at THEN ");
    // A change that the database makes itself (a reference set to null) touches neither stamp.
    insert(&mut sql, collection, "NEW", "'update'");
    sql.push(CONTEXT_TIME);
    sql.push("coalesce(nullif(current_setting('snackbase.actor', true), ''), NEW.updated_by), ");
    document(&mut sql, "NEW");
    sql.push(", ");
    document(&mut sql, "OLD");
    sql.push(", ").push(ORIGIN).push("); ELSE ");
    insert(&mut sql, collection, "NEW", "'update'");
    sql.push("NEW.updated_at, NEW.updated_by, ");
    document(&mut sql, "NEW");
    sql.push(", ");
    document(&mut sql, "OLD");
    sql.push(", ").push(ORIGIN).push("); END IF; RETURN NEW; END $log$");
    let mut statements = vec![sql.build()];
    if !replace {
        let mut sql = Sql::new(Dialect::Postgres);
        sql.push("CREATE TRIGGER ").ident(&function).push(" AFTER INSERT OR UPDATE OR DELETE ON ").ident(table);
        sql.push(" FOR EACH ROW EXECUTE FUNCTION ").ident(&function).push("()");
        statements.push(sql.build());
    }
    statements
}

fn insert(sql: &mut Sql, collection: Uuid, row: &'static str, operation: &'static str) {
    sql.push(INSERT);
    sql.push("VALUES (").push(row).push(".account_id, ").uuid_literal(collection).push(", ");
    sql.push(row).push(".id, ").push(operation).push(", ");
}
