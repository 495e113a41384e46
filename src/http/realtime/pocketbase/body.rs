//! The body of a request with topics: JSON, a form, or a form with several parts.

use std::collections::HashSet;

use axum::extract::{FromRequest as _, Request};
use axum::http::header;
use bytes::Bytes;
use serde_json::Value;

use crate::app::App;

/// A body.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SubscribeBody {
    /// The client's id.
    pub client: String,
    /// The topics, each once.
    pub topics: Vec<String>,
}

impl SubscribeBody {
    fn add(&mut self, key: &str, value: &str) {
        match key {
            "clientId" => value.clone_into(&mut self.client),
            "subscriptions" if !value.is_empty() => self.topics.push(value.to_owned()),
            _ => {}
        }
    }
}

/// Reads a body; `None` if it cannot be read.
pub(super) async fn read(request: Request, app: &App) -> Option<SubscribeBody> {
    let kind = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let kind = kind.to_owned();
    let bytes = Bytes::from_request(request, app).await.ok()?;
    parse(&kind, &bytes)
}

/// Reads a body of a content type; `None` if it is not one of the three kinds, or malformed.
pub fn parse(content_type: &str, bytes: &[u8]) -> Option<SubscribeBody> {
    let (kind, parameters) = content_type.split_once(';').unwrap_or((content_type, ""));
    let mut body = SubscribeBody::default();
    match kind.trim().to_ascii_lowercase().as_str() {
        _ if bytes.is_empty() => {}
        "application/json" => json(&mut body, bytes)?,
        "application/x-www-form-urlencoded" => {
            for (key, value) in form_urlencoded::parse(bytes) {
                body.add(&key, &value);
            }
        }
        "multipart/form-data" => {
            let boundary = parameters
                .split(';')
                .find_map(|part| part.trim().strip_prefix("boundary="))?;
            parts(
                &mut body,
                boundary.trim_matches('"'),
                std::str::from_utf8(bytes).ok()?,
            )?;
        }
        _ => return None,
    }
    let mut known = HashSet::new();
    body.topics.retain(|topic| known.insert(topic.clone()));
    Some(body)
}

fn json(body: &mut SubscribeBody, bytes: &[u8]) -> Option<()> {
    let Value::Object(object) = serde_json::from_slice(bytes).ok()? else {
        return None;
    };
    match object.get("clientId") {
        None | Some(Value::Null) => {}
        Some(Value::String(client)) => body.add("clientId", client),
        Some(_) => return None,
    }
    match object.get("subscriptions") {
        None | Some(Value::Null) => {}
        Some(Value::Array(topics)) => {
            for topic in topics {
                body.add("subscriptions", topic.as_str()?);
            }
        }
        Some(_) => return None,
    }
    Some(())
}

/// Reads the values of a form with several parts (RFC 7578).
fn parts(body: &mut SubscribeBody, boundary: &str, text: &str) -> Option<()> {
    if boundary.is_empty() {
        return None;
    }
    for part in text.split(&format!("--{boundary}")).skip(1) {
        let Some((head, value)) = part.split_once("\r\n\r\n") else {
            continue;
        };
        let name = head
            .split("name=\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())?;
        body.add(name, value.strip_suffix("\r\n").unwrap_or(value));
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expected(client: &str, topics: &[&str]) -> SubscribeBody {
        SubscribeBody {
            client: client.to_owned(),
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
        }
    }

    #[test]
    fn bodies_come_in_three_shapes() {
        let json = br#"{"clientId":"c","subscriptions":["a/*","b","a/*"]}"#;
        assert_eq!(
            parse("application/json; charset=utf-8", json),
            Some(expected("c", &["a/*", "b"]))
        );
        let form = b"clientId=c&subscriptions=a%2F*&subscriptions=b";
        assert_eq!(
            parse("application/x-www-form-urlencoded", form),
            Some(expected("c", &["a/*", "b"]))
        );
        let multipart = "--x\r\nContent-Disposition: form-data; name=\"clientId\"\r\n\r\nc\r\n\
            --x\r\nContent-Disposition: form-data; name=\"subscriptions\"\r\n\r\na/*\r\n\
            --x\r\nContent-Disposition: form-data; name=\"subscriptions\"\r\n\r\nb\r\n--x--\r\n";
        assert_eq!(
            parse("multipart/form-data; boundary=x", multipart.as_bytes()),
            Some(expected("c", &["a/*", "b"]))
        );
    }

    #[test]
    fn an_absent_list_is_an_empty_one_and_nonsense_is_refused() {
        assert_eq!(parse("application/json", b"{}"), Some(expected("", &[])));
        assert_eq!(parse("", b""), Some(expected("", &[])));
        assert_eq!(
            parse(
                "application/json",
                br#"{"clientId":"c","subscriptions":null}"#
            ),
            Some(expected("c", &[]))
        );
        for (kind, bad) in [
            ("application/json", "{"),
            ("application/json", "[]"),
            ("application/json", r#"{"clientId":7}"#),
            ("application/json", r#"{"subscriptions":"a"}"#),
            ("application/json", r#"{"subscriptions":[7]}"#),
            ("text/plain", "clientId=c"),
            ("multipart/form-data", "--x"),
        ] {
            assert_eq!(parse(kind, bad.as_bytes()), None, "{kind} {bad}");
        }
    }
}
