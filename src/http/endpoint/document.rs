//! The part of the API document that is the same for all endpoints.
//!
//! A handler documents its success, and a refusal only if it does not follow from the declaration of
//! the route and the shape of the request: `(status = 409)`. Here every operation gets a unique
//! name, the credentials and the API-key scope that it wants, and the refusals that any request of
//! its kind can meet.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Required, Schema};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::access::{CallerLevel, EndpointAccess};
use super::query_table::parameters;
use crate::http::error::ErrorBody;

/// The names of the credentials that a request may bring.
const CREDENTIALS: [&str; 2] = ["bearer", "api_key"];

/// A refusal that means the same everywhere.
struct Refusal {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    /// A header that comes with it.
    header: Option<(&'static str, &'static str)>,
}

const REFUSALS: [Refusal; 12] = [
    Refusal {
        status: "400",
        name: "BadRequest",
        description: "The request cannot be carried out",
        header: None,
    },
    Refusal {
        status: "401",
        name: "NotAuthenticated",
        description: "There are no valid credentials",
        header: Some(("WWW-Authenticate", "`Bearer`")),
    },
    Refusal {
        status: "403",
        name: "Forbidden",
        description: "The caller may not do this",
        header: None,
    },
    Refusal {
        status: "404",
        name: "NotFound",
        description: "It does not exist, or not for the caller",
        header: None,
    },
    Refusal {
        status: "409",
        name: "Conflict",
        description: "It clashes with data that exists",
        header: None,
    },
    Refusal {
        status: "405",
        name: "MethodNotAllowed",
        description: "The path does not have this method; HEAD is not implied by GET",
        header: Some(("Allow", "The methods that it has")),
    },
    Refusal {
        status: "408",
        name: "TimedOut",
        description: "The server gave the request up, because it took too long",
        header: None,
    },
    Refusal {
        status: "413",
        name: "TooLarge",
        description: "The body, or the record, is too large",
        header: None,
    },
    Refusal {
        status: "422",
        name: "Malformed",
        description: "The request does not have the right shape",
        header: None,
    },
    Refusal {
        status: "429",
        name: "TooManyRequests",
        description: "There were too many requests",
        header: Some(("Retry-After", "Seconds to wait, at least 1")),
    },
    Refusal {
        status: "507",
        name: "InsufficientStorage",
        description: "The server's disk is full, or nearly so",
        header: None,
    },
    Refusal {
        status: "503",
        name: "Unavailable",
        description: "The server cannot do this now",
        header: None,
    },
];

/// Completes what a handler says of its operation.
pub fn complete(access: EndpointAccess, path: &str, operation: &mut Operation) {
    qualify_name(operation);
    if path.starts_with("/api/") {
        add_security(access, operation);
        add_refusals(access, operation);
    }
    describe_success(operation);
}

/// Adds the responses and credentials that the operations refer to.
pub fn add_shared_components(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    for refusal in &REFUSALS {
        components
            .responses
            .insert(refusal.name.to_owned(), refusal.response().into());
    }
    let mut schemas = Vec::new();
    ErrorBody::schemas(&mut schemas);
    schemas.push((ErrorBody::name().into_owned(), ErrorBody::schema()));
    components.schemas.extend(schemas);
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of a sign-in, or an API key"));
    let key = ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An API key"));
    let credentials = [
        SecurityScheme::Http(bearer.build()),
        SecurityScheme::ApiKey(key),
    ]
    .map(RefOr::T);
    components
        .security_schemes
        .extend(CREDENTIALS.map(str::to_owned).into_iter().zip(credentials));
}

/// A name that no other operation has: clients are generated from it.
fn qualify_name(operation: &mut Operation) {
    let tag = tag(operation).to_owned();
    operation.operation_id = operation
        .operation_id
        .take()
        .map(|name| format!("{tag}_{name}"));
}

fn tag(operation: &Operation) -> &str {
    operation
        .tags
        .iter()
        .flatten()
        .next()
        .map_or("", String::as_str)
}

/// Says what a success means, if the handler does not: what the operation does.
fn describe_success(operation: &mut Operation) {
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description.clone_from(&summary);
        }
    }
}

/// Names the credentials that an operation wants, and the scope that an API key needs.
fn add_security(access: EndpointAccess, operation: &mut Operation) {
    if !access.level.refuses_credentials() {
        return;
    }
    let mut security = CREDENTIALS
        .map(|name| SecurityRequirement::new(name, Vec::<String>::new()))
        .to_vec();
    if access.level == CallerLevel::Visitor {
        security.insert(0, SecurityRequirement::default());
        operation
            .parameters
            .get_or_insert_default()
            .push(account_parameter().into());
    }
    operation.security = Some(security);
    if let Some(scope) = access.api_key.scope() {
        let text = format!(
            "API keys that are limited need the scope `{}`.",
            scope.name()
        );
        operation.description = Some(match operation.description.take() {
            Some(description) => format!("{description}\n\n{text}"),
            None => text,
        });
    }
}

fn account_parameter() -> Parameter {
    ParameterBuilder::new()
        .name("X-Account-ID")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "The account that a visitor without credentials means: its slug, code or id",
        ))
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .build()
}

/// Adds the refusals that follow from the declaration and the shape of the request, and explains
/// those that the handler names without a description.
fn add_refusals(access: EndpointAccess, operation: &mut Operation) {
    let has_body = operation.request_body.is_some();
    let (has_path, has_query) = (
        has_parameter(operation, &ParameterIn::Path),
        has_parameter(operation, &ParameterIn::Query),
    );
    let has_typed = parameters(operation).any(is_typed);
    let needs_more = access.level != CallerLevel::SignedIn || access.api_key.scope().is_some();
    let responses = &mut operation.responses.responses;
    for refusal in &REFUSALS {
        let is_implied = match refusal.status {
            "400" => has_body || has_path || has_query,
            "401" => access.level.refuses_credentials(),
            "403" => access.level.refuses_credentials() && needs_more,
            "404" => has_path,
            "413" | "507" => has_body,
            "422" => has_body || has_typed,
            "405" | "408" | "429" | "503" => true,
            _ => false,
        };
        let is_undescribed = match responses.get(refusal.status) {
            Some(RefOr::T(response)) => response.description.is_empty(),
            Some(RefOr::Ref(_)) => false,
            None => is_implied,
        };
        if is_undescribed {
            let reference = RefOr::Ref(Ref::from_response_name(refusal.name));
            responses.insert(refusal.status.to_owned(), reference);
        }
    }
}

fn has_parameter(operation: &Operation, place: &ParameterIn) -> bool {
    parameters(operation).any(|parameter| parameter.parameter_in == *place)
}

/// True if the text of a parameter can have the wrong form.
fn is_typed(parameter: &Parameter) -> bool {
    match &parameter.schema {
        Some(RefOr::T(Schema::Object(object))) => {
            object.schema_type != SchemaType::Type(Type::String)
                && object.schema_type != SchemaType::Array(vec![Type::String, Type::Null])
        }
        _ => true,
    }
}

impl Refusal {
    fn response(&self) -> Response {
        let schema = Ref::from_schema_name("ErrorBody");
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let mut response = ResponseBuilder::new()
            .description(self.description)
            .content("application/json", content);
        if let Some((name, description)) = self.header {
            let schema = ObjectBuilder::new().schema_type(Type::String);
            response = response.header(
                name,
                HeaderBuilder::new()
                    .schema(Some(schema))
                    .description(Some(description))
                    .build(),
            );
        }
        response.build()
    }
}
