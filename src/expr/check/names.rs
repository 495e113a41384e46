//! Fields and variables.

use std::sync::Arc;

use super::super::caller::Attribute;
use super::super::ir::{Condition, Field, Leaf, Number, Operand, Path, Text, Time};
use super::{Checker, Reported, Typed};
use crate::db::ColumnKind;
use crate::expr::{Column, Formula, Purpose};

/// How deep in a document a part may lie.
const MAX_KEYS: usize = 10;

/// What a name stands for.
struct Found {
    field: Field,
    computed: Option<Arc<Formula>>,
    /// The keys behind the field's name; none if the field itself is meant.
    keys: Option<Arc<[Box<str>]>>,
}

impl Checker<'_> {
    /// A field of the record.
    pub(super) fn field(&mut self, name: &str, at: usize) -> Result<Operand, Reported> {
        let Found { field, computed, keys } = self.lookup(name, at)?;
        self.fields.insert(field.name.clone());
        Ok(match computed {
            Some(formula) => {
                self.clock |= formula.clock;
                if self.query.is_some() {
                    // Its fields are the record's that the expression is about; here they are others.
                    return self.report(at, format!("`{name}` is computed; a macro reads stored fields only"));
                }
                formula.operand.clone()
            }
            None => typed(Leaf::Field(field), keys),
        })
    }

    /// A name that begins with `@`.
    pub(super) fn variable(&mut self, name: &str, at: usize) -> Result<Typed, Reported> {
        let Purpose::Rule { data } = self.purpose else {
            let place = self.place_without_variables().unwrap_or_default();
            return self.report(at, format!("{name} is not available in {place}"));
        };
        if let Some(attribute) = name.strip_prefix("@request.auth.") {
            let Some(attribute) = Attribute::named(attribute) else {
                return self.report(at, format!("there is no {name}; the caller has id, email, role and account_id"));
            };
            self.reads.add(attribute);
            return Ok(Some(Operand::Text(Text::Caller(attribute))));
        }
        if let Some(field) = name.strip_prefix("@request.data.") {
            if !data {
                return self.report(at, "@request.data is only available when a record is created or updated");
            }
            return match self.lookup(field, at)? {
                Found { field, computed: None, keys } => Ok(Some(typed(Leaf::Data(field), keys))),
                Found { field, .. } => self.report(at, format!("`{}` is computed; it is never sent", field.name)),
            };
        }
        if name.starts_with("@room.") {
            let Some(Column { ident, kind, .. }) = self.columns.column(name) else {
                return self.report(at, format!("there is no {name}; rules of rooms know the parts of their pattern"));
            };
            let field = Field { name: name.into(), ident, kind, inner: false };
            return Ok(Some(typed(Leaf::Field(field), None)));
        }
        if name.starts_with("@request.") {
            return self.report(
                at,
                format!("there is no {name}; a rule can use @request.auth.<attribute> and @request.data.<field>"),
            );
        }
        self.expanded(name, &[], at)
    }

    /// What kind of expression this is, if it knows no caller.
    pub(super) fn place_without_variables(&self) -> Option<&'static str> {
        match self.purpose {
            Purpose::Filter => Some("a filter"),
            Purpose::Computed => Some("a computed field"),
            Purpose::Rule { .. } => None,
        }
    }

    fn lookup(&mut self, name: &str, at: usize) -> Result<Found, Reported> {
        let inner = self.query.is_some();
        let found = |name: &str, ident, kind, computed, keys| {
            Ok(Found { field: Field { name: name.into(), ident, kind, inner }, computed, keys })
        };
        match (self.columns.column(name), name.split_once('.')) {
            (Some(Column { kind: ColumnKind::Sealed, .. }), _) => {
                self.report(at, format!("the field `{name}` is encrypted, so it cannot be used here"))
            }
            (Some(Column { ident, kind, computed }), _) => found(name, ident, kind, computed, None),
            (None, None) => self.report(at, format!("there is no field `{name}`")),
            (None, Some((field, keys))) => match self.columns.column(field) {
                Some(Column { ident, kind: ColumnKind::Json, computed: None }) => {
                    let keys: Arc<[Box<str>]> = keys.split('.').map(Box::from).collect();
                    if keys.len() > MAX_KEYS || keys.iter().any(|key| key.is_empty()) {
                        let message =
                            format!("`{name}`: 1 to {MAX_KEYS} keys with single dots between them name a part");
                        return self.report(at, message);
                    }
                    found(field, ident, ColumnKind::Json, None, Some(keys))
                }
                Some(_) => self.report(
                    at,
                    format!("`{field}` is no document, so it has no parts; fields of other collections cannot be used"),
                ),
                None => {
                    self.report(at, format!("there is no field `{field}`; fields of other collections cannot be used"))
                }
            },
        }
    }
}

fn typed(leaf: Leaf, keys: Option<Arc<[Box<str>]>>) -> Operand {
    if let Some(keys) = keys {
        return Operand::Path(Path { leaf, keys });
    }
    match leaf.field().kind {
        ColumnKind::Text | ColumnKind::Reference => Operand::Text(Text::Leaf(leaf)),
        ColumnKind::Number => Operand::Number(Number::Leaf(leaf)),
        ColumnKind::Boolean => Operand::Bool(Box::new(Condition::Flag(leaf))),
        ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => Operand::Time(Time::Leaf(leaf)),
        ColumnKind::Json | ColumnKind::Sealed => Operand::Json(leaf),
    }
}
