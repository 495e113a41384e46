//! What the server answered.

use reqwest::header::HeaderMap;
use serde_json::Value;

use super::soon;

/// An answer; the body is null if it is no JSON.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
    what: String,
}

impl Answer {
    pub(super) async fn read(what: String, response: reqwest::Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = soon("a body", response.text()).await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Self {
            status,
            headers,
            body,
            text,
            what,
        }
    }

    /// The body, if the status is this one.
    #[track_caller]
    pub fn ok(self, status: u16) -> Value {
        self.assert_status(status);
        self.body
    }

    /// The body, if the status is this one and the body is a proper error whose message has this in
    /// it.
    #[track_caller]
    pub fn refused(self, status: u16, part: &str) -> Value {
        self.assert_status(status);
        let Self {
            body,
            what,
            text,
            headers,
            ..
        } = self;
        for key in ["error", "message"] {
            let filled = body[key].as_str().is_some_and(|text| !text.is_empty());
            assert!(filled, "{what}: no text '{key}' in {text}");
        }
        assert!(!body["detail"].is_null(), "{what}: no 'detail' in {text}");
        if status == 401 || status == 403 {
            assert!(
                body["detail"].is_string(),
                "{what}: 'detail' must be text on {status}: {text}"
            );
        }
        let json = headers
            .get("content-type")
            .is_some_and(|kind| kind.to_str().unwrap().contains("application/json"));
        assert!(json, "{what}: an error must be JSON");
        let message = body["message"].as_str().unwrap_or_default();
        assert!(message.contains(part), "{what}: no '{part}' in {text}");
        body
    }

    /// The problem of a field, if the answer is a refusal with such codes: `field: code`, in order.
    #[track_caller]
    pub fn problems(self, expected: &[(&str, &str)]) {
        let body = self.refused(400, "");
        let details = body["details"]
            .as_array()
            .unwrap_or_else(|| panic!("no details in {body}"));
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let found: Vec<(String, String)> = details
            .iter()
            .map(|d| (text(&d["field"]), text(&d["code"])))
            .collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(f, c)| ((*f).into(), (*c).into()))
            .collect();
        assert_eq!(found, expected, "{body}");
        for (field, _) in found {
            assert!(
                body["errors"][&field][0].is_string(),
                "no '{field}' in 'errors': {body}"
            );
        }
    }

    #[track_caller]
    fn assert_status(&self, status: u16) {
        assert_eq!(self.status, status, "{}: {}", self.what, self.text);
    }

    /// A header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}
