//! What to expand: the paths of a request.

use std::fmt;

use super::LABEL;
use crate::error::{Error, Result};
use crate::schema::Collection;
use crate::spelling::hint;

/// References that one request may expand.
const MAX_REFERENCES: usize = 50;

/// What to expand: a tree of the names of references. Trees that mean the same are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ExpandPaths(pub(super) Vec<PathNode>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PathNode {
    pub(super) field: String,
    pub(super) below: Vec<PathNode>,
}

impl ExpandPaths {
    /// Reads a comma list of paths such as `author,team.industry`; `None` if it names nothing.
    pub fn parse(text: &str) -> Result<Option<Self>> {
        let mut roots = Vec::new();
        let mut count = 0;
        for path in text
            .split(',')
            .map(str::trim)
            .filter(|path| !path.is_empty())
        {
            let mut level = &mut roots;
            for name in path.split('.').map(str::trim) {
                level = branch(level, name, &mut count);
                if count > MAX_REFERENCES {
                    let message = format!("A request expands at most {MAX_REFERENCES} references");
                    return Err(Error::refused(LABEL, message));
                }
            }
        }
        Ok(if roots.is_empty() {
            None
        } else {
            Some(Self(roots))
        })
    }

    /// Refuses names that are not references of a collection. Deeper names are not looked at: what
    /// they lead to may change.
    pub fn check(&self, collection: &Collection) -> Result<()> {
        match self
            .0
            .iter()
            .find(|branch| !is_reference(collection, &branch.field))
        {
            None => Ok(()),
            Some(PathNode { field, .. }) => {
                let references = collection
                    .references()
                    .map(|(field, _)| field.name.as_str());
                let hint = hint(field, references);
                let message = format!(
                    "Field '{field}' is not a reference field and cannot be expanded{hint}"
                );
                Err(Error::refused(LABEL, message))
            }
        }
    }

    /// Without the names that are not references of a collection; `None` if nothing is left.
    pub fn known_to(self, collection: &Collection) -> Option<Self> {
        self.only(|field| is_reference(collection, field))
    }

    /// At most `depth` levels of it; `None` if nothing is left.
    pub fn within(self, depth: usize) -> Option<Self> {
        let branches = cut(self.0, depth);
        (!branches.is_empty()).then_some(Self(branches))
    }

    pub(super) fn only(mut self, wanted: impl Fn(&str) -> bool) -> Option<Self> {
        self.0.retain(|branch| wanted(&branch.field));
        (!self.0.is_empty()).then_some(self)
    }
}

/// The paths, with commas between them.
impl fmt::Display for ExpandPaths {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&paths(&self.0).join(","))
    }
}

fn paths(branches: &[PathNode]) -> Vec<String> {
    let paths = branches.iter().flat_map(|branch| match &branch.below[..] {
        [] => vec![branch.field.clone()],
        below => paths(below)
            .into_iter()
            .map(|path| format!("{}.{path}", branch.field))
            .collect(),
    });
    paths.collect()
}

fn branch<'l>(
    level: &'l mut Vec<PathNode>,
    name: &str,
    count: &mut usize,
) -> &'l mut Vec<PathNode> {
    let index = level
        .binary_search_by(|branch| branch.field.as_str().cmp(name))
        .unwrap_or_else(|index| {
            *count += 1;
            level.insert(
                index,
                PathNode {
                    field: name.to_owned(),
                    below: Vec::new(),
                },
            );
            index
        });
    &mut level[index].below
}

fn cut(branches: Vec<PathNode>, depth: usize) -> Vec<PathNode> {
    if depth == 0 {
        return Vec::new();
    }
    let cut = |PathNode { field, below }| PathNode {
        field,
        below: cut(below, depth - 1),
    };
    branches.into_iter().map(cut).collect()
}

fn is_reference(collection: &Collection, field: &str) -> bool {
    collection
        .field(field)
        .is_some_and(|field| field.target.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(text: &str) -> ExpandPaths {
        ExpandPaths::parse(text).unwrap().unwrap()
    }

    #[test]
    fn paths_with_the_same_beginning_share_it() {
        assert_eq!(expand(" b.d , b.c,a,,b,a").to_string(), "a,b.c,b.d");
        assert_eq!(expand("b.d,a,b.c"), expand("a,b.c,b.d"));
        assert!(ExpandPaths::parse(" , ").unwrap().is_none());
    }

    #[test]
    fn levels_beyond_the_last_one_are_cut_off() {
        let cut = |depth| expand("a,b.c.d").within(depth).map(|left| left.to_string());
        assert_eq!(cut(2).as_deref(), Some("a,b.c"));
        assert_eq!(cut(0), None);
    }

    #[test]
    fn the_number_of_references_is_limited() {
        let many = |count: usize| {
            (0..count)
                .map(|n| format!("f{n}"))
                .collect::<Vec<_>>()
                .join(",")
        };
        assert!(ExpandPaths::parse(&many(MAX_REFERENCES)).is_ok());
        assert!(ExpandPaths::parse(&many(MAX_REFERENCES + 1)).is_err());
        assert!(ExpandPaths::parse(&"a.".repeat(MAX_REFERENCES + 1)).is_err());
    }
}
