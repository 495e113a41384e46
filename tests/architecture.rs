//! Rules that the compiler does not know: the order of the layers, where SQL is made, how long a
//! file may be.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

#[path = "architecture/circles.rs"]
mod circles;
#[path = "architecture/tokens.rs"]
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// The longest file.
const MOST_LINES: usize = 680;

/// A file of `src/`, without its tests.
struct Source {
    /// As in `src/db/sql.rs`.
    path: String,
    /// The text without what is compiled for tests only.
    code: String,
    text: String,
}

impl Source {
    /// The top module: `db` for `src/db.rs` and `src/db/sql.rs`.
    fn module(&self) -> &str {
        let rest = self.path.trim_start_matches("src/");
        rest.split(['/', '.']).next().unwrap_or_default()
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join("src"), &mut files);
    files.sort();
    assert!(files.len() > 50);
    let source = |file: PathBuf| {
        let text = std::fs::read_to_string(&file).unwrap();
        let path = file
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        let code = without_tests(&text);
        Source { path, code, text }
    };
    let is_test =
        |source: &Source| source.path.contains("/tests/") || source.path.ends_with("/tests.rs");
    files
        .into_iter()
        .map(source)
        .filter(|source| !is_test(source))
        .collect()
}

/// The text without items that are compiled for tests only. A module of tests with its content in
/// braces is the last item of a file.
fn without_tests(text: &str) -> String {
    let Some((before, item)) = text.split_once("#[cfg(test)]") else {
        return text.to_owned();
    };
    let is_inline = item.trim_start().starts_with("mod ")
        && item
            .find('{')
            .is_some_and(|brace| brace < item.find(';').unwrap_or(usize::MAX));
    if is_inline {
        return before.to_owned();
    }
    let mut depth = 0_usize;
    let end = item.char_indices().find_map(|(index, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        (depth == 0 && matches!(c, ';' | '}')).then_some(index + 1)
    });
    // Lines keep their numbers.
    let removed = &item[..end.unwrap_or(item.len())];
    let lines = "\n".repeat(removed.matches('\n').count());
    format!("{before}{lines}{}", without_tests(&item[removed.len()..]))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

#[track_caller]
fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

/// The line of each module, from the table in the documentation of the crate.
fn layers() -> BTreeMap<String, u32> {
    let crate_docs =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let mut layers = BTreeMap::new();
    for row in crate_docs
        .lines()
        .filter_map(|line| line.strip_prefix("//! | "))
    {
        let Some((number, modules)) = row.split_once('|') else {
            continue;
        };
        let Ok(layer) = number.trim().parse::<u32>() else {
            continue;
        };
        for module in modules
            .split("[`")
            .skip(1)
            .filter_map(|rest| rest.split('`').next())
        {
            layers.insert(module.to_owned(), layer);
        }
    }
    assert!(
        layers.len() > 15,
        "the table of layers in src/lib.rs cannot be read: {layers:?}"
    );
    layers
}

/// The modules of this crate that a line of code names: `crate::db`, `crate::{auth, db::Stmt}`.
fn named(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => top_level(list),
            None => vec![rest],
        };
        for item in list {
            let name: String = item
                .trim_start()
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            names.insert(name);
        }
    }
    names
}

/// The items of a list in braces, not those of lists inside it.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (index, character) in list.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(&list[start..index]);
                return items;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(&list[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    items
}

/// Code without comments, so that links in documentation do not count.
fn without_comments(code: &str) -> String {
    let line = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    code.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_module_uses_modules_on_lower_lines_only() {
    let layers = layers();
    let mut problems = Vec::new();
    for source in sources() {
        let module = source.module();
        if ["lib", "main", "builder"].contains(&module) {
            continue;
        }
        let Some(own) = layers.get(module) else {
            problems.push(format!(
                "{}: '{module}' is not in the table of src/lib.rs",
                source.path
            ));
            continue;
        };
        for name in named(&without_comments(&source.code)) {
            match layers.get(&name) {
                Some(_) if name == module => {}
                Some(other) if other < own => {}
                Some(other) => problems.push(format!(
                    "{}: line {own} uses '{name}' on line {other}",
                    source.path
                )),
                // The names that the crate's root gives to embedders stand above everything but the
                // command line.
                None if *own >= 12 || !name.starts_with(char::is_uppercase) && !name.is_empty() => {
                }
                None => problems.push(format!(
                    "{}: uses '{name}' of the crate's root",
                    source.path
                )),
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn text_becomes_sql_in_the_database_module_only() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.module() != "db") {
        for (number, line) in source.lines() {
            for word in [
                "AssertSqlSafe",
                "sqlx::query",
                "sqlx::raw_sql",
                "QueryBuilder",
            ] {
                if line.contains(word) {
                    problems.push(format!("{}:{number}: {word}", source.path));
                }
            }
        }
    }
    assert_none(&problems);
}

/// The lines of code that contain one of the words, without comments.
fn lines_with(source: &Source, words: &[&str]) -> Vec<String> {
    let is_hit = |line: &str| {
        let code = line.split("//").next().unwrap_or_default();
        words.iter().any(|word| code.contains(word))
    };
    source
        .lines()
        .filter(|(_, line)| is_hit(line))
        .map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim()))
        .collect()
}

#[test]
fn kinds_of_databases_are_told_apart_in_the_database_module_only() {
    // The change log is followed in another way on each database.
    let may = |source: &&Source| !["db", "changes"].contains(&source.module());
    let words = [
        "Db::Sqlite",
        "Db::Postgres",
        "Dialect::Sqlite",
        "Dialect::Postgres",
    ];
    let sources = sources();
    let problems = sources.iter().filter(may);
    assert_none(
        &problems
            .flat_map(|source| lines_with(source, &words))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn the_http_layer_makes_no_statements() {
    let words = [
        "Stmt::",
        "Batch::new(",
        ".sql()",
        "SELECT ",
        "INSERT INTO ",
        "UPDATE ",
        "DELETE FROM ",
    ];
    let sources = sources();
    let http = sources.iter().filter(|source| source.module() == "http");
    assert_none(
        &http
            .flat_map(|source| lines_with(source, &words))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn http_types_stay_in_the_http_layer() {
    let words = [
        "axum",
        "hyper::",
        "tower_http",
        "utoipa",
        "StatusCode",
        "HeaderMap",
        "ToSchema",
        "IntoParams",
        "IntoResponse",
        " http::",
    ];
    let layers = layers();
    let below = |source: &&Source| layers.get(source.module()) < layers.get("http");
    let sources = sources();
    let below = sources.iter().filter(below);
    assert_none(
        &below
            .flat_map(|source| lines_with(source, &words))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_handed_along_in_a_task_local() {
    // The facts of a request say where a change came from, never what is allowed; they reach the
    // audit trail through every service and would be an argument of all of them.
    let may = |source: &&Source| source.path != "src/request_facts.rs";
    let sources = sources();
    let problems = sources.iter().filter(may);
    assert_none(
        &problems
            .flat_map(|source| lines_with(source, &["task_local!"]))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn rules_are_read_by_the_gate_only() {
    let may = |path: &str| path.starts_with("src/schema") || path == "src/access/gate.rs";
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| !may(&source.path)) {
        for (number, line) in source.lines() {
            if ["Rule::Locked", "Rule::Public", "Rule::When", "Rule::*"]
                .iter()
                .any(|word| line.contains(word))
            {
                problems.push(format!("{}:{number}: {}", source.path, line.trim()));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn no_file_is_too_long() {
    let length = |source: &Source| (source.text.lines().count(), source.path.clone());
    let sources = sources();
    let long = sources
        .iter()
        .map(length)
        .filter(|(lines, _)| *lines > MOST_LINES);
    assert_none(
        &long
            .map(|(lines, path)| format!("{path} has {lines} lines; {MOST_LINES} are enough"))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_panics_on_purpose_and_nothing_is_left_for_later() {
    let words = [
        ".unwrap()",
        ".expect(",
        "panic!(",
        "todo!(",
        "unimplemented!(",
        "unreachable!(",
        "dbg!(",
    ];
    let later = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
    ];
    let mut problems = Vec::new();
    for source in sources() {
        for (number, line) in source.lines() {
            // A parser's own method is called like that, too.
            let code = line
                .split("//")
                .next()
                .unwrap_or_default()
                .replace("self.expect(", "");
            let found = words
                .iter()
                .find(|word| code.contains(**word))
                .or(later.iter().find(|word| line.contains(**word)));
            if let Some(word) = found {
                problems.push(format!("{}:{number}: {word}", source.path));
            }
        }
    }
    assert_none(&problems);
}

#[test]
fn both_databases_have_the_same_migrations() {
    let names = |dialect: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("migrations")
            .join(dialect);
        let entries = std::fs::read_dir(folder).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().to_owned())
            .collect()
    };
    let sqlite = names("sqlite");
    assert_eq!(sqlite, names("postgres"));
    assert!(!sqlite.is_empty());
    let numbers: BTreeSet<&str> = sqlite
        .iter()
        .filter_map(|name| name.split('_').next())
        .collect();
    assert_eq!(
        numbers.len(),
        sqlite.len(),
        "two migrations have the same number: {sqlite:?}"
    );
}

#[test]
fn nothing_prints_past_the_log_and_the_command_line() {
    // Those macros panic once nobody reads what they print.
    let macros = ["println!(", "print!(", "dbg!("];
    let mut problems = Vec::new();
    for source in sources() {
        let printing = source
            .lines()
            .filter(|(_, line)| macros.iter().any(|name| line.contains(name)));
        problems.extend(
            printing.map(|(number, line)| format!("{}:{number}: {}", source.path, line.trim())),
        );
    }
    assert_none(&problems);
}
