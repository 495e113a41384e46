//! Full-text indexes: FTS5 on SQLite, GIN on PostgreSQL. Both split text at everything that is
//! neither a letter, a digit nor a mark on one, and know nothing about languages.
//!
//! On SQLite an index is a table of its own, kept up by triggers, for all searchable columns; a
//! second table gives the numbers that FTS5 knows rows by. Its first column holds the account, so
//! that other accounts' words are never looked at. On PostgreSQL each column has an index on the
//! words that a function of ours cuts it into ([`super::words`]): the database's own parser splits
//! words of some scripts, and lowers letters as its locale says.

use super::compose::create_forms;
use super::dialect::Dialect;
use super::sql::{Ident, Sql, Stmt};
use super::words::{WORDS_FUNCTION, create_words_function, spellings};

/// What is searched.
pub struct TextSearch<'a> {
    /// The table.
    pub table: &'a Ident,
    /// The columns to look at: each with its place among all searchable columns of the table, in
    /// the order of names.
    pub columns: &'a [(usize, Ident)],
    /// Words as [`super::words::words`] cuts them: all of them must occur, the last one may go on.
    pub words: &'a [String],
    /// The account whose rows are in reach; `None` for all.
    pub account: Option<uuid::Uuid>,
}

impl Dialect {
    /// The statements that make the index of a table and fill it. `columns` are in the order of
    /// names.
    pub fn create_search(self, table: &Ident, columns: &[&Ident]) -> Vec<Stmt> {
        match self {
            _ if columns.is_empty() => Vec::new(),
            Self::Sqlite => create_forms()
                .into_iter()
                .chain(create_sqlite(table, columns))
                .collect(),
            Self::Postgres => {
                let indexes = columns.iter().map(|column| create_postgres(table, column));
                std::iter::once(create_words_function())
                    .chain(indexes)
                    .collect()
            }
        }
    }

    /// The statements that drop the index of a table.
    pub fn drop_search(self, table: &Ident, columns: &[&Ident]) -> Vec<Stmt> {
        let drop = |what: &'static str, name: &Ident| {
            let mut sql = Sql::new(self);
            sql.push(what).ident(name);
            sql.build()
        };
        match self {
            _ if columns.is_empty() => Vec::new(),
            Self::Sqlite => {
                let mut statements: Vec<Stmt> = EVENTS
                    .iter()
                    .map(|event| drop("DROP TRIGGER IF EXISTS ", &trigger_name(table, event)))
                    .collect();
                statements.push(drop("DROP TABLE IF EXISTS ", &index_name(table)));
                statements.push(drop("DROP TABLE IF EXISTS ", &numbers_name(table)));
                statements
            }
            Self::Postgres => columns
                .iter()
                .map(|column| drop("DROP INDEX IF EXISTS ", &gin_name(table, column)))
                .collect(),
        }
    }

    /// The statements that drop what outlives a dropped table.
    pub fn drop_search_of_dropped(self, table: &Ident, columns: &[&Ident]) -> Vec<Stmt> {
        match self {
            Self::Sqlite => self.drop_search(table, columns),
            Self::Postgres => Vec::new(),
        }
    }
}

impl Sql {
    /// Appends the condition that a row of the alias `r` has the words.
    pub fn text_search(&mut self, search: &TextSearch<'_>) -> &mut Self {
        if search.words.is_empty() {
            return self.push("1 = 0");
        }
        let (unspaced, indexed): (Vec<_>, Vec<_>) = search
            .words
            .iter()
            .enumerate()
            .partition(|(_, word)| is_unspaced(word));
        self.push("(1 = 1");
        if !indexed.is_empty() {
            self.push(" AND ").indexed_words(search, &indexed);
        }
        for (_, word) in unspaced {
            self.push(" AND ").word_within_texts(search, word);
        }
        self.push(")")
    }

    /// Appends the condition that the index of a row has the words, each with its place among all
    /// words.
    fn indexed_words(&mut self, search: &TextSearch<'_>, words: &[(usize, &String)]) -> &mut Self {
        match self.dialect() {
            Dialect::Sqlite => {
                self.push("r.id IN (SELECT n.record FROM ")
                    .ident(&numbers_name(search.table));
                self.push(" n WHERE n.number IN (SELECT rowid FROM ")
                    .ident(&index_name(search.table))
                    .push(" WHERE ");
                self.ident(&index_name(search.table))
                    .push(" MATCH ")
                    .arg(fts_query(search, words))
                    .push("))")
            }
            Dialect::Postgres => {
                let last = search.words.len() - 1;
                self.list(" AND ", words, |sql, (index, word)| {
                    let lexeme = format!("'{word}'{}", if *index == last { ":*" } else { "" });
                    sql.push("(")
                        .list(" OR ", search.columns, |sql, (_, column)| {
                            lexemes(sql, "r", column);
                            sql.push(" @@ ")
                                .typed_arg(lexeme.as_str())
                                .push("::tsquery");
                        });
                    sql.push(")");
                })
            }
        }
    }

    /// Appends the condition that a text of a row contains the word, in any of its spellings.
    fn word_within_texts(&mut self, search: &TextSearch<'_>, word: &str) -> &mut Self {
        let position = match self.dialect() {
            Dialect::Sqlite => "instr(lower(r.",
            Dialect::Postgres => "strpos(lower(r.",
        };
        let spelled = spellings(word);
        let places = search
            .columns
            .iter()
            .flat_map(|(_, column)| spelled.iter().map(move |word| (column, word)));
        self.push("(").list(" OR ", places, |sql, (column, word)| {
            sql.push(position)
                .ident(column)
                .push("), ")
                .typed_arg(word.as_str())
                .push(") > 0");
        });
        self.push(")")
    }
}

/// Whether a word is of a script that is written without spaces. An index knows only whole runs of
/// its letters, so such words are looked for in the texts themselves.
fn is_unspaced(word: &str) -> bool {
    word.chars().any(|c| {
        matches!(c,
            '\u{e00}'..='\u{eff}' // Thai, Lao
            | '\u{1000}'..='\u{109f}' // Myanmar
            | '\u{1780}'..='\u{17ff}' // Khmer
            | '\u{3040}'..='\u{30ff}' | '\u{31f0}'..='\u{31ff}' // Hiragana, Katakana
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' // Han
            | '\u{20000}'..='\u{3ffff}')
    })
}

const EVENTS: [&str; 3] = ["create", "update", "delete"];

// No name that a user chooses has a `$`.
fn index_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("$search"))
}

fn numbers_name(table: &Ident) -> Ident {
    table.suffixed(&Ident::fixed("$number"))
}

fn trigger_name(table: &Ident, event: &'static str) -> Ident {
    index_name(table).suffixed(&Ident::fixed(event))
}

fn gin_name(table: &Ident, column: &Ident) -> Ident {
    table.suffixed(column).suffixed(&Ident::fixed("$search"))
}

/// The words are letters, digits and marks: there is nothing to escape, and no operator among them.
/// FTS5 does not know that a letter can be encoded in several ways, so each word is looked for in
/// all of its spellings.
fn fts_query(search: &TextSearch<'_>, words: &[(usize, &String)]) -> String {
    let columns: Vec<String> = search
        .columns
        .iter()
        .map(|(place, _)| format!("c{place}"))
        .collect();
    let last = search.words.len().saturating_sub(1);
    let words = words.iter().map(|&(index, word)| {
        let more = if index == last { " *" } else { "" };
        let spelled: Vec<String> = spellings(word)
            .iter()
            .map(|word| format!("\"{word}\"{more}"))
            .collect();
        format!("({})", spelled.join(" OR "))
    });
    let words: Vec<String> = words.collect();
    let account = search
        .account
        .map(|id| format!("account : \"{}\" AND ", id.simple()))
        .unwrap_or_default();
    format!(
        "{account}{{{}}} : ({})",
        columns.join(" "),
        words.join(" AND ")
    )
}

fn create_sqlite(table: &Ident, columns: &[&Ident]) -> Vec<Stmt> {
    let (index, numbers) = (index_name(table), numbers_name(table));
    let places: Vec<Ident> = (0..columns.len())
        .filter_map(|place| Ident::of(&format!("c{place}")))
        .collect();
    let mut statements = Vec::new();
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push("CREATE TABLE ")
        .ident(&numbers)
        .push(" (number INTEGER PRIMARY KEY, record TEXT NOT NULL UNIQUE)");
    statements.push(sql.build());
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push("CREATE VIRTUAL TABLE ")
        .ident(&index)
        .push(" USING fts5(account, ");
    sql.list(", ", &places, |sql, place| {
        sql.ident(place);
    });
    sql.push(", content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 0 categories ''L* N* M*''')");
    statements.push(sql.build());
    let mut sql = Sql::new(Dialect::Sqlite);
    sql.push("INSERT INTO ")
        .ident(&numbers)
        .push(" (record) SELECT id FROM ")
        .ident(table);
    statements.push(sql.build());
    let insert = |sql: &mut Sql, row: &'static str| {
        sql.push("INSERT INTO ")
            .ident(&index)
            .push(" (rowid, account, ")
            .list(", ", &places, |sql, place| {
                sql.ident(place);
            });
        sql.push(") SELECT n.number, replace(")
            .push(row)
            .push(".account_id, '-', '')");
        for column in columns {
            // FTS5 folds the capital I with a dot to nothing that is typed.
            sql.push(", replace(replace(substr(")
                .composed_text(row, column);
            sql.push(", 1, 100000), char(304), 'i'), 'i' || char(775), 'i')");
        }
        sql.push(" FROM ").ident(&numbers).push(" n");
    };
    let mut sql = Sql::new(Dialect::Sqlite);
    insert(&mut sql, "r");
    sql.push(" JOIN ")
        .ident(table)
        .push(" r ON r.id = n.record");
    statements.push(sql.build());
    let forget = |sql: &mut Sql| {
        sql.push("DELETE FROM ")
            .ident(&index)
            .push(" WHERE rowid = (SELECT number FROM ")
            .ident(&numbers);
        sql.push(" WHERE record = OLD.id); ");
    };
    for event in EVENTS {
        let mut sql = Sql::new(Dialect::Sqlite);
        sql.push("CREATE TRIGGER ")
            .ident(&trigger_name(table, event));
        match event {
            "create" => {
                sql.push(" AFTER INSERT ON ")
                    .ident(table)
                    .push(" BEGIN INSERT INTO ")
                    .ident(&numbers);
                sql.push(" (record) VALUES (NEW.id); ");
            }
            "update" => {
                sql.push(" AFTER UPDATE OF ")
                    .list(", ", columns, |sql, column| {
                        sql.ident(column);
                    });
                sql.push(" ON ").ident(table).push(" WHEN ").list(
                    " OR ",
                    columns,
                    |sql, column| {
                        sql.column("NEW", column)
                            .push(" IS NOT ")
                            .column("OLD", column);
                    },
                );
                sql.push(" BEGIN ");
                forget(&mut sql);
            }
            _ => {
                sql.push(" AFTER DELETE ON ").ident(table).push(" BEGIN ");
                forget(&mut sql);
                sql.push("DELETE FROM ")
                    .ident(&numbers)
                    .push(" WHERE record = OLD.id; ");
            }
        }
        if event != "delete" {
            insert(&mut sql, "NEW");
            sql.push(" WHERE n.record = NEW.id; ");
        }
        sql.push("END");
        statements.push(sql.build());
    }
    statements
}

fn create_postgres(table: &Ident, column: &Ident) -> Stmt {
    let mut sql = Sql::new(Dialect::Postgres);
    sql.push("CREATE INDEX ")
        .ident(&gin_name(table, column))
        .push(" ON ")
        .ident(table)
        .push(" USING gin (");
    lexemes(&mut sql, "", column);
    sql.push(")");
    sql.build()
}

fn lexemes(sql: &mut Sql, alias: &'static str, column: &Ident) {
    sql.push(WORDS_FUNCTION)
        .push("(")
        .column(alias, column)
        .push(")");
}
