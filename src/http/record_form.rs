//! Records that are sent as forms: texts and files in one request, as browsers and PocketBase's
//! clients do.
//!
//! A part without a file name is the text of a field, read as the field's type wants it; one with a
//! file name is an upload for a file field. `photos+` adds, `photos-` takes out. `@jsonPayload` holds
//! values as JSON. In a batch, the files of the second item are in `records.1.photo`.

use axum::extract::{FromRequest as _, Request};
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::extract::{JsonBody, JsonObject, from_object};
use super::multipart::{Multipart, PartHead, boundary};
use crate::app::App;
use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::files::{FileLimits, Files, NewFile, StoredFile};
use crate::id::{AccountId, SYSTEM_ACCOUNT};
use crate::schema::{Body, FieldType, FileOptions, Operation};

/// The part with values as JSON.
const JSON_PART: &str = "@jsonPayload";

/// Files that were taken in with a request. Dropped before they are kept, they go again.
#[derive(Debug)]
pub struct Uploads {
    files: Files,
    stored: Vec<StoredFile>,
}

impl Uploads {
    fn none(app: &App) -> Self {
        Self {
            files: app.files.clone(),
            stored: Vec::new(),
        }
    }

    /// Leaves the files to the records that name them, if the write that they came with was done.
    pub fn settle<T>(mut self, done: Result<T>) -> Result<T> {
        if done.is_ok() {
            self.stored.clear();
        }
        done
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        let stored = std::mem::take(&mut self.stored);
        if let (false, Ok(runtime)) = (stored.is_empty(), tokio::runtime::Handle::try_current()) {
            let files = self.files.clone();
            runtime.spawn(async move {
                for file in stored {
                    // The sweep finds it, too.
                    if let Err(error) = files.discard(&file).await {
                        tracing::debug!(%error, "a file of a refused record is left to the sweep");
                    }
                }
            });
        }
    }
}

/// Where a form is sent.
#[derive(Clone, Copy, Debug)]
pub struct Destination<'a> {
    /// Who sends it.
    pub caller: &'a Caller,
    /// The collection of the records.
    pub collection: &'a str,
    /// What is done to them.
    pub operation: Operation,
    /// The one record that is changed.
    pub record: Option<&'a str>,
}

/// A record, and the files that were sent with it.
#[derive(Debug)]
pub struct SentRecord {
    /// Its fields.
    pub body: Body,
    /// The files that they name.
    pub uploads: Uploads,
}

impl SentRecord {
    /// Reads a form or JSON.
    ///
    /// # Errors
    ///
    /// What keeps the caller from the operation, what a file is refused for, and a body that cannot
    /// be read. Nothing is kept then.
    pub async fn read(app: &App, to: Destination<'_>, request: Request) -> Result<Self> {
        match read_form(app, to, false, request).await? {
            Ok((body, uploads)) => Ok(Self { body, uploads }),
            Err(request) => {
                let JsonObject(body) = JsonObject::from_request(request, app).await?;
                let uploads = Uploads::none(app);
                Ok(Self { body, uploads })
            }
        }
    }
}

/// Several records, and the files that were sent with them.
#[derive(Debug)]
pub struct SentBatch<T> {
    /// The records.
    pub batch: T,
    /// The files that they name.
    pub uploads: Uploads,
}

impl<T: DeserializeOwned> SentBatch<T> {
    /// Reads a form or JSON.
    ///
    /// # Errors
    ///
    /// As [`SentRecord::read`].
    pub async fn read(app: &App, to: Destination<'_>, request: Request) -> Result<Self> {
        match read_form(app, to, true, request).await? {
            Ok((body, uploads)) => Ok(Self {
                batch: from_object(body)?,
                uploads,
            }),
            Err(request) => {
                let JsonBody(batch) = JsonBody::from_request(request, app).await?;
                let uploads = Uploads::none(app);
                Ok(Self { batch, uploads })
            }
        }
    }
}

/// The values and files of a form, or the request if it has another kind of body.
async fn read_form(
    app: &App,
    destination: Destination<'_>,
    is_batch: bool,
    request: Request,
) -> Result<std::result::Result<(Body, Uploads), Request>> {
    let Some(boundary) = boundary(request.headers())? else {
        return Ok(Err(request));
    };
    let form = Multipart::new(request.into_body(), &boundary, app.files.idle_timeout());
    let mut reader = FormReader {
        app,
        destination,
        is_batch,
        form,
        body: Body::new(),
        uploads: Uploads::none(app),
        text_bytes: 0,
    };
    while let Some(head) = reader.form.next_part().await? {
        reader.take(head).await?;
    }
    Ok(Ok((reader.body, reader.uploads)))
}

struct FormReader<'a> {
    app: &'a App,
    destination: Destination<'a>,
    /// Whether there are several records.
    is_batch: bool,
    form: Multipart,
    body: Body,
    uploads: Uploads,
    /// Bytes of the texts so far.
    text_bytes: usize,
}

impl FormReader<'_> {
    async fn take(&mut self, head: PartHead) -> Result<()> {
        match &head.file_name {
            Some(name) => {
                let (name, field) = (name.clone(), head.name.clone());
                self.take_file(&head, &name, &field).await
            }
            None => self.take_text(&head.name).await,
        }
    }

    async fn take_text(&mut self, name: &str) -> Result<()> {
        let left = self.app.config.limits.body_bytes - self.text_bytes;
        let text = self.form.text(left).await?;
        self.text_bytes += text.len();
        if name == JSON_PART {
            let payload: Json = serde_json::from_str(&text).map_err(|error| {
                Error::invalid(
                    JSON_PART,
                    "invalid_json",
                    format!("This is not JSON: {error}"),
                )
            })?;
            let Json::Object(payload) = payload else {
                let message = "This part takes a JSON object";
                return Err(Error::invalid(JSON_PART, "invalid_type", message));
            };
            // What was sent on its own counts.
            for (key, value) in payload {
                self.body.entry(key).or_insert(value);
            }
            return Ok(());
        }
        if name.is_empty() {
            return Ok(());
        }
        let base = base_name(name);
        let collection = self.app.records.collection(self.destination.collection)?;
        match collection.field(base).map(|field| field.kind) {
            Some(FieldType::File) => {
                let description = serde_json::from_str(&text).ok();
                let is_removal = name.ends_with('-');
                match description.filter(|description: &Json| !description.is_number()) {
                    Some(description) => self.add(name, description),
                    None if text.is_empty() => {
                        self.body.entry(name).or_insert(Json::Null);
                    }
                    None if is_removal => self.add(name, Json::String(text)),
                    None => {
                        self.body.insert(name.to_owned(), Json::String(text));
                    }
                }
            }
            kind => {
                self.body.insert(name.to_owned(), value_of(kind, text));
            }
        }
        Ok(())
    }

    async fn take_file(&mut self, head: &PartHead, name: &str, part: &str) -> Result<()> {
        let (item, field) = self.place_of(part)?;
        let base = base_name(&field).to_owned();
        let Destination {
            caller,
            collection,
            operation,
            ..
        } = self.destination;
        let options = self
            .app
            .records
            .upload_terms(caller, collection, operation, &base)?;
        let first = self.form.next_chunk().await?;
        // An input of a page in which no file was chosen.
        if name.is_empty() && first.is_none() {
            return Ok(());
        }
        self.check_count(item, &field, &base, &options)?;
        let chosen = self.body.get("account_id").and_then(Json::as_str);
        let chosen = chosen.and_then(AccountId::parse);
        let account = account_of(self.app, self.destination, chosen).await?;
        let new = NewFile {
            account,
            field: part,
            name,
            declared: head.content_type.as_deref(),
            announced: None,
            limits: FileLimits {
                max_bytes: options.max_size,
                types: options.mime_types.as_deref(),
            },
        };
        let chunks = futures_util::stream::iter(first.map(Ok));
        let chunks = futures_util::StreamExt::chain(chunks, self.form.chunks());
        let stored = self.app.files.store(caller, new, chunks).await?;
        let description = stored.description();
        self.uploads.stored.push(stored);
        match item {
            None => self.add(&field, description),
            Some(item) => {
                let place = self.item(item)?;
                add_to(place, &field, description);
            }
        }
        Ok(())
    }

    /// The item of a batch and the field that a part belongs to.
    fn place_of(&self, part: &str) -> Result<(Option<usize>, String)> {
        if !self.is_batch {
            return Ok((None, part.to_owned()));
        }
        let mut pieces = part.splitn(3, '.');
        let (list, item, field) = (pieces.next(), pieces.next(), pieces.next());
        let item = item.and_then(|item| item.parse().ok());
        if let (Some("records"), Some(item), Some(field)) = (list, item, field) {
            Ok((Some(item), field.to_owned()))
        } else {
            let message = "In a batch, the name of a file's part is such as records.0.photo";
            Err(Error::invalid(part, "unknown_field", message))
        }
    }

    /// An item of a batch, whose values must have come before its files.
    fn item(&mut self, index: usize) -> Result<&mut Body> {
        let is_create = self.destination.operation == Operation::Create;
        let records = self.body.get_mut("records").and_then(Json::as_array_mut);
        let item = records.and_then(|records| records.get_mut(index));
        let item = match item {
            Some(item) if is_create => Some(item),
            Some(item) => item.get_mut("data"),
            None => None,
        };
        item.and_then(Json::as_object_mut).ok_or_else(|| {
            let message = format!("{JSON_PART} has no item {index}, or comes after its files");
            Error::invalid("records", "unknown_item", message)
        })
    }

    /// Refuses one file more than the field takes, before it is taken in.
    fn check_count(
        &mut self,
        item: Option<usize>,
        field: &str,
        base: &str,
        options: &FileOptions,
    ) -> Result<()> {
        let place = match item {
            None => &self.body,
            Some(item) => &*self.item(item)?,
        };
        let count = place
            .get(field)
            .and_then(Json::as_array)
            .map_or(0, Vec::len);
        if count < options.max_select {
            return Ok(());
        }
        let message = format!("Field '{base}' takes {} files at most", options.max_select);
        Err(Error::invalid(base, "too_many_files", message))
    }

    fn add(&mut self, name: &str, description: Json) {
        add_to(&mut self.body, name, description);
    }
}

/// The account of the record that names the files; `chosen` is what a superadmin sends.
async fn account_of(
    app: &App,
    destination: Destination<'_>,
    chosen: Option<AccountId>,
) -> Result<AccountId> {
    let Destination {
        caller,
        collection,
        record,
        ..
    } = destination;
    if !caller.is_superadmin() {
        return caller.account_id().ok_or_else(|| {
            Error::refused(
                "Account required",
                "Without credentials the header X-Account-ID must name an account",
            )
        });
    }
    match record {
        Some(record) => app.records.account_of_record(collection, record).await,
        None => Ok(chosen.unwrap_or(SYSTEM_ACCOUNT)),
    }
}

/// Adds a description to a list of them; what a single field takes is made of it later.
fn add_to(body: &mut Body, name: &str, description: Json) {
    let more = match description {
        Json::Array(items) => items,
        other => vec![other],
    };
    match body.get_mut(name) {
        Some(Json::Array(items)) => items.extend(more),
        _ => {
            body.insert(name.to_owned(), Json::Array(more));
        }
    }
}

/// The field that `photos`, `photos+`, `+photos` and `photos-` are about.
fn base_name(name: &str) -> &str {
    name.trim_start_matches('+').trim_end_matches(['+', '-'])
}

/// The text of a part as a value of a field. Nothing is no value, except for texts.
fn value_of(kind: Option<FieldType>, text: String) -> Json {
    let parsed = match kind {
        Some(FieldType::Number) => text.trim().parse::<f64>().ok().map(Json::from),
        Some(FieldType::Boolean) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "on" => Some(true.into()),
            "false" | "0" | "off" => Some(false.into()),
            _ => None,
        },
        Some(FieldType::Json) => serde_json::from_str(&text).ok(),
        _ => None,
    };
    let is_text = matches!(kind, None | Some(FieldType::Text));
    match parsed {
        Some(value) => value,
        None if text.is_empty() && !is_text => Json::Null,
        None => Json::String(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_become_values_of_the_field() {
        for (kind, text, value) in [
            (FieldType::Text, "", json!("")),
            (FieldType::Text, "12", json!("12")),
            (FieldType::Number, "12.5", json!(12.5)),
            (FieldType::Number, "", Json::Null),
            (FieldType::Number, "twelve", json!("twelve")),
            (FieldType::Boolean, "on", json!(true)),
            (FieldType::Boolean, "0", json!(false)),
            (FieldType::Boolean, "maybe", json!("maybe")),
            (FieldType::Json, "[1]", json!([1])),
            (FieldType::Json, "words", json!("words")),
            (FieldType::Date, "", Json::Null),
            (FieldType::Email, "a@example.com", json!("a@example.com")),
        ] {
            assert_eq!(
                value_of(Some(kind), text.to_owned()),
                value,
                "{kind:?} {text}"
            );
        }
    }

    #[test]
    fn changes_are_about_a_field() {
        for name in ["photos", "photos+", "+photos", "photos-"] {
            assert_eq!(base_name(name), "photos");
        }
    }
}
