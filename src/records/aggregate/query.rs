//! What an aggregation asks for, read from its query parameters.

use super::FUNCTIONS;
use crate::error::{Error, Result};

/// An aggregation.
#[derive(Clone, Debug)]
pub struct AggregateQuery {
    pub(super) functions: Vec<Function>,
    pub(super) group_by: Vec<String>,
    pub(super) filter: Option<String>,
    pub(super) having: Option<String>,
    pub(super) search: Option<String>,
}

/// The parameters that [`AggregateQuery::parse`] reads, as text.
#[derive(Clone, Copy, Debug, Default)]
pub struct RawAggregateQuery<'a> {
    /// A comma list of functions.
    pub functions: &'a str,
    /// A comma list of fields.
    pub group_by: Option<&'a str>,
    /// A filter expression.
    pub filter: Option<&'a str>,
    /// A condition on the results.
    pub having: Option<&'a str>,
    /// Words to look for.
    pub search: Option<&'a str>,
}

/// What is calculated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FunctionKind {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

impl FunctionKind {
    const ALL: [Self; 5] = [Self::Avg, Self::Count, Self::Max, Self::Min, Self::Sum];

    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Max => "max",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// A function over a field, or over the records themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Function {
    pub kind: FunctionKind,
    pub field: Option<String>,
}

impl Function {
    /// The key of the result: `count`, `sum_price`.
    pub fn alias(&self) -> String {
        match &self.field {
            None => self.kind.name().to_owned(),
            Some(field) => format!("{}_{field}", self.kind.name()),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        let parts = text.strip_suffix(')').and_then(|text| text.split_once('('));
        let Some((name, field)) = parts else {
            return Err(format!(
                "'{text}' is no function; write count() or sum(price)"
            ));
        };
        let (name, field) = (name.trim(), field.trim());
        let Some(kind) = FunctionKind::parse(name) else {
            let known = FunctionKind::ALL.map(FunctionKind::name).join(", ");
            return Err(format!(
                "Unknown aggregation function '{name}'. Supported functions: {known}"
            ));
        };
        match field {
            "" if kind != FunctionKind::Count => Err(format!("{}() needs a field", kind.name())),
            "*" => Err("count(*) is written count()".into()),
            "" => Ok(Self { kind, field: None }),
            _ => Ok(Self {
                kind,
                field: Some(field.to_owned()),
            }),
        }
    }
}

impl AggregateQuery {
    /// Reads the parameters.
    pub fn parse(raw: &RawAggregateQuery<'_>) -> Result<Self> {
        let refuse = |message: String| Error::refused(FUNCTIONS, message);
        let mut parsed: Vec<Function> = Vec::new();
        for part in raw
            .functions
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let function = Function::parse(part).map_err(refuse)?;
            if parsed.iter().any(|other| other.alias() == function.alias()) {
                return Err(refuse(format!("'{}' is asked for twice", function.alias())));
            }
            parsed.push(function);
        }
        if parsed.is_empty() {
            return Err(refuse(
                "At least one function is needed, such as count()".into(),
            ));
        }
        let mut groups: Vec<String> = Vec::new();
        for name in raw
            .group_by
            .unwrap_or_default()
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            if !groups.iter().any(|group| group == name) {
                groups.push(name.to_owned());
            }
        }
        let text = |text: Option<&str>| {
            text.map(str::trim)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        Ok(Self {
            functions: parsed,
            group_by: groups,
            filter: text(raw.filter),
            having: text(raw.having),
            search: text(raw.search),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(functions: &str) -> Result<Vec<String>> {
        let raw = RawAggregateQuery {
            functions,
            ..RawAggregateQuery::default()
        };
        Ok(AggregateQuery::parse(&raw)?
            .functions
            .iter()
            .map(Function::alias)
            .collect())
    }

    #[test]
    fn functions_are_read_in_any_case_and_named_after_their_fields() {
        let expected = ["count", "sum_price", "count_a_b"];
        assert_eq!(
            aliases("count(),SUM( price ), Count(a_b)").unwrap(),
            expected
        );
        for wrong in [
            "",
            ",",
            "count",
            "count(",
            "sum()",
            "nope(a)",
            "count(*)",
            "count(),count()",
            "sum(a,b)",
            "()",
        ] {
            assert!(aliases(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn groups_are_named_once() {
        let raw = RawAggregateQuery {
            functions: "count()",
            group_by: Some(" a,b ,a,"),
            filter: Some("  "),
            ..RawAggregateQuery::default()
        };
        let query = AggregateQuery::parse(&raw).unwrap();
        assert_eq!(
            (query.group_by, query.filter),
            (vec!["a".to_owned(), "b".to_owned()], None)
        );
    }
}
