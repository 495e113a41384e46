//! Fields and variables.

use std::sync::Arc;

use super::super::ast::Question;
use super::super::caller::Attribute;
use super::super::ir::{Condition, Field, Leaf, Number, Operand, Path, Text, Time};
use super::{Checker, Reported, Typed};
use crate::db::ColumnKind;
use crate::expr::{Column, Formula, Purpose};

/// How deep in a document a part may lie.
const MAX_KEYS: usize = 10;

/// What stands before the name of a field of the request's body.
const DATA: &str = "@request.data.";

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
        let Found {
            field,
            computed,
            keys,
        } = self.lookup(name, at)?;
        self.fields.insert(field.name.clone());
        Ok(match computed {
            Some(formula) => {
                self.clock |= formula.clock;
                if self.query.is_some() {
                    // Its fields are the record's that the expression is about; here they are
                    // others.
                    return self.report(
                        at,
                        format!("`{name}` is computed; a macro reads stored fields only"),
                    );
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
                return self.report(
                    at,
                    format!("there is no {name}; the caller has id, email, role and account_id"),
                );
            };
            self.reads.add(attribute);
            return Ok(Some(Operand::Text(Text::Caller(attribute))));
        }
        if let Some(field) = name.strip_prefix(DATA) {
            let Found { field, keys, .. } = self.sent(field, data, at)?;
            if field.kind == ColumnKind::Sealed {
                let message = format!(
                    "the field `{}` is encrypted, so only :isset and :changed go with it",
                    field.name
                );
                return self.report(at, message);
            }
            return Ok(Some(typed(Leaf::Data(field), keys)));
        }
        if name.starts_with("@room.") {
            let Some(Column {
                ident,
                kind,
                format,
                ..
            }) = self.columns.column(name)
            else {
                return self.report(
                    at,
                    format!("there is no {name}; rules of rooms know the parts of their pattern"),
                );
            };
            let field = Field {
                name: name.into(),
                ident,
                kind,
                format,
                inner: false,
            };
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

    /// What is asked about a value of the request's body.
    pub(super) fn asked(
        &mut self,
        name: &str,
        question: Question,
        at: usize,
    ) -> Result<Condition, Reported> {
        if let Some(place) = self.place_without_variables() {
            return self.report(at, format!("{name} is not available in {place}"));
        }
        let data = matches!(self.purpose, Purpose::Rule { data: true });
        let Some(field) = name.strip_prefix(DATA) else {
            let message = format!(
                "`{name}` is no part of what is sent; :isset and :changed follow @request.data.<field>"
            );
            return self.report(at, message);
        };
        let Found { field, keys, .. } = self.sent(field, data, at)?;
        let about = Path {
            leaf: Leaf::Data(field),
            keys: keys.unwrap_or_else(|| Arc::new([])),
        };
        Ok(Condition::Asked { about, question })
    }

    /// A field of the request's body.
    fn sent(&mut self, name: &str, data: bool, at: usize) -> Result<Found, Reported> {
        if !data {
            return self.report(
                at,
                "@request.data is only available when a record is created or updated",
            );
        }
        self.data = true;
        let found = match self.columns.column(name) {
            Some(Column {
                ident,
                kind: kind @ ColumnKind::Sealed,
                format,
                ..
            }) => {
                let field = Field {
                    name: name.into(),
                    ident,
                    kind,
                    format,
                    inner: false,
                };
                Found {
                    field,
                    computed: None,
                    keys: None,
                }
            }
            _ => self.lookup(name, at)?,
        };
        if found.computed.is_some() {
            return self.report(
                at,
                format!("`{}` is computed; it is never sent", found.field.name),
            );
        }
        Ok(found)
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
        let found = |name: &str, ident, kind, format, computed, keys| {
            Ok(Found {
                field: Field {
                    name: name.into(),
                    ident,
                    kind,
                    format,
                    inner,
                },
                computed,
                keys,
            })
        };
        match (self.columns.column(name), name.split_once('.')) {
            (Some(Column { kind: ColumnKind::Sealed, .. }), _) => {
                self.report(at, format!("the field `{name}` is encrypted, so it cannot be used here"))
            }
            (Some(Column { ident, kind, computed, format }), _) => found(name, ident, kind, format, computed, None),
            (None, None) => self.report(at, format!("there is no field `{name}`")),
            (None, Some((field, keys))) => match self.columns.column(field) {
                Some(Column { ident, kind: ColumnKind::Json, computed: None, format }) => {
                    let keys: Arc<[Box<str>]> = keys.split('.').map(Box::from).collect();
                    if keys.len() > MAX_KEYS || keys.iter().any(|key| key.is_empty()) {
                        let message =
                            format!("`{name}`: 1 to {MAX_KEYS} keys with single dots between them name a part");
                        return self.report(at, message);
                    }
                    found(field, ident, ColumnKind::Json, format, None, Some(keys))
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
        ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => {
            Operand::Time(Time::Leaf(leaf))
        }
        ColumnKind::Json | ColumnKind::Sealed => Operand::Json(leaf),
    }
}
