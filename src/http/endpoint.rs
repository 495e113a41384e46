//! Endpoints as data: the path and the handler, the callers that are let in, and the scope that an
//! API key needs.
//!
//! The declaration of a route is the only place that says who may call it. [`guard`] enforces it
//! before the handler runs, [`document`] writes it into the API document, and [`route_table`] hands
//! it to the tests, which try every route as every kind of caller. A route cannot be declared
//! without a level and a scope.

mod access;
pub(super) mod document;
pub(super) mod guard;
pub(super) mod query_table;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::http::HeaderValue;
use axum::routing::MethodRouter;
use utoipa::openapi::path::{Operation, PathItem, Paths};
use utoipa::openapi::{OpenApi, RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

pub use access::{CallerLevel, EndpointAccess};

use crate::access::ApiKeyRequirement;
use crate::access::api_key_scope::ANY_KEY;
use crate::app::App;
use guard::GuardLayer;
use query_table::{QueryTable, parameters};

/// One line of the route table.
#[derive(Clone, Debug)]
pub struct RouteEntry {
    /// The method, in capitals.
    pub method: &'static str,
    /// The path with its parameters in braces.
    pub path: String,
    /// The callers that are let in, and the scope of API keys.
    pub access: EndpointAccess,
    /// True if the API document describes it.
    pub is_documented: bool,
}

/// A schema of the API document, by its name.
type NamedSchema = (String, RefOr<Schema>);

/// An endpoint: a method of a path.
struct Endpoint {
    method: &'static str,
    path: String,
    access: EndpointAccess,
    handler: MethodRouter<App>,
    /// True if the handler of a GET answers HEAD as well.
    answers_head: bool,
    /// The description in the API document, and the schemas that it refers to; none for the routes of other
    /// protocols and the older names of routes.
    documented: Option<(PathItem, Vec<NamedSchema>)>,
}

/// Declared endpoints, which become a router and a document.
#[derive(Default)]
pub struct Endpoints(Vec<Endpoint>);

impl Endpoints {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an endpoint for everybody. Credentials in headers are not read, so none is needed.
    #[must_use]
    pub fn everyone(self, route: UtoipaMethodRouter<App>) -> Self {
        let api_key = ANY_KEY;
        self.documented(CallerLevel::Everyone, api_key, route)
    }

    /// Adds an endpoint for everybody that wants to know who is calling.
    #[must_use]
    pub fn everyone_known(
        self,
        api_key: ApiKeyRequirement,
        route: UtoipaMethodRouter<App>,
    ) -> Self {
        self.documented(CallerLevel::EveryoneKnown, api_key, route)
    }

    /// Adds an endpoint for visitors, whom rules may let in, and for callers with credentials.
    #[must_use]
    pub fn visitor(self, api_key: ApiKeyRequirement, route: UtoipaMethodRouter<App>) -> Self {
        self.documented(CallerLevel::Visitor, api_key, route)
    }

    /// Adds an endpoint for callers with valid credentials.
    #[must_use]
    pub fn signed_in(self, api_key: ApiKeyRequirement, route: UtoipaMethodRouter<App>) -> Self {
        self.documented(CallerLevel::SignedIn, api_key, route)
    }

    /// Adds an endpoint for superadmins.
    #[must_use]
    pub fn superadmin(self, api_key: ApiKeyRequirement, route: UtoipaMethodRouter<App>) -> Self {
        self.documented(CallerLevel::Superadmin, api_key, route)
    }

    /// Adds an endpoint that checks the credential itself.
    #[must_use]
    pub fn handshake(self, api_key: ApiKeyRequirement, route: UtoipaMethodRouter<App>) -> Self {
        self.documented(CallerLevel::Handshake, api_key, route)
    }

    /// Adds a route that the API document does not describe: another protocol, or an older name.
    #[must_use]
    pub fn undocumented(
        mut self,
        level: CallerLevel,
        api_key: ApiKeyRequirement,
        (method, path): (&'static str, &'static str),
        handler: MethodRouter<App>,
    ) -> Self {
        self.0.push(Endpoint {
            method,
            path: path.to_owned(),
            access: EndpointAccess { level, api_key },
            handler,
            answers_head: false,
            documented: None,
        });
        self
    }

    /// Lets the handler of the last endpoint answer HEAD, too.
    #[must_use]
    pub fn answering_head(mut self) -> Self {
        if let Some(last) = self.0.last_mut() {
            last.answers_head = true;
        }
        self
    }

    /// Adds the endpoints of another list.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn documented(
        mut self,
        level: CallerLevel,
        api_key: ApiKeyRequirement,
        (schemas, paths, handler): UtoipaMethodRouter<App>,
    ) -> Self {
        let access = EndpointAccess { level, api_key };
        // `routes!` names a path at least; a line of the router names one handler.
        for (path, item) in paths.paths {
            let Some(method) = operations(&item).map(|(method, _)| method).next() else {
                continue;
            };
            self.0.push(Endpoint {
                method,
                path,
                access,
                handler: handler.clone(),
                answers_head: false,
                documented: Some((item, schemas.clone())),
            });
        }
        self
    }

    /// The router, each route behind its guard.
    pub fn into_router(self, app: &App) -> Router<App> {
        let mut methods: HashMap<String, Vec<&'static str>> = HashMap::new();
        for endpoint in &self.0 {
            let path = methods.entry(endpoint.path.clone()).or_default();
            path.push(endpoint.method);
        }
        let mut router = Router::new();
        for endpoint in self.0 {
            let parameters = endpoint
                .documented
                .iter()
                .flat_map(|(item, _)| operations(item))
                .flat_map(|(_, operation)| parameters(operation));
            let query = Arc::new(QueryTable::new(parameters));
            let allowed = methods
                .get(&endpoint.path)
                .map(|methods| methods.join(", "));
            // The names of methods always fit into a header.
            let allowed = HeaderValue::try_from(allowed.unwrap_or_default());
            let allowed = allowed.unwrap_or(HeaderValue::from_static(""));
            let allowed = Some(allowed).filter(|_| !endpoint.answers_head);
            let guard = GuardLayer::new(app.clone(), endpoint.access, query, allowed);
            router = router.route(&endpoint.path, endpoint.handler.route_layer(guard));
        }
        router
    }

    /// Adds the endpoints to a document.
    pub fn describe_in(self, document: &mut OpenApi) {
        for endpoint in self.0 {
            let Some((mut item, schemas)) = endpoint.documented else {
                continue;
            };
            for operation in operations_mut(&mut item) {
                document::complete(endpoint.access, &endpoint.path, operation);
            }
            let mut paths = Paths::new();
            // The rest of a path is a parameter like others.
            paths.paths.insert(endpoint.path.replace("{*", "{"), item);
            document.paths.merge(paths);
            let components = document.components.get_or_insert_default();
            components.schemas.extend(schemas);
        }
        document::add_shared_components(document);
    }

    /// The lines of the route table, in the order of declaration.
    pub fn table(&self) -> impl Iterator<Item = RouteEntry> + '_ {
        self.0.iter().map(|endpoint| RouteEntry {
            method: endpoint.method,
            path: endpoint.path.replace("{*", "{"),
            access: endpoint.access,
            is_documented: endpoint.documented.is_some(),
        })
    }
}

fn operations(item: &PathItem) -> impl Iterator<Item = (&'static str, &Operation)> {
    [
        ("GET", &item.get),
        ("PUT", &item.put),
        ("POST", &item.post),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
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
