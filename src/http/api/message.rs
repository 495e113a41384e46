//! A sentence as the whole response of an endpoint.

use serde::Serialize;
use utoipa::ToSchema;

/// A sentence.
#[derive(Serialize, ToSchema)]
pub struct Message {
    /// Sentence that says what was done.
    message: &'static str,
}

impl Message {
    /// The response that says so.
    pub fn new(message: &'static str) -> Self {
        Self { message }
    }
}
