//! `Content-Disposition` of the parts of a form.
//!
//! Browsers write `%22`, `%0D` and `%0A` for what would end a name, and everything else as UTF-8
//! (the HTML standard); other clients escape with a backslash, or send `filename*` (RFC 8187). Names
//! of parameters are written in any case and stand in any order.

use percent_encoding::percent_decode_str;

/// The names of a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// The name of the form's field.
    pub name: Option<String>,
    /// The name of the file.
    pub file_name: Option<String>,
}

impl Disposition {
    /// Reads the header's value; what cannot be read is passed over.
    pub fn parse(value: &[u8]) -> Self {
        let mut parsed = Self::default();
        let mut extended = None;
        let mut rest = memchr::memchr(b';', value).map_or(&[][..], |at| &value[at + 1..]);
        while !rest.is_empty() {
            let (name, value, after) = parameter(rest);
            match name.as_str() {
                "name" => parsed.name = parsed.name.or(Some(plain(&value))),
                "filename" => parsed.file_name = parsed.file_name.or(Some(plain(&value))),
                "filename*" => extended = extended.or_else(|| extended_value(&decode(&value))),
                _ => {}
            }
            rest = after;
        }
        // It says more than the other one, wherever it stands.
        parsed.file_name = extended.or(parsed.file_name);
        parsed
    }
}

/// The first parameter: its name in lower case, its value without quotes, and what follows it.
fn parameter(text: &[u8]) -> (String, Vec<u8>, &[u8]) {
    let end = text
        .iter()
        .position(|byte| matches!(byte, b'=' | b';'))
        .unwrap_or(text.len());
    let name = decode(text[..end].trim_ascii()).to_ascii_lowercase();
    if text.get(end) != Some(&b'=') {
        return (name, Vec::new(), text.get(end + 1..).unwrap_or_default());
    }
    let value = text[end + 1..].trim_ascii_start();
    let Some(quoted) = value.strip_prefix(b"\"") else {
        let end = memchr::memchr(b';', value).unwrap_or(value.len());
        let after = value.get(end + 1..).unwrap_or_default();
        return (name, value[..end].trim_ascii_end().to_vec(), after);
    };
    let (mut unquoted, mut at) = (Vec::new(), 0);
    while let Some(byte) = quoted.get(at) {
        match (byte, quoted.get(at + 1)) {
            (b'"', _) => break,
            // Only these are escaped; alone, a backslash is one.
            (b'\\', Some(next @ (b'"' | b'\\'))) => {
                unquoted.push(*next);
                at += 2;
            }
            (other, _) => {
                unquoted.push(*other);
                at += 1;
            }
        }
    }
    let after = quoted.get(at..).unwrap_or_default();
    let after = memchr::memchr(b';', after).map_or(&[][..], |at| &after[at + 1..]);
    (name, unquoted, after)
}

/// A name as a browser meant it.
fn plain(value: &[u8]) -> String {
    decode(value)
        .replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// A value with its character set: `UTF-8'en'%e2%82%ac`.
fn extended_value(value: &str) -> Option<String> {
    let mut pieces = value.splitn(3, '\'');
    let (charset, _, encoded) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    if charset.eq_ignore_ascii_case("utf-8") {
        String::from_utf8(bytes).ok()
    } else if charset.eq_ignore_ascii_case("iso-8859-1") {
        Some(bytes.into_iter().map(char::from).collect())
    } else {
        None
    }
}

/// Text that is UTF-8, or else Latin-1, of which every byte is a character.
pub fn decode(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// The value of a `Content-Disposition` that names a file: plain for old clients, and as RFC 8187
/// says for all others.
pub fn header_value(kind: &str, name: &str) -> String {
    use std::fmt::Write as _;
    let is_plain =
        |c: char| c.is_ascii() && !c.is_ascii_control() && !matches!(c, '"' | '\\' | '%');
    let plain: String = name
        .chars()
        .map(|c| if is_plain(c) { c } else { '_' })
        .collect();
    let mut value = format!("{kind}; filename=\"{plain}\"");
    if plain != name {
        value.push_str("; filename*=UTF-8''");
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
                value.push(char::from(byte));
            } else {
                // Writing to a String does not fail.
                let _ = write!(value, "%{byte:02X}");
            }
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (value, name, file_name) in [
            (
                &b"form-data; name=\"a\"; filename=\"b.txt\""[..],
                "a",
                Some("b.txt"),
            ),
            (b"form-data; name=a; filename=b c.txt", "a", Some("b c.txt")),
            (b"form-data; NAME=\"a\"; FileName=\"b\"", "a", Some("b")),
            (
                b"form-data; filename*=UTF-8''%e2%82%ac; filename=\"e\"; name=a",
                "a",
                Some("€"),
            ),
            (
                b"form-data; name=\"a\"; filename=\"%22x%22%0D%0A.txt\"",
                "a",
                Some("\"x\"\r\n.txt"),
            ),
            (
                b"form-data; name=\"a\"; filename=\"x\\\"y;z.txt\"",
                "a",
                Some("x\"y;z.txt"),
            ),
            (
                b"form-data; name=\"a\"; filename=\"C:\\b.txt\"",
                "a",
                Some("C:\\b.txt"),
            ),
            (
                "form-data; name=\"ä\"; filename=\"日本.txt\"".as_bytes(),
                "ä",
                Some("日本.txt"),
            ),
            (
                b"form-data; name=\"a\"; filename=\"\xe9.txt\"",
                "a",
                Some("é.txt"),
            ),
            (b"form-data; name=\"a\"", "a", None),
            (
                b"form-data; name=\"a\"; filename=\"unfinished",
                "a",
                Some("unfinished"),
            ),
            (
                b"form-data; name=\"a\"; filename*=utf-7''x; filename=y",
                "a",
                Some("y"),
            ),
        ] {
            let expected = Disposition {
                name: Some(name.into()),
                file_name: file_name.map(str::to_owned),
            };
            assert_eq!(Disposition::parse(value), expected, "{value:?}");
        }
        assert_eq!(Disposition::parse(b"form-data"), Disposition::default());
        assert_eq!(Disposition::parse(b";;=;\"").file_name, None);
    }

    #[test]
    fn names_are_written_for_old_and_new_clients() {
        assert_eq!(
            header_value("attachment", "a.txt"),
            "attachment; filename=\"a.txt\""
        );
        let expected = "inline; filename=\"_x_ _.png\"; filename*=UTF-8''%22x%22%20%C3%A9.png";
        assert_eq!(header_value("inline", "\"x\" é.png"), expected);
    }
}
