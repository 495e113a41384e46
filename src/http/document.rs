//! The API document: what the handlers say of themselves, and what is the same for all of them.
//!
//! A handler names the statuses that are its own. Here every operation gets a name, the credentials
//! that it wants, and the refusals that can meet any request of its kind.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{ContentBuilder, OpenApi, PathItem, Ref, RefOr, Required};

/// The names of the credentials that a request may bring.
const CREDENTIALS: [&str; 2] = ["bearer", "api_key"];

/// Where 401 refuses what is in the body; credentials in headers do not matter.
const SIGN_IN: [&str; 2] = ["/api/v1/auth/login", "/api/v1/auth/refresh"];

/// A refusal that means the same everywhere.
struct Refusal {
    status: &'static str,
    name: &'static str,
    description: &'static str,
    /// A header that comes with it.
    header: Option<(&'static str, &'static str)>,
}

const REFUSALS: [Refusal; 11] = [
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
        description: "There is no such thing for the caller",
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

/// Completes the document that the handlers made.
pub fn completed(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        for operation in operations(item) {
            name(operation);
            if path.starts_with("/api/") {
                secure(path, operation);
                refuse(path, operation);
            }
            describe(operation);
        }
    }
    let components = document.components.get_or_insert_default();
    for refusal in &REFUSALS {
        components
            .responses
            .insert(refusal.name.to_owned(), refusal.response().into());
    }
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("A token of a sign-in, or an API key"));
    let key = ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An API key"));
    let schemes = [
        SecurityScheme::Http(bearer.build()),
        SecurityScheme::ApiKey(key),
    ]
    .map(RefOr::T);
    components
        .security_schemes
        .extend(CREDENTIALS.map(str::to_owned).into_iter().zip(schemes));
    document
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [
        &mut item.get,
        &mut item.put,
        &mut item.post,
        &mut item.patch,
        &mut item.delete,
    ]
    .into_iter()
    .flatten()
}

/// A name that no other operation has: clients are generated from it.
fn name(operation: &mut Operation) {
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
fn describe(operation: &mut Operation) {
    let summary = operation.summary.clone().unwrap_or_default();
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description.clone_from(&summary);
        }
    }
}

/// Names the credentials that an operation wants. Records are open to visitors as far as their
/// rules say so.
fn secure(path: &str, operation: &mut Operation) {
    if !operation.responses.responses.contains_key("401") || SIGN_IN.contains(&path) {
        return;
    }
    let mut security = CREDENTIALS
        .map(|name| SecurityRequirement::new(name, Vec::<String>::new()))
        .to_vec();
    if tag(operation) == "records" {
        security.insert(0, SecurityRequirement::default());
        operation
            .parameters
            .get_or_insert_default()
            .push(account().into());
    }
    operation.security = Some(security);
}

fn account() -> Parameter {
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

/// Adds the refusals that the handler cannot know of, and says what the others mean if the handler
/// does not.
fn refuse(path: &str, operation: &mut Operation) {
    let body = operation.request_body.is_some();
    let responses = &mut operation.responses.responses;
    for refusal in &REFUSALS {
        let always = match refusal.status {
            "400" => body || path.contains('{'),
            "413" | "422" | "507" => body,
            "405" | "408" | "429" | "503" => true,
            _ => false,
        };
        let silent = match responses.get(refusal.status) {
            Some(RefOr::T(response)) => response.description.is_empty(),
            Some(RefOr::Ref(_)) => false,
            None => always,
        };
        if silent {
            let reference = RefOr::Ref(Ref::from_response_name(refusal.name));
            responses.insert(refusal.status.to_owned(), reference);
        }
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
