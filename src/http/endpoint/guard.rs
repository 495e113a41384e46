//! The layer in front of every endpoint: lets in the callers that its declaration names.

use std::convert::Infallible;
use std::future::ready;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method};
use axum::response::{IntoResponse as _, Response};
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use super::access::{CallerLevel, EndpointAccess};
use super::query_table::QueryTable;
use crate::app::App;
use crate::auth::{Caller, Credential};
use crate::error::{Error, Result};
use crate::http::extract::credential;
use crate::http::middleware::head_refusal;

/// Puts a [`Guard`] before a route.
#[derive(Clone)]
pub struct GuardLayer(Arc<GuardedEndpoint>);

/// State of the guard of one endpoint.
struct GuardedEndpoint {
    app: App,
    access: EndpointAccess,
    query: Arc<QueryTable>,
    /// The methods that the path has; none if the handler answers HEAD as well.
    allowed: Option<HeaderValue>,
}

impl GuardLayer {
    /// The guard of one endpoint; `allowed` are the methods that its path has, none if its handler
    /// answers HEAD as well.
    pub fn new(
        app: App,
        access: EndpointAccess,
        query: Arc<QueryTable>,
        allowed: Option<HeaderValue>,
    ) -> Self {
        Self(Arc::new(GuardedEndpoint {
            app,
            access,
            query,
            allowed,
        }))
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            endpoint: self.0.clone(),
            inner,
        }
    }
}

/// Refuses callers that the declaration of the endpoint does not let in. The handler finds the
/// caller and the endpoint's query parameters in the request.
#[derive(Clone)]
pub struct Guard<S> {
    endpoint: Arc<GuardedEndpoint>,
    inner: S,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // The framework sends HEAD to the handlers of GET, with all of their work.
        if request.method() == Method::HEAD
            && let Some(allowed) = &self.endpoint.allowed
        {
            let refusal = head_refusal(allowed.clone());
            return Box::pin(ready(Ok(refusal)));
        }
        // The clone is not ready yet, the one that was asked is.
        let clone = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, clone);
        let endpoint = self.endpoint.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match endpoint.admit(&parts.headers).await {
                Ok(caller) => endpoint.note(caller, &mut parts.extensions),
                Err(error) => return Ok(error.into_response()),
            }
            inner.call(Request::from_parts(parts, body)).await
        })
    }
}

impl GuardedEndpoint {
    /// The caller, if the endpoint lets it in; none if the endpoint does not ask who is calling.
    async fn admit(&self, headers: &HeaderMap) -> Result<Option<Caller>> {
        let credential = credential(headers);
        match (self.access.level, credential) {
            (CallerLevel::Everyone | CallerLevel::Handshake, _) => Ok(None),
            (CallerLevel::EveryoneKnown, None) => Ok(Some(Caller::Anonymous { account: None })),
            (CallerLevel::EveryoneKnown, Some(credential)) => {
                match self.authenticate(credential).await {
                    Err(Error::Unauthenticated(_)) => Ok(Some(Caller::Anonymous { account: None })),
                    other => other.map(Some),
                }
            }
            (CallerLevel::Visitor, None) => self.visitor(headers).await.map(Some),
            (CallerLevel::Visitor | CallerLevel::SignedIn, Some(credential)) => {
                self.authenticate(credential).await.map(Some)
            }
            (CallerLevel::SignedIn | CallerLevel::Superadmin, None) => {
                Err(Error::Unauthenticated("Missing credentials".into()))
            }
            (CallerLevel::Superadmin, Some(credential)) => {
                let caller = self.authenticate(credential).await?;
                if caller.is_superadmin() {
                    Ok(Some(caller))
                } else {
                    Err(Error::Forbidden("Superadmin access required".into()))
                }
            }
        }
    }

    /// The user behind a credential that is good for this endpoint.
    async fn authenticate(&self, credential: Credential<'_>) -> Result<Caller> {
        let principal = self.app.auth.authenticate(credential).await?;
        self.access.api_key.permit(&principal)?;
        Ok(Caller::User(principal))
    }

    /// A caller without credentials, who may name an account.
    async fn visitor(&self, headers: &HeaderMap) -> Result<Caller> {
        let Some(identifier) = headers.get("x-account-id") else {
            return Ok(Caller::Anonymous { account: None });
        };
        let identifier = identifier.to_str().unwrap_or_default();
        match self.app.auth.resolve_account(identifier).await? {
            Some(account) => Ok(Caller::Anonymous {
                account: Some(account),
            }),
            None => Err(Error::not_found(
                "The account in X-Account-ID does not exist",
            )),
        }
    }

    fn note(&self, caller: Option<Caller>, extensions: &mut Extensions) {
        if let Some(caller) = caller {
            extensions.insert(caller);
        }
        if !self.query.is_empty() {
            extensions.insert(self.query.clone());
        }
    }
}
