//! Records: the rules of their collections decide who may do what.

mod aggregate;
mod batch;
mod get;
mod list;
mod secrets;
pub mod view;
mod write;

use utoipa_axum::routes;

use crate::access::api_key_scope::{RECORDS_READ, RECORDS_WRITE, SECRETS_READ};
use crate::http::endpoint::Endpoints;

/// The endpoints below `/api/v1/records`.
pub fn endpoints() -> Endpoints {
    Endpoints::new()
        .visitor(RECORDS_READ, routes!(list::list))
        .visitor(RECORDS_WRITE, routes!(write::create))
        .visitor(RECORDS_READ, routes!(aggregate::aggregate))
        .visitor(SECRETS_READ, routes!(secrets::secrets))
        .visitor(RECORDS_WRITE, routes!(batch::create_many))
        .visitor(RECORDS_WRITE, routes!(batch::update_many))
        .visitor(RECORDS_WRITE, routes!(batch::delete_many))
        .visitor(RECORDS_READ, routes!(get::get))
        .visitor(RECORDS_WRITE, routes!(write::put))
        .visitor(RECORDS_WRITE, routes!(write::patch))
        .visitor(RECORDS_WRITE, routes!(write::delete))
}
