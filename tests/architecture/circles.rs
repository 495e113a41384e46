//! Files of the crate do not use each other in a circle, not even over several files: then each of
//! them can be understood with the ones below it. A file uses another one if it names an item that
//! is defined there, in a `use` or with a path that begins with `crate`, `super`, `self` or a child
//! module. Names that a file passes on count for the file that defines them.

use std::collections::{BTreeMap, BTreeSet};

use super::tokens::{is_name, tokens};
use super::{Source, assert_none, sources};

/// Files that are in a circle still. The list only ever gets shorter.
const KNOWN_CIRCLES: &[&str] = &[
    "src/access/expand.rs",
    "src/access/expand/fill.rs",
    "src/access/expand/loader.rs",
    "src/access/expand/path.rs",
    "src/access/expand/plan.rs",
    "src/accounts.rs",
    "src/accounts/account.rs",
    "src/accounts/api_key.rs",
    "src/accounts/group.rs",
    "src/accounts/role.rs",
    "src/accounts/session_list.rs",
    "src/accounts/trail.rs",
    "src/accounts/user_list.rs",
    "src/app.rs",
    "src/app/dispatch.rs",
    "src/audit.rs",
    "src/audit/entry.rs",
    "src/audit/event.rs",
    "src/audit/export.rs",
    "src/audit/pdf.rs",
    "src/audit/query.rs",
    "src/audit/sealer.rs",
    "src/audit/sensitive.rs",
    "src/audit/verify.rs",
    "src/auth.rs",
    "src/auth/cache.rs",
    "src/auth/jwt.rs",
    "src/auth/password.rs",
    "src/auth/password/policy.rs",
    "src/auth/service.rs",
    "src/auth/session.rs",
    "src/auth/store.rs",
    "src/changes.rs",
    "src/changes/completion.rs",
    "src/changes/feed.rs",
    "src/changes/postgres.rs",
    "src/changes/read_limit.rs",
    "src/changes/retention.rs",
    "src/changes/sqlite.rs",
    "src/collections.rs",
    "src/collections/macros.rs",
    "src/collections/rename.rs",
    "src/collections/transfer.rs",
    "src/config.rs",
    "src/config/env.rs",
    "src/config/problems.rs",
    "src/config/secrets.rs",
    "src/config/settings.rs",
    "src/db.rs",
    "src/db/dialect.rs",
    "src/db/functions.rs",
    "src/db/migrate.rs",
    "src/db/postgres.rs",
    "src/db/postgres/connect.rs",
    "src/db/reads.rs",
    "src/db/sql.rs",
    "src/db/sqlite.rs",
    "src/db/sqlite/files.rs",
    "src/db/sqlite/writer.rs",
    "src/db/sqlite/writer/lease.rs",
    "src/db/sqlite/writer/merge.rs",
    "src/expr.rs",
    "src/expr/check.rs",
    "src/expr/check/compare.rs",
    "src/expr/check/paths.rs",
    "src/expr/check/query.rs",
    "src/expr/eval.rs",
    "src/expr/formula.rs",
    "src/expr/ir.rs",
    "src/expr/number.rs",
    "src/expr/parser.rs",
    "src/expr/query.rs",
    "src/expr/rename.rs",
    "src/expr/sql.rs",
    "src/files.rs",
    "src/files/check.rs",
    "src/files/claim.rs",
    "src/files/library.rs",
    "src/files/local.rs",
    "src/files/registry.rs",
    "src/files/resumable.rs",
    "src/files/s3.rs",
    "src/files/store.rs",
    "src/files/thumbnail.rs",
    "src/files/upload.rs",
    "src/hooks.rs",
    "src/hooks/event.rs",
    "src/http.rs",
    "src/http/api/files.rs",
    "src/http/api/files/list.rs",
    "src/http/api/files/upload.rs",
    "src/http/serve.rs",
    "src/mail.rs",
    "src/mail/template.rs",
    "src/mail/transport.rs",
    "src/records.rs",
    "src/records/aggregate.rs",
    "src/records/aggregate/having.rs",
    "src/records/aggregate/query.rs",
    "src/records/draft.rs",
    "src/records/file_changes.rs",
    "src/records/list.rs",
    "src/records/snapshot.rs",
    "src/records/write.rs",
    "src/schema.rs",
    "src/schema/catalog.rs",
    "src/schema/computed.rs",
    "src/schema/constraints.rs",
    "src/schema/ddl.rs",
    "src/schema/definition.rs",
    "src/schema/field.rs",
    "src/schema/macros.rs",
    "src/schema/upgrade.rs",
];

/// A path in code, by segments; `*` for all items of a module.
type CodePath = Vec<String>;

/// A module's file and what it says of names.
#[derive(Default)]
struct Module {
    file: String,
    /// Names that it gets from other modules, and the paths there.
    imports: BTreeMap<String, CodePath>,
    /// Modules from which it gets all items.
    globs: Vec<CodePath>,
    /// Paths in its code, those of imports included.
    paths: Vec<CodePath>,
    /// Names of items that it defines.
    defined: BTreeSet<String>,
}

/// The modules of the crate by path.
struct Modules(BTreeMap<CodePath, Module>);

impl Modules {
    fn read(sources: &[Source]) -> Self {
        let mut modules = BTreeMap::new();
        for source in sources {
            let name = source
                .path
                .trim_start_matches("src/")
                .trim_end_matches(".rs");
            let path: CodePath = match name {
                "lib" => Vec::new(),
                "main" => continue,
                _ => name.split('/').map(str::to_owned).collect(),
            };
            modules.insert(path, read_module(&source.path, &source.code));
        }
        Self(modules)
    }

    /// The file that defines what a path names, as seen from a module; `None` for other crates.
    fn file_of(&self, from: &[String], path: &[String]) -> Option<&str> {
        self.resolve(from, path, 0)
    }

    fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<&str> {
        let (mut module, mut rest) = self.start(from, path)?;
        while let Some((name, after)) = rest.split_first() {
            let child: CodePath = module.iter().chain([name]).cloned().collect();
            if self.0.contains_key(&child) {
                (module, rest) = (child, after);
                continue;
            }
            let here = self.0.get(&module)?;
            if depth < 8 && !here.defined.contains(name) {
                if let Some(import) = here.imports.get(name) {
                    let further: CodePath = import.iter().chain(after).cloned().collect();
                    return self.resolve(&module, &further, depth + 1);
                }
                for glob in &here.globs {
                    let mut further: CodePath = glob.clone();
                    further.push(name.clone());
                    if let Some(file) = self.resolve(&module, &further, depth + 1)
                        && file != here.file
                    {
                        return Some(file);
                    }
                }
                if !here.globs.is_empty() || depth > 0 {
                    return None;
                }
            }
            return Some(&here.file);
        }
        Some(&self.0.get(&module)?.file)
    }

    /// The module in which a path begins, and the rest of it.
    fn start<'p>(&self, from: &[String], path: &'p [String]) -> Option<(CodePath, &'p [String])> {
        let (first, mut rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some((Vec::new(), rest)),
            "self" => Some((from.to_vec(), rest)),
            "super" => {
                let mut module = from.split_last()?.1.to_vec();
                while rest.first().is_some_and(|next| next == "super") {
                    module.pop()?;
                    rest = &rest[1..];
                }
                Some((module, rest))
            }
            name => {
                let child: CodePath = from.iter().cloned().chain([name.to_owned()]).collect();
                self.0.contains_key(&child).then_some((child, rest))
            }
        }
    }

    /// The files that each file uses.
    fn uses(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let used = |(path, module): (&CodePath, &Module)| {
            let files = module
                .paths
                .iter()
                .filter_map(|used| self.file_of(path, used))
                .filter(|file| *file != module.file)
                .collect();
            (self.0[path].file.as_str(), files)
        };
        self.0.iter().map(used).collect()
    }
}

/// The circles: files that reach each other, in groups.
fn circles<'f>(uses: &BTreeMap<&'f str, BTreeSet<&'f str>>) -> Vec<Vec<&'f str>> {
    let reached: BTreeMap<&str, BTreeSet<&str>> = uses
        .keys()
        .map(|file| {
            let (mut seen, mut next) = (BTreeSet::new(), vec![*file]);
            while let Some(file) = next.pop() {
                for used in uses.get(file).into_iter().flatten() {
                    if seen.insert(*used) {
                        next.push(used);
                    }
                }
            }
            (*file, seen)
        })
        .collect();
    let mut found: Vec<Vec<&str>> = Vec::new();
    for file in uses.keys() {
        let is_known = found.iter().any(|circle| circle.contains(file));
        if !is_known && reached[file].contains(file) {
            let is_mutual =
                |other: &&&str| reached[file].contains(**other) && reached[**other].contains(file);
            found.push(uses.keys().filter(is_mutual).copied().collect());
        }
    }
    found
}

fn read_module(file: &str, code: &str) -> Module {
    let tokens = tokens(code);
    let mut module = Module {
        file: file.to_owned(),
        ..Module::default()
    };
    let mut at = 0;
    while at < tokens.len() {
        let token = tokens[at].as_str();
        if token == "use" {
            let (imports, end) = read_use(&tokens, at + 1);
            for (name, path) in imports {
                module.paths.push(path.clone());
                if name == "*" {
                    module.globs.push(path[..path.len() - 1].to_vec());
                } else {
                    module.imports.insert(name, path);
                }
            }
            at = end;
            continue;
        }
        if token == "in" && at >= 2 && tokens[at - 1] == "(" && tokens[at - 2] == "pub" {
            // A visibility is no use.
            at += tokens[at..]
                .iter()
                .position(|token| token == ")")
                .unwrap_or(1);
            continue;
        }
        if [
            "struct", "enum", "trait", "fn", "type", "const", "static", "union",
        ]
        .contains(&token)
            && let Some(name) = tokens.get(at + 1)
        {
            module.defined.insert(name.clone());
        }
        if is_name(token) && tokens.get(at + 1).is_some_and(|next| next == "::") {
            let mut path = vec![token.to_owned()];
            at += 1;
            while tokens.get(at).is_some_and(|next| next == "::")
                && tokens
                    .get(at + 1)
                    .is_some_and(|next| is_name(next) || next == "super")
            {
                path.push(tokens[at + 1].clone());
                at += 2;
            }
            module.paths.push(path);
            continue;
        }
        at += 1;
    }
    for path in &mut module.paths {
        path.retain(|segment| segment != "*");
    }
    module
}

/// Reads the tree of a `use`, from the token after it; returns the names with their paths, and the
/// position after the semicolon.
fn read_use(tokens: &[String], start: usize) -> (Vec<(String, CodePath)>, usize) {
    let mut imports = Vec::new();
    let (mut prefixes, mut path): (Vec<CodePath>, CodePath) = (Vec::new(), Vec::new());
    let mut alias = None;
    let mut at = start;
    let finish = |path: &mut CodePath,
                  alias: &mut Option<String>,
                  prefixes: &[CodePath],
                  imports: &mut Vec<(String, CodePath)>| {
        if let Some(last) = path.last().cloned() {
            let mut path = std::mem::take(path);
            // `a::{self}` is `a`.
            let mut name = last;
            if name == "self" && path.len() > 1 {
                path.pop();
                name = path.last().cloned().unwrap_or_default();
            }
            imports.push((alias.take().unwrap_or(name), path));
        }
        *path = prefixes.last().cloned().unwrap_or_default();
    };
    while let Some(token) = tokens.get(at) {
        at += 1;
        match token.as_str() {
            ";" => {
                if path.len() > prefixes.last().map_or(0, Vec::len) {
                    finish(&mut path, &mut alias, &prefixes, &mut imports);
                }
                return (imports, at);
            }
            "{" => prefixes.push(path.clone()),
            "," | "}" => {
                if path.len() > prefixes.last().map_or(0, Vec::len) {
                    finish(&mut path, &mut alias, &prefixes, &mut imports);
                }
                if token == "}" {
                    prefixes.pop();
                    // The comma or the end that follows must not finish anything.
                    path = prefixes.last().cloned().unwrap_or_default();
                }
            }
            "as" => {
                alias = tokens.get(at).cloned();
                at += 1;
            }
            "::" => {}
            name => path.push(name.to_owned()),
        }
    }
    (imports, at)
}

#[test]
fn files_do_not_use_each_other_in_a_circle() {
    let sources = sources();
    let modules = Modules::read(&sources);
    let uses = modules.uses();
    let found = circles(&uses);
    let mut problems = Vec::new();
    for circle in &found {
        for file in circle.iter().filter(|file| !KNOWN_CIRCLES.contains(file)) {
            let inside: Vec<&str> = uses[file]
                .iter()
                .filter(|used| circle.contains(used))
                .copied()
                .collect();
            problems.push(format!("{file} is in a circle by {}", inside.join(", ")));
        }
    }
    let is_found = |file: &str| found.iter().any(|circle| circle.contains(&file));
    for file in KNOWN_CIRCLES.iter().filter(|file| !is_found(file)) {
        problems.push(format!(
            "{file} is in no circle any more: take it off the list"
        ));
    }
    assert_none(&problems);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uses(files: &[(&str, &str)]) -> BTreeMap<String, Vec<String>> {
        let sources: Vec<Source> = files
            .iter()
            .map(|(path, code)| Source {
                path: format!("src/{path}.rs"),
                code: (*code).to_owned(),
                text: String::new(),
            })
            .collect();
        let modules = Modules::read(&sources);
        let owned = |(file, used): (&str, BTreeSet<&str>)| {
            (
                file.to_owned(),
                used.into_iter().map(str::to_owned).collect(),
            )
        };
        modules.uses().into_iter().map(owned).collect()
    }

    #[test]
    fn paths_lead_to_the_file_that_defines_the_item() {
        let uses = uses(&[
            ("lib", "pub mod a; pub mod b;"),
            (
                "a",
                "mod x; mod y; pub use x::Thing; pub use self::y::{Other as Renamed, sub::*}; pub struct Own;",
            ),
            (
                "a/x",
                "use super::y; pub struct Thing(super::y::Other); fn f() { y::g() }",
            ),
            ("a/y", "pub mod sub; pub struct Other;"),
            (
                "a/y/sub",
                "pub struct Deep; use super::super::Own; // crate::b::Never\nconst S: &str = \"crate::b::Never\";",
            ),
            (
                "b",
                "use crate::a::{Deep, Renamed, Thing as T, Own}; use std::fmt; pub(in crate) fn f() {}",
            ),
        ]);
        let expected = [
            (
                "src/a.rs",
                vec!["src/a/x.rs", "src/a/y.rs", "src/a/y/sub.rs"],
            ),
            ("src/a/x.rs", vec!["src/a/y.rs"]),
            ("src/a/y.rs", vec![]),
            ("src/a/y/sub.rs", vec!["src/a.rs"]),
            (
                "src/b.rs",
                vec!["src/a.rs", "src/a/x.rs", "src/a/y.rs", "src/a/y/sub.rs"],
            ),
            ("src/lib.rs", vec![]),
        ];
        for (file, used) in expected {
            assert_eq!(uses[file], used, "{file}");
        }
    }

    #[test]
    fn circles_are_found_over_several_files() {
        let uses = BTreeMap::from([
            ("a", BTreeSet::from(["b"])),
            ("b", BTreeSet::from(["c", "d"])),
            ("c", BTreeSet::from(["a"])),
            ("d", BTreeSet::from(["e"])),
            ("e", BTreeSet::new()),
        ]);
        assert_eq!(circles(&uses), [vec!["a", "b", "c"]]);
    }
}
