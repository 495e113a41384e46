//! Masks for personal data: what a caller sees who may not see the value.

use serde_json::Value as Json;

/// How a value is masked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mask {
    /// First character and domain.
    Email,
    /// Digits only.
    Ssn,
    /// Country code and last four digits.
    Phone,
    /// Initials.
    Name,
    /// Nothing but the length.
    Full,
    /// As [`Mask::Full`].
    Custom,
}

impl Mask {
    /// The names a definition may use.
    pub const NAMES: [&str; 6] = ["email", "ssn", "phone", "name", "full", "custom"];

    /// The mask of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "email" => Self::Email,
            "ssn" => Self::Ssn,
            "phone" => Self::Phone,
            "name" => Self::Name,
            "full" => Self::Full,
            "custom" => Self::Custom,
            _ => return None,
        })
    }

    /// The masked form of a value; null stays null.
    pub fn apply(self, value: &Json) -> Json {
        let text = match value {
            Json::Null => return Json::Null,
            Json::String(text) => text.clone(),
            other => other.to_string(),
        };
        Json::String(match self {
            Self::Email => email(&text),
            Self::Ssn => ssn(&text),
            Self::Phone => phone(&text),
            Self::Name => text
                .split_whitespace()
                .map(initial)
                .collect::<Vec<_>>()
                .join(" "),
            Self::Full | Self::Custom => "*".repeat(text.chars().count()),
        })
    }
}

fn initial(word: &str) -> String {
    word.chars().take(1).chain("***".chars()).collect()
}

fn email(text: &str) -> String {
    match text.split_once('@') {
        Some((local, domain)) if !local.is_empty() => format!("{}@{domain}", initial(local)),
        _ => text.to_owned(),
    }
}

fn ssn(text: &str) -> String {
    if text.chars().filter(char::is_ascii_digit).count() == 9 {
        return "***-**-****".into();
    }
    text.chars()
        .map(|c| if c.is_ascii_digit() { '*' } else { c })
        .collect()
}

fn phone(text: &str) -> String {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_digit).collect();
    if digits.len() < 4 {
        return text
            .chars()
            .map(|c| if c.is_ascii_digit() { '*' } else { c })
            .collect();
    }
    let last: String = digits[digits.len() - 4..].iter().collect();
    let country: String = text
        .strip_prefix('+')
        .map(|rest| {
            rest.chars()
                .take_while(char::is_ascii_digit)
                .take(3)
                .collect()
        })
        .unwrap_or_default();
    if country.is_empty() {
        format!("***-***-{last}")
    } else {
        format!("+{country}-***-***-{last}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mask_hides_what_it_should() {
        for (mask, plain, masked) in [
            (Mask::Email, "john@example.com", "j***@example.com"),
            (Mask::Email, "@a.b", "@a.b"),
            (Mask::Ssn, "123-45-6789", "***-**-****"),
            (Mask::Ssn, "12-3", "**-*"),
            (Mask::Phone, "+1 555 123 4567", "+1-***-***-4567"),
            (Mask::Phone, "+4420712345678", "+442-***-***-5678"),
            (Mask::Phone, "555-123-4567", "***-***-4567"),
            (Mask::Name, "John Ronald Doe", "J*** R*** D***"),
            (Mask::Full, "secret", "******"),
        ] {
            assert_eq!(mask.apply(&plain.into()), Json::from(masked));
        }
        assert_eq!(Mask::Full.apply(&42.into()), Json::from("**"));
        assert_eq!(Mask::Email.apply(&Json::Null), Json::Null);
    }
}
