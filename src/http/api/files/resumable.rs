//! Resumable uploads in the protocol tus 1.0 (tus.io): the core, creation, creation with upload,
//! termination.

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::files::ResumableUpload;
use crate::http::multipart::disposition::decode;

/// The version of the protocol.
const VERSION: &str = "1.0.0";
const EXTENSIONS: &str = "creation,creation-with-upload,termination";
/// Where uploads begin.
const PATH: &str = "/api/v1/files/resumable";
const BYTES: &str = "application/offset+octet-stream";

const TUS_RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const TUS_VERSION: HeaderName = HeaderName::from_static("tus-version");
const TUS_EXTENSION: HeaderName = HeaderName::from_static("tus-extension");
const TUS_MAX_SIZE: HeaderName = HeaderName::from_static("tus-max-size");
const UPLOAD_OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const UPLOAD_LENGTH: HeaderName = HeaderName::from_static("upload-length");
const UPLOAD_METADATA: HeaderName = HeaderName::from_static("upload-metadata");
/// The path of the file that an upload became.
const FILE_PATH: HeaderName = HeaderName::from_static("x-file-path");

/// The headers that pages of other origins may read.
pub(in crate::http) const EXPOSED: [HeaderName; 8] = [
    header::LOCATION,
    TUS_RESUMABLE,
    TUS_VERSION,
    TUS_EXTENSION,
    TUS_MAX_SIZE,
    UPLOAD_OFFSET,
    UPLOAD_LENGTH,
    FILE_PATH,
];

/// Begins a resumable upload (tus 1.0) of `Upload-Length` bytes; `Upload-Metadata` has its
/// `filename` and `filetype`. `Location` is where it goes on. The body may have its first bytes.
#[utoipa::path(
    post,
    path = "/api/v1/files/resumable",
    tag = "files",
    params(
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Length" = u64, Header, description = "Bytes of the file"),
        ("Upload-Metadata" = Option<String>, Header, description = "Keys, each with its value in base64"),
    ),
    responses((status = 201), (status = 412)),
)]
pub(super) async fn create(
    State(app): State<App>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    if !speaks_version(&headers) {
        return Ok(other_version());
    }
    let length = number(&headers, &UPLOAD_LENGTH)?;
    let metadata = metadata(&headers)?;
    let value = |key: &str| {
        let found = metadata.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    };
    let name = value("filename").or(value("name")).unwrap_or_default();
    let mut upload = app
        .files
        .begin_upload(&caller, name, value("filetype").or(value("type")), length)
        .await?;
    let has_bytes = has_type(&headers, BYTES);
    if has_bytes || length == 0 {
        upload = app
            .files
            .continue_upload(&caller, &upload, 0, chunks(&app, body))
            .await?;
    }
    let location = format!("{}/{}", location(&app), upload.id);
    let location = HeaderValue::from_str(&location).map_err(Error::internal)?;
    let mut response = answer(StatusCode::CREATED, &upload);
    response.headers_mut().insert(header::LOCATION, location);
    Ok(response)
}

/// How far a resumable upload has come; asked with HEAD (tus 1.0).
#[utoipa::path(
    get,
    path = "/api/v1/files/resumable/{id}",
    tag = "files",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn state(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    let mut upload = app.files.upload(&caller, &id).await?;
    app.files.finish_if_whole(&caller, &mut upload).await?;
    Ok(answer(StatusCode::NO_CONTENT, &upload))
}

/// Goes on with a resumable upload (tus 1.0) at `Upload-Offset`. When all of it is there, it becomes a
/// file: `X-File-Path` is its path.
#[utoipa::path(
    patch,
    path = "/api/v1/files/resumable/{id}",
    tag = "files",
    params(
        ("id" = String, Path),
        ("Tus-Resumable" = String, Header, description = "`1.0.0`"),
        ("Upload-Offset" = u64, Header, description = "Where the body begins"),
    ),
    request_body(content = String, content_type = "application/offset+octet-stream"),
    responses((status = 204), (status = 409), (status = 412), (status = 415)),
)]
pub(super) async fn append(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response> {
    if !speaks_version(&headers) {
        return Ok(other_version());
    }
    if !has_type(&headers, BYTES) {
        return Ok(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
    }
    let offset = number(&headers, &UPLOAD_OFFSET)?;
    let upload = app.files.upload(&caller, &id).await?;
    let upload = app
        .files
        .continue_upload(&caller, &upload, offset, chunks(&app, body))
        .await?;
    Ok(answer(StatusCode::NO_CONTENT, &upload))
}

/// Gives a resumable upload up (tus 1.0). A file that it became stays.
#[utoipa::path(
    delete,
    path = "/api/v1/files/resumable/{id}",
    tag = "files",
    params(("id" = String, Path)),
    responses((status = 204)),
)]
pub(super) async fn cancel(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response> {
    let upload = app.files.upload(&caller, &id).await?;
    app.files.cancel_upload(&upload).await?;
    Ok(with_version(StatusCode::NO_CONTENT.into_response()))
}

/// Says what the server can do to those who ask with OPTIONS, unless a browser asks whether a page
/// may send something else.
pub(in crate::http) async fn answer_options(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Response {
    let is_question = request.method() == Method::OPTIONS
        && request.uri().path().starts_with(PATH)
        && !request
            .headers()
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    if !is_question {
        return next.run(request).await;
    }
    let mut response = with_version(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert(TUS_VERSION, HeaderValue::from_static(VERSION));
    headers.insert(TUS_EXTENSION, HeaderValue::from_static(EXTENSIONS));
    headers.insert(TUS_MAX_SIZE, app.files.config().max_bytes.into());
    response
}

/// Where uploads go on, as the client reaches it.
fn location(app: &App) -> String {
    let origin = app.config.server.external_url.trim_end_matches('/');
    format!("{origin}{PATH}")
}

fn answer(status: StatusCode, upload: &ResumableUpload) -> Response {
    let mut response = with_version(status.into_response());
    let headers = response.headers_mut();
    headers.insert(UPLOAD_OFFSET, upload.received.into());
    headers.insert(UPLOAD_LENGTH, upload.size.into());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(path) = &upload.path
        && let Ok(path) = HeaderValue::from_str(path)
    {
        headers.insert(FILE_PATH, path);
    }
    response
}

fn with_version(mut response: Response) -> Response {
    let version = HeaderValue::from_static(VERSION);
    response.headers_mut().insert(TUS_RESUMABLE, version);
    response
}

fn speaks_version(headers: &HeaderMap) -> bool {
    headers
        .get(TUS_RESUMABLE)
        .is_some_and(|version| version == VERSION)
}

fn other_version() -> Response {
    let mut response = with_version(StatusCode::PRECONDITION_FAILED.into_response());
    let version = HeaderValue::from_static(VERSION);
    response.headers_mut().insert(TUS_VERSION, version);
    response
}

fn has_type(headers: &HeaderMap, kind: &str) -> bool {
    let declared = headers.get(header::CONTENT_TYPE);
    declared.is_some_and(|declared| declared.as_bytes().eq_ignore_ascii_case(kind.as_bytes()))
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or_else(|| {
        let message = format!("The header {name} takes a whole number of bytes");
        Error::invalid(name.as_str(), "invalid_header", message)
    })
}

/// Keys and their values: `filename d29ybGQ=,is_draft`.
fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>> {
    let wrong = || {
        let message = "The header Upload-Metadata takes keys, each with its value in base64";
        Error::invalid(UPLOAD_METADATA.as_str(), "invalid_header", message)
    };
    let Some(pairs) = headers.get(UPLOAD_METADATA) else {
        return Ok(Vec::new());
    };
    let pairs = pairs.to_str().map_err(|_| wrong())?;
    let pair = |pair: &str| {
        let (key, value) = pair.trim().split_once(' ').unwrap_or((pair.trim(), ""));
        let value = STANDARD.decode(value.trim()).map_err(|_| wrong())?;
        Ok((key.to_owned(), decode(&value)))
    };
    pairs
        .split(',')
        .filter(|pair| !pair.trim().is_empty())
        .map(pair)
        .collect()
}

/// The bytes of a body, unless the client pauses for too long.
fn chunks(app: &App, body: Body) -> impl Stream<Item = Result<Bytes>> + Send {
    let (body, idle) = (Box::pin(body.into_data_stream()), app.files.idle_timeout());
    stream::try_unfold(body, move |mut body| async move {
        match tokio::time::timeout(idle, body.next()).await {
            Ok(None) => Ok(None),
            Ok(Some(Ok(chunk))) => Ok(Some((chunk, body))),
            Ok(Some(Err(_))) | Err(_) => Err(Error::refused(
                "Bad request",
                "The upload broke off; go on where it stopped",
            )),
        }
    })
}
