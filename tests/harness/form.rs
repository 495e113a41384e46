//! Forms with files, written byte by byte, so that odd ones can be sent as well.

use reqwest::Method;
use serde_json::Value;

use super::answer::Answer;
use super::client::Client;

const BOUNDARY: &str = "----test-boundary";

/// A form that is being written.
#[derive(Clone, Debug, Default)]
pub struct Form(Vec<u8>);

impl Form {
    pub fn new() -> Self {
        Self::default()
    }

    /// A form with one file in the part `file`.
    pub fn file(name: &str, kind: &str, bytes: &[u8]) -> Self {
        Self::new().with_file("file", name, kind, bytes)
    }

    /// One more file.
    #[must_use]
    pub fn with_file(self, part: &str, name: &str, kind: &str, bytes: &[u8]) -> Self {
        let disposition = format!("form-data; name=\"{part}\"; filename=\"{name}\"");
        self.with_part(&disposition, kind, bytes)
    }

    /// One more text.
    #[must_use]
    pub fn with_text(self, part: &str, text: &str) -> Self {
        self.with_part(&format!("form-data; name=\"{part}\""), "", text.as_bytes())
    }

    /// One more part, whatever it is.
    #[must_use]
    pub fn with_part(mut self, disposition: &str, kind: &str, bytes: &[u8]) -> Self {
        let mut head = format!("--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n");
        if !kind.is_empty() {
            head.extend(["Content-Type: ", kind, "\r\n"]);
        }
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(b"\r\n");
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The body without its end.
    pub fn unfinished(self) -> Vec<u8> {
        self.0
    }

    /// The body.
    pub fn body(mut self) -> Vec<u8> {
        self.0
            .extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }

    /// The type of the body.
    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }
}

impl Client {
    /// Sends a form.
    pub async fn send_form(&self, method: Method, path: &str, form: Form) -> Answer {
        let request = self
            .request(method, path)
            .header("content-type", Form::content_type());
        self.send(request.body(form.body())).await
    }

    /// Uploads a file.
    pub async fn upload(&self, name: &str, kind: &str, bytes: &[u8]) -> Answer {
        let form = Form::file(name, kind, bytes);
        self.send_form(Method::POST, "/files/upload", form).await
    }

    /// The JSON of an answer, `None` if there is none because the server is gone.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Value> {
        let answer = request.send().await.ok()?;
        Some(serde_json::from_str(&answer.text().await.ok()?).unwrap_or_default())
    }

    /// Uploads a text and returns its description, if the server lives.
    pub async fn try_upload_text(&self, text: &str) -> Option<Value> {
        let form = Form::file("note.txt", "text/plain", text.as_bytes());
        let request = self
            .request(Method::POST, "/files/upload")
            .header("content-type", Form::content_type());
        let answer = self.try_send(request.body(form.body())).await?;
        Some(answer["file"].clone()).filter(Value::is_object)
    }

    /// Uploads a text and returns its description.
    pub async fn upload_text(&self, text: &str) -> Value {
        let answer = self.upload("note.txt", "text/plain", text.as_bytes()).await;
        answer.ok(201)["file"].clone()
    }
}

/// The address of a file.
pub fn address(description: &Value) -> String {
    format!("/files/{}", description["path"].as_str().unwrap())
}
