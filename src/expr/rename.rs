//! Names in expressions: which are used, and the same text with another name, everything else as it
//! was written.

use std::collections::BTreeSet;

use super::ast::{Node, NodeKind};
use super::parser;
use super::query::StoredMacro;

/// The names that follow an `@` in an expression and are no variables, without the `@`.
pub fn macros_used(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if let Ok(node) = parser::parse(source) {
        node.walk(&mut |node| {
            if let NodeKind::Name(name) | NodeKind::Call { name, .. } = &node.kind
                && let Some(name) = name.strip_prefix('@').filter(|name| !name.contains('.'))
            {
                names.insert(name.to_owned());
            }
        });
    }
    names
}

/// The expression with another name for a field; `None` if it cannot be read.
pub fn rename_field(source: &str, from: &str, to: &str) -> Option<String> {
    let mut places = Vec::new();
    find_field(&parser::parse(source).ok()?, from, &mut places);
    Some(replaced(source, places, from.len(), to))
}

/// What of a stored macro is renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renamed {
    /// A field of the collection that it reads.
    Field,
    /// The collection that it reads.
    Collection,
}

/// The macro with another name for the collection that it reads, or for a field of it; `None` if it
/// cannot be read.
pub fn rename_in_macro(
    source: &str,
    parameters: &[String],
    what: Renamed,
    from: &str,
    to: &str,
) -> Option<String> {
    let stored = StoredMacro::parse(source, parameters).ok()?;
    let mut places = Vec::new();
    match (what, &stored.select.collection) {
        (Renamed::Field, _) => stored
            .nodes()
            .for_each(|node| find_field(node, from, &mut places)),
        (Renamed::Collection, Some((name, at))) => {
            // It may have been written as the name of its table.
            let prefix = name.len().checked_sub(from.len())?;
            places.push(at + prefix);
        }
        (Renamed::Collection, None) => {}
    }
    Some(replaced(source, places, from.len(), to))
}

/// The byte offsets at which a field is named.
fn find_field(node: &Node, field: &str, places: &mut Vec<usize>) {
    const DATA: &str = "@request.data.";
    // Alone, or with the keys of a part of it.
    let is_named = |name: &str| {
        name.strip_prefix(field)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    node.walk(&mut |node| match &node.kind {
        NodeKind::Name(name) if is_named(name) => places.push(node.at),
        NodeKind::Name(name) | NodeKind::Asked { name, .. }
            if name.strip_prefix(DATA).is_some_and(is_named) =>
        {
            places.push(node.at + DATA.len());
        }
        NodeKind::Call { name, args } if name == "@owns_record" => {
            let quoted = args
                .iter()
                .filter(|arg| matches!(&arg.kind, NodeKind::Text(text) if is_named(text)));
            places.extend(quoted.map(|arg| arg.at + 1));
        }
        _ => {}
    });
}

fn replaced(source: &str, mut places: Vec<usize>, length: usize, with: &str) -> String {
    places.sort_unstable();
    let mut text = source.to_owned();
    for place in places.into_iter().rev() {
        text.replace_range(place..place + length, with);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_field_is_renamed() {
        for (source, expected) in [
            ("a = 'a' && b.a = aa", None),
            ("a = 'a' && A = aa", Some("title = 'a' && A = aa")),
            (
                "@request.data.a=a||upper( a )='a.a'",
                Some("@request.data.title=title||upper( title )='a.a'"),
            ),
            (
                "@request.data.a:isset && @request.data.a.a:changed",
                Some("@request.data.title:isset && @request.data.title.a:changed"),
            ),
            (
                "@owns_record(a) || @owns_record('a')",
                Some("@owns_record(title) || @owns_record('title')"),
            ),
            (
                "a.a.b = 1 && @request.data.a.a",
                Some("title.a.b = 1 && @request.data.title.a"),
            ),
            (
                "@has_role('a') && @in(a, 'a')",
                Some("@has_role('a') && @in(title, 'a')"),
            ),
            (
                "'ä' = a && a IN (a, \"a\")",
                Some("'ä' = title && title IN (title, \"a\")"),
            ),
        ] {
            let renamed = rename_field(source, "a", "title");
            match expected {
                Some(expected) => assert_eq!(renamed.as_deref(), Some(expected)),
                None => assert_eq!(renamed.unwrap(), source.replacen('a', "title", 1)),
            }
        }
    }

    #[test]
    fn macros_are_rewritten_where_they_name_the_collection() {
        let parameters = ["a".to_owned()];
        let rename =
            |source: &str, what| rename_in_macro(source, &parameters, what, "a", "b").unwrap();
        assert_eq!(
            rename("SELECT a FROM a WHERE a = :a", Renamed::Collection),
            "SELECT a FROM b WHERE a = :a"
        );
        assert_eq!(
            rename("select count(*) from col_A", Renamed::Collection),
            "select count(*) from col_b"
        );
        assert_eq!(
            rename("SELECT a FROM a WHERE a <> $1", Renamed::Field),
            "SELECT b FROM a WHERE b <> $1"
        );
    }

    #[test]
    fn macros_are_found_by_their_whole_name() {
        let used = macros_used("@is_creator && (@is(a) || t = '@other') && @request.auth.id = 'x'");
        assert_eq!(used.into_iter().collect::<Vec<_>>(), ["is", "is_creator"]);
    }
}
