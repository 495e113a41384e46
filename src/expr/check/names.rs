//! Fields and variables.

use super::super::caller::Attribute;
use super::super::ir::{Condition, Field, Leaf, Number, Operand, Text, Time};
use super::{Checker, Reported, Typed};
use crate::db::ColumnKind;
use crate::expr::{Column, Purpose};

impl Checker<'_> {
    /// A field of the record.
    pub(super) fn field(&mut self, name: &str, at: usize) -> Result<Operand, Reported> {
        let field = self.lookup(name, at)?;
        self.fields.insert(field.name.clone());
        Ok(typed(Leaf::Field(field)))
    }

    /// A name that begins with `@`.
    pub(super) fn variable(&mut self, name: &str, at: usize) -> Result<Typed, Reported> {
        let Purpose::Rule { data } = self.purpose else {
            return self.report(at, format!("{name} is not available in a filter"));
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
            let field = self.lookup(field, at)?;
            return Ok(Some(typed(Leaf::Data(field))));
        }
        if name.starts_with("@room.") {
            let Some(Column { ident, kind }) = self.columns.column(name) else {
                return self.report(at, format!("there is no {name}; rules of rooms know the parts of their pattern"));
            };
            return Ok(Some(typed(Leaf::Field(Field { name: name.into(), ident, kind }))));
        }
        if name.starts_with("@request.") {
            return self.report(
                at,
                format!("there is no {name}; a rule can use @request.auth.<attribute> and @request.data.<field>"),
            );
        }
        self.expanded(name, &[], at)
    }

    fn lookup(&mut self, name: &str, at: usize) -> Result<Field, Reported> {
        match self.columns.column(name) {
            Some(Column { ident, kind }) => Ok(Field { name: name.into(), ident, kind }),
            None if name.contains('.') => {
                self.report(at, format!("there is no field `{name}`; fields of other collections cannot be used"))
            }
            None => self.report(at, format!("there is no field `{name}`")),
        }
    }
}

fn typed(leaf: Leaf) -> Operand {
    match leaf.field().kind {
        ColumnKind::Text | ColumnKind::Reference => Operand::Text(Text::Leaf(leaf)),
        ColumnKind::Number => Operand::Number(Number::Leaf(leaf)),
        ColumnKind::Boolean => Operand::Bool(Box::new(Condition::Flag(leaf))),
        ColumnKind::Timestamp | ColumnKind::DateTime | ColumnKind::Date => Operand::Time(Time::Leaf(leaf)),
        ColumnKind::Json => Operand::Json(leaf),
    }
}
