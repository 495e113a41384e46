//! A line of a conversation.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::Deserialize;
use serde_json::Value;

use super::compare::compare;
use crate::harness::{Answer, Client};

/// A request and its recorded answer.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The name of what is compared.
    case: Option<String>,
    /// The name of what only prepares.
    step: Option<String>,
    method: String,
    path: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    /// A body that is no JSON.
    text: Option<String>,
    status: u16,
    #[serde(default)]
    response_headers: BTreeMap<String, String>,
    #[serde(default)]
    response: Value,
    /// What later lines need: names, and where it is in the answer.
    #[serde(default)]
    keep: BTreeMap<String, String>,
}

/// This server's answer to a case, where it differs by intention.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    pub case: String,
    /// The decision.
    pub why: String,
    status: u16,
    #[serde(default)]
    response: Value,
}

impl Line {
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    pub fn name(&self) -> &str {
        self.case.as_deref().or(self.step.as_deref()).unwrap()
    }

    /// Sends the request, with what was kept in place of the names.
    pub async fn send(&self, client: &Client, kept: &BTreeMap<String, String>) -> Answer {
        let filled = |text: &str| {
            let fill = |text: String, (name, value): (&String, &String)| {
                text.replace(&format!("{{{name}}}"), value)
            };
            kept.iter().fold(text.to_owned(), fill)
        };
        let method = Method::from_bytes(self.method.as_bytes()).unwrap();
        let mut request = client.request(method, &format!("/{}", filled(&self.path)));
        if let Some(body) = &self.body {
            request = request
                .header("content-type", "application/json")
                .body(filled(&body.to_string()));
        } else if let Some(text) = &self.text {
            if !self.headers.contains_key("Content-Type") {
                request = request.header("content-type", "application/json");
            }
            request = request.body(text.clone());
        }
        for (name, value) in &self.headers {
            request = request.header(name, filled(value));
        }
        client.send(request).await
    }

    /// Keeps what later lines need, as far as the answer has it.
    pub fn keep(&self, answer: &Answer, kept: &mut BTreeMap<String, String>) {
        for (name, place) in &self.keep {
            let value = match answer.body.pointer(place) {
                Some(Value::String(text)) => text.clone(),
                Some(Value::Number(number)) => number.to_string(),
                _ => continue,
            };
            kept.insert(name.clone(), value);
        }
    }

    /// What differs from the recorded answer.
    pub fn compare(&self, answer: &Answer) -> Result<(), String> {
        check_status(self.status, answer)?;
        for (name, expected) in &self.response_headers {
            let found = answer.header(name).unwrap_or_default().to_ascii_lowercase();
            let absent = expected
                .to_ascii_lowercase()
                .split(',')
                .map(str::trim)
                .find(|part| !found.contains(part))
                .map(str::to_owned);
            if let Some(absent) = absent {
                return Err(format!(
                    "the header {name} is {found:?}, without {absent:?}"
                ));
            }
        }
        compare(&self.response, &answer.body, "")
    }
}

impl Difference {
    pub fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    /// What differs from this server's own answer.
    pub fn compare(&self, answer: &Answer) -> Result<(), String> {
        check_status(self.status, answer)?;
        compare(&self.response, &answer.body, "")
    }
}

fn check_status(expected: u16, answer: &Answer) -> Result<(), String> {
    if answer.status == expected {
        Ok(())
    } else {
        Err(format!("the status is {}, not {expected}", answer.status))
    }
}
