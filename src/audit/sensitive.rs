//! What the trail never holds, and what it shows only to those who may see personal data.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use crate::schema::mask::Mask;

/// What stands in the place of a secret.
pub(super) const HIDDEN: &str = "***";

/// Names of columns whose values are secrets, whatever they are for.
const SECRETS: [&str; 17] = [
    "password",
    "password_hash",
    "hashed_password",
    "refresh_token",
    "token",
    "token_hash",
    "access_token",
    "api_key",
    "key_hash",
    "client_secret",
    "secret",
    "secret_key",
    "private_key",
    "smtp_password",
    "code_verifier",
    "state_token",
    "verification_token",
];

/// Whether the values of a column are secrets.
pub(super) fn is_secret(column: &str) -> bool {
    SECRETS.iter().any(|secret| column.eq_ignore_ascii_case(secret))
}

/// Puts [`HIDDEN`] in the place of secrets, also inside of objects and lists.
pub(super) fn hide(values: &mut Map<String, Json>) {
    for (name, value) in values.iter_mut() {
        if is_secret(name) && !value.is_null() {
            *value = HIDDEN.into();
        } else {
            hide_inside(value);
        }
    }
}

fn hide_inside(value: &mut Json) {
    match value {
        Json::Object(inner) => hide(inner),
        Json::Array(items) => items.iter_mut().for_each(hide_inside),
        _ => {}
    }
}

/// How personal data in a column is masked, as far as its name tells.
fn mask_of(column: &str) -> Option<Mask> {
    let column = column.to_ascii_lowercase();
    let has = |part: &str| column.contains(part);
    if has("email") {
        Some(Mask::Email)
    } else if has("ssn") || has("social_security") {
        Some(Mask::Ssn)
    } else if has("phone") || has("mobile") {
        Some(Mask::Phone)
    } else if has("name") && !has("username") {
        Some(Mask::Name)
    } else {
        None
    }
}

/// The value of a column as those see it who may not see personal data.
pub(super) fn masked<'v>(column: &str, value: &'v str) -> Cow<'v, str> {
    match mask_of(column).map(|mask| mask.apply(&Json::from(value))) {
        Some(Json::String(masked)) => Cow::Owned(masked),
        _ => Cow::Borrowed(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_hidden_wherever_they_stand() {
        let mut values = json!({"Password": "x", "secret": null, "name": "y", "config": [{"client_secret": "z"}]});
        hide(values.as_object_mut().unwrap());
        assert_eq!(
            values,
            json!({"Password": "***", "secret": null, "name": "y", "config": [{"client_secret": "***"}]})
        );
    }

    #[test]
    fn personal_data_is_masked_by_the_name_of_its_column() {
        for (column, value, shown) in [
            ("Work_Email", "john@example.com", "j***@example.com"),
            ("social_security_no", "123-45-6789", "***-**-****"),
            ("mobile", "555-123-4567", "***-***-4567"),
            ("full_name", "John Doe", "J*** D***"),
            ("username", "john", "john"),
            ("title", "john@example.com", "john@example.com"),
        ] {
            assert_eq!(masked(column, value), shown);
        }
    }
}
