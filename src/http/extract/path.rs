//! Parameters of paths.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;

use crate::error::{Error, Problem, Result};

/// A whole number as the parameter of a path.
#[derive(Clone, Copy, Debug)]
pub struct PathInteger(pub i64);

impl<S: Send + Sync> FromRequestParts<S> for PathInteger {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self> {
        let parameters = RawPathParams::from_request_parts(parts, state).await;
        let parameters = parameters.map_err(Error::internal)?;
        let Some((name, text)) = parameters.iter().next() else {
            return Err(Error::internal("the path of an endpoint has no parameter"));
        };
        text.parse().map(Self).map_err(|_| {
            let message = "Input should be a valid integer, unable to parse string as an integer";
            let place = vec!["path".into(), name.into()];
            Error::malformed(Problem::at(place, "int_parsing", message, text.into()))
        })
    }
}
