//! Taking one file in.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

use super::FileDescription;
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Problem, Result};
use crate::files::{FileLimits, NewFile, StoredFile};
use crate::http::extract::QueryParams;
use crate::http::multipart::{self, Multipart, PartHead};
use crate::id::{AccountId, SYSTEM_ACCOUNT};

/// The part of the form that is the file.
const FILE_PART: &str = "file";
/// How much longer than the file its form may be, in bytes.
const FORM_BYTES: u64 = 64 * 1024;

/// The form with the file.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the body is read part by part")]
pub(super) struct UploadForm {
    /// The file.
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Where the file goes.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct UploadParams {
    /// For superadmins: the id of the account that the file is for; without it, the system account.
    account_id: Option<String>,
}

/// A file that was taken in.
#[derive(Serialize, ToSchema)]
pub(super) struct Uploaded {
    /// True.
    success: bool,
    /// What a record names it by.
    file: FileDescription,
    /// The same for people.
    message: &'static str,
}

/// Uploads a file into the caller's account. It is kept for good once a record names it, and a day
/// (by default) otherwise.
#[utoipa::path(
    post,
    path = "/api/v1/files/upload",
    tag = "files",
    params(UploadParams),
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Uploaded), (status = 404)),
)]
pub(super) async fn upload(
    State(app): State<App>,
    caller: Caller,
    QueryParams(params): QueryParams<UploadParams>,
    request: Request,
) -> Result<(StatusCode, Json<Uploaded>)> {
    let account = account_for(&caller, params.account_id.as_deref())?;
    let Some(boundary) = multipart::boundary(request.headers())? else {
        return Err(missing());
    };
    let announced = announced(&request);
    let mut form = Multipart::new(request.into_body(), &boundary, app.files.idle_timeout());
    let head = loop {
        match form.next_part().await? {
            Some(head) if head.name == FILE_PART => break head,
            Some(_) => {}
            None => return Err(missing()),
        }
    };
    let stored = store(&app, &caller, account, &mut form, &head, announced).await?;
    if let Err(error) = refuse_more(&mut form).await {
        app.files.discard(&stored).await?;
        return Err(error);
    }
    let answer = Uploaded {
        success: true,
        file: (&stored).into(),
        message: "File uploaded successfully",
    };
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn store(
    app: &App,
    caller: &Caller,
    account: AccountId,
    form: &mut Multipart,
    head: &PartHead,
    announced: Option<u64>,
) -> Result<StoredFile> {
    let Some(name) = head.file_name.as_deref() else {
        let msg = "Value error, expected a file: the part needs a filename";
        let problem = Problem::body(FILE_PART, "value_error", msg, Value::Null);
        return Err(Error::malformed(problem));
    };
    let new = NewFile {
        account,
        field: FILE_PART,
        name,
        declared: head.content_type.as_deref(),
        announced: announced.map(|length| length.saturating_sub(FORM_BYTES)),
        limits: FileLimits::default(),
    };
    app.files.store(caller, new, form.chunks()).await
}

/// The account that a file is for.
fn account_for(caller: &Caller, wanted: Option<&str>) -> Result<AccountId> {
    let own = caller.account_id().unwrap_or(SYSTEM_ACCOUNT);
    let Some(wanted) = wanted else {
        return Ok(own);
    };
    match AccountId::parse(wanted) {
        Some(account) if account == own || caller.is_superadmin() => Ok(account),
        Some(_) => Err(Error::Forbidden("This is another account".into())),
        None => Err(Error::not_found("The account does not exist")),
    }
}

/// Reads the form to its end, in which there must be no other file.
async fn refuse_more(form: &mut Multipart) -> Result<()> {
    while let Some(head) = form.next_part().await? {
        if head.name == FILE_PART {
            let message = "One file can be sent in a request";
            return Err(Error::invalid(FILE_PART, "too_many_files", message));
        }
    }
    Ok(())
}

/// The length of the body, if the client says it.
fn announced(request: &Request) -> Option<u64> {
    let length = request.headers().get(header::CONTENT_LENGTH)?;
    length.to_str().ok()?.parse().ok()
}

fn missing() -> Error {
    Error::malformed(Problem::missing(FILE_PART))
}
