//! `/openapi.json`: made once, and for superadmins again whenever collections change, because
//! making it is work and anybody may ask for it.

use std::io::{self, Write as _};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::schema::Catalog;

/// The document as everybody may see it. Encoding maps with text keys never fails.
static PUBLIC: LazyLock<Option<Arc<EncodedDocument>>> = LazyLock::new(|| {
    EncodedDocument::encode(&plain_document().ok()?)
        .ok()
        .map(Arc::new)
});

/// The document for superadmins, and the catalog that it was made of.
#[derive(Default)]
pub(super) struct SuperadminDocument(Mutex<Option<(Arc<Catalog>, Arc<EncodedDocument>)>>);

/// A document that is ready to be sent.
struct EncodedDocument {
    json: Bytes,
    gzip: Bytes,
    etag: HeaderValue,
}

/// The API document. Superadmins see in it what the records of each collection look like; to
/// others, it does not tell which collections there are.
pub(super) async fn openapi(
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

fn plain_document() -> serde_json::Result<Value> {
    serde_json::to_value(super::document::completed(super::api().into_openapi()))
}

impl SuperadminDocument {
    async fn current(&self, app: &App) -> Result<Arc<EncodedDocument>> {
        let catalog = app.catalog.latest().await?;
        if let Some((known, document)) = &*self.0.lock().unwrap_or_else(PoisonError::into_inner)
            && Arc::ptr_eq(known, &catalog)
        {
            return Ok(document.clone());
        }
        let mut document = plain_document().map_err(Error::internal)?;
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
