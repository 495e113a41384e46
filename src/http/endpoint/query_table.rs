//! The query parameters that an endpoint takes, as its API document describes them: the
//! documented bounds are the ones that are enforced.

use serde_json::{Map, Value, json};
use utoipa::Number;
use utoipa::openapi::path::{Operation, Parameter, ParameterIn};
use utoipa::openapi::schema::{Object, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};

use crate::error::Problem;
use crate::http::extract::Query;

/// The query parameters of an endpoint.
#[derive(Debug, Default)]
pub struct QueryTable(Vec<QueryParameter>);

/// A query parameter.
#[derive(Debug)]
struct QueryParameter {
    name: String,
    kind: ParameterKind,
}

/// The form that the text of a parameter must have.
#[derive(Clone, Copy, Debug)]
enum ParameterKind {
    Text,
    Boolean,
    /// A whole number, both bounds included.
    Integer {
        minimum: i64,
        maximum: i64,
    },
}

impl QueryTable {
    /// The parameters that stand in the query, among those of an operation.
    pub fn new<'a>(parameters: impl IntoIterator<Item = &'a Parameter>) -> Self {
        let parameters = parameters.into_iter();
        Self(
            parameters
                .filter(|parameter| parameter.parameter_in == ParameterIn::Query)
                .map(|parameter| QueryParameter {
                    name: parameter.name.clone(),
                    kind: ParameterKind::of(parameter.schema.as_ref()),
                })
                .collect(),
        )
    }

    /// True if the endpoint takes none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the parameters.
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|parameter| &*parameter.name).collect()
    }

    /// True if there is a parameter of that name.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|parameter| parameter.name == name)
    }

    /// The parameters that were sent, as JSON of their types; the last of repeated ones counts.
    ///
    /// # Errors
    ///
    /// Every value that does not have the form of its type or is out of bounds.
    pub fn read(&self, query: &Query) -> Result<Map<String, Value>, Vec<Problem>> {
        let (mut values, mut problems) = (Map::new(), Vec::new());
        for QueryParameter { name, kind } in &self.0 {
            let Some(text) = query.get(name) else {
                continue;
            };
            match kind.read(name, text) {
                Ok(value) => {
                    values.insert(name.clone(), value);
                }
                Err(problem) => problems.push(*problem),
            }
        }
        if problems.is_empty() {
            Ok(values)
        } else {
            Err(problems)
        }
    }
}

impl ParameterKind {
    fn of(schema: Option<&RefOr<Schema>>) -> Self {
        let Some(RefOr::T(Schema::Object(object))) = schema else {
            return Self::Text;
        };
        if has_type(object, &Type::Integer) {
            Self::Integer {
                minimum: object.minimum.as_ref().map_or(i64::MIN, whole),
                maximum: object.maximum.as_ref().map_or(i64::MAX, whole),
            }
        } else if has_type(object, &Type::Boolean) {
            Self::Boolean
        } else {
            Self::Text
        }
    }

    fn read(self, name: &str, text: &str) -> Result<Value, Box<Problem>> {
        match self {
            Self::Text => Ok(text.into()),
            Self::Boolean => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Ok(true.into()),
                "false" | "0" | "no" | "off" => Ok(false.into()),
                _ => {
                    let message = "Input should be a valid boolean";
                    Err(Problem::query(name, "bool_parsing", message, text).into())
                }
            },
            Self::Integer { minimum, maximum } => read_integer(name, text, minimum, maximum),
        }
    }
}

fn read_integer(name: &str, text: &str, minimum: i64, maximum: i64) -> Result<Value, Box<Problem>> {
    let Ok(number) = text.trim().parse::<i64>() else {
        let message = "Input should be a valid integer, unable to parse string as an integer";
        return Err(Problem::query(name, "int_parsing", message, text).into());
    };
    if number < minimum {
        let message = format!("Input should be greater than or equal to {minimum}");
        let problem = Problem::query(name, "greater_than_equal", message, text);
        return Err(problem.with(json!({ "ge": minimum })).into());
    }
    if number > maximum {
        let message = format!("Input should be less than or equal to {maximum}");
        let problem = Problem::query(name, "less_than_equal", message, text);
        return Err(problem.with(json!({ "le": maximum })).into());
    }
    Ok(number.into())
}

fn has_type(object: &Object, wanted: &Type) -> bool {
    match &object.schema_type {
        SchemaType::Type(one) => one == wanted,
        SchemaType::Array(several) => several.contains(wanted),
        SchemaType::AnyValue => false,
    }
}

fn whole(number: &Number) -> i64 {
    match number {
        Number::Int(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        Number::UInt(number) => i64::try_from(*number).unwrap_or(i64::MAX),
        // The macros write whole bounds as integers; bounds of numbers with fractions are wider.
        Number::Float(_) => i64::MAX,
    }
}

/// The parameters that an operation describes itself; the macros make no references.
pub fn parameters(operation: &Operation) -> impl Iterator<Item = &Parameter> {
    let parameters = operation.parameters.iter().flatten();
    parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) => Some(parameter),
        RefOr::Ref(_) => None,
    })
}
