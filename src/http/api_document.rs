//! `/openapi.json`: built once, and for superadmins once for each state of the collections, because
//! building it takes milliseconds and everybody may ask for it.

use std::io::{self, Write as _};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use utoipa::OpenApi;

use crate::access::api_key_scope::ADMIN;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::http::endpoint::{CallerLevel, Endpoints};
use crate::schema::Catalog;

/// The document without collections. It depends on nothing but the program, and encoding maps with
/// text keys never fails.
static PLAIN: LazyLock<Value> =
    LazyLock::new(|| serde_json::to_value(describe()).unwrap_or_default());

/// The same, ready to be sent: what everybody may see.
static PUBLIC: LazyLock<Option<Arc<EncodedDocument>>> =
    LazyLock::new(|| EncodedDocument::encode(&PLAIN).ok().map(Arc::new));

/// The document for superadmins, and the catalog that it was made of.
#[derive(Default)]
struct SuperadminDocument(Mutex<Option<(Arc<Catalog>, Arc<EncodedDocument>)>>);

#[derive(OpenApi)]
#[openapi(info(
    title = "SnackBase",
    description = "Accounts, collections, records and realtime. Sign in, then send the token as `Authorization: Bearer …`. \
                   Bodies are read as JSON, whatever their Content-Type says: nothing is answered with 415."
))]
struct ApiDescription;

/// The document that the endpoints make.
pub(super) fn describe() -> utoipa::openapi::OpenApi {
    let mut document = ApiDescription::openapi();
    super::api::endpoints().describe_in(&mut document);
    document
}

/// The route `/openapi.json`.
pub(super) fn endpoints() -> Endpoints {
    let documents = Arc::<SuperadminDocument>::default();
    Endpoints::new().undocumented(
        CallerLevel::Visitor,
        ADMIN,
        ("GET", "/openapi.json"),
        get(openapi).layer(Extension(documents)),
    )
}

/// A document that is ready to be sent.
struct EncodedDocument {
    json: Bytes,
    gzip: Bytes,
    etag: HeaderValue,
}

/// The API document. Superadmins see in it what the records of each collection look like; to
/// others, it does not tell which collections there are.
async fn openapi(
    State(app): State<App>,
    Extension(kept): Extension<Arc<SuperadminDocument>>,
    caller: Caller,
    headers: HeaderMap,
) -> Result<Response> {
    let document = if caller.is_superadmin() {
        kept.current(&app).await?
    } else {
        PUBLIC
            .clone()
            .ok_or_else(|| Error::internal("the API document cannot be encoded"))?
    };
    Ok(document.answer(&headers))
}

impl SuperadminDocument {
    async fn current(&self, app: &App) -> Result<Arc<EncodedDocument>> {
        let catalog = app.catalog.latest().await?;
        if let Some((known, document)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && Arc::ptr_eq(known, &catalog)
        {
            return Ok(document.clone());
        }
        let mut document = PLAIN.clone();
        crate::collections::describe(&mut document, &catalog.iter().cloned().collect::<Vec<_>>());
        let document = Arc::new(EncodedDocument::encode(&document).map_err(Error::internal)?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((catalog, document.clone()));
        Ok(document)
    }
}

impl EncodedDocument {
    fn encode(document: &Value) -> io::Result<Self> {
        let json = serde_json::to_vec(document)?;
        let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
        gzip.write_all(&json)?;
        let digest = Sha256::digest(&json)
            .iter()
            .take(8)
            .fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
        let etag =
            HeaderValue::from_str(&format!("W/\"{digest:016x}\"")).map_err(io::Error::other)?;
        Ok(Self {
            gzip: gzip.finish()?.into(),
            json: json.into(),
            etag,
        })
    }

    fn answer(&self, headers: &HeaderMap) -> Response {
        let names = |header, part: &str| {
            let lists = headers
                .get_all(header)
                .iter()
                .filter_map(|value: &HeaderValue| value.to_str().ok());
            lists
                .flat_map(|list| list.split(','))
                .any(|item| item.trim() == part)
        };
        let etag = self.etag.to_str().unwrap_or_default();
        let common = [
            (header::ETAG, self.etag.clone()),
            (
                header::CACHE_CONTROL,
                HeaderValue::from_static("private, no-cache"),
            ),
            (
                header::VARY,
                HeaderValue::from_static("accept-encoding, authorization, x-api-key"),
            ),
        ];
        let json = (
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        if names(header::IF_NONE_MATCH, etag) {
            (StatusCode::NOT_MODIFIED, common).into_response()
        } else if names(header::ACCEPT_ENCODING, "gzip") {
            let encoding = (header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            (common, [json, encoding], self.gzip.clone()).into_response()
        } else {
            (common, [json], self.json.clone()).into_response()
        }
    }
}
