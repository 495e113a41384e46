//! Macros: `@name` and `@name(…)`, replaced in the syntax tree by what they stand for.

use super::ast::{Comparison, Node, NodeKind};
use super::problem::Fault;

/// The names of the macros that are always there, without `@`, and of the variables' root.
const BUILT_IN: [&str; 6] = [
    "owns_record",
    "is_creator",
    "is_public",
    "has_role",
    "has_group",
    "request",
];

/// Whether a name, written without `@`, has a meaning of its own, so that no stored macro can have
/// it.
pub fn is_built_in(name: &str) -> bool {
    BUILT_IN.contains(&name)
}

/// What the macro stands for. A new macro is a new arm here.
pub(super) fn expand(name: &str, args: &[Node], at: usize) -> Result<Node, Fault> {
    match (name, args) {
        ("@owns_record" | "@is_creator", []) => Ok(owned_by("created_by", at)),
        ("@owns_record", [field]) => match &field.kind {
            NodeKind::Name(name) | NodeKind::Text(name) => Ok(owned_by(name, field.at)),
            _ => Err(Fault::new(
                field.at,
                "@owns_record takes the name of a field",
            )),
        },
        ("@is_public", []) => {
            let (field, truth) = (
                NodeKind::Name("public".to_owned()).at(at),
                NodeKind::Bool(true).at(at),
            );
            Ok(equal(field, truth, at))
        }
        ("@has_role", [role]) => {
            let (attribute, role) = (
                NodeKind::Name("@request.auth.role".to_owned()),
                one_name(name, role)?,
            );
            Ok(equal(attribute.at(at), NodeKind::Text(role).at(at), at))
        }
        ("@has_group", [group]) => Ok(NodeKind::HasGroup(one_name(name, group)?).at(at)),
        ("@is_creator" | "@is_public", _) => {
            Err(Fault::new(at, format!("{name} takes no arguments")))
        }
        ("@owns_record", _) => Err(Fault::new(
            at,
            "@owns_record takes the name of one field, or nothing",
        )),
        ("@has_role" | "@has_group", _) => Err(Fault::new(at, format!("write {name}('name')"))),
        _ => Err(Fault::new(
            at,
            format!(
                "there is no {name}; known are @request.auth.id, .email, .role and .account_id, @request.data.<field> with \
                 :isset and :changed, @owns_record, @is_creator, @is_public, @has_role('name') and @has_group('name')"
            ),
        )),
    }
}

fn owned_by(field: &str, at: usize) -> Node {
    let caller = NodeKind::Name("@request.auth.id".to_owned()).at(at);
    equal(NodeKind::Name(field.to_owned()).at(at), caller, at)
}

fn equal(left: Node, right: Node, at: usize) -> Node {
    NodeKind::Compare {
        op: Comparison::Equal,
        left: Box::new(left),
        right: Box::new(right),
    }
    .at(at)
}

fn one_name(macro_name: &str, node: &Node) -> Result<String, Fault> {
    match &node.kind {
        NodeKind::Text(text) => Ok(text.clone()),
        _ => Err(Fault::new(
            node.at,
            format!("write {macro_name}('name'), with the name in quotes"),
        )),
    }
}
