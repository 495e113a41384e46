//! The names that clients give to files: shown to people, never part of a path.

use unicode_normalization::UnicodeNormalization as _;

/// Upper limit of a name, in bytes of UTF-8; what file systems take.
const MAX_NAME_BYTES: usize = 255;
/// The longest ending that is kept when a name is cut, in bytes.
const MAX_EXTENSION_BYTES: usize = 16;
/// The name of a file that was sent without one.
const UNNAMED: &str = "file";

/// The last part of the path that a client sent, composed (NFC), without control characters and
/// those that turn the direction of writing, 255 bytes at most. Never empty.
pub fn clean(sent: &str) -> String {
    let last = sent.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.nfc().filter(|c| !is_hidden(*c)).collect();
    let shown = shown.trim().trim_matches('.').trim();
    if shown.is_empty() {
        return UNNAMED.to_owned();
    }
    shorten(shown)
}

/// Whether a character is not seen, or changes how others are seen: `exe.gpj` written backwards
/// looks like a picture.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn shorten(name: &str) -> String {
    if name.len() <= MAX_NAME_BYTES {
        return name.to_owned();
    }
    let extension = name
        .rfind('.')
        .map(|dot| &name[dot..])
        .filter(|extension| extension.len() <= MAX_EXTENSION_BYTES)
        .unwrap_or_default();
    let mut end = MAX_NAME_BYTES - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{extension}", &name[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_what_is_no_name() {
        for (sent, name) in [
            ("photo.jpg", "photo.jpg"),
            ("../../etc/passwd", "passwd"),
            ("C:\\fakepath\\photo.jpg", "photo.jpg"),
            ("a\u{0}b\r\n.txt", "ab.txt"),
            ("invoice\u{202e}fdp.exe", "invoicefdp.exe"),
            ("  ...  ", "file"),
            ("", "file"),
            ("..", "file"),
            ("Cafe\u{301}.png", "Café.png"),
            ("日本語.txt", "日本語.txt"),
        ] {
            assert_eq!(clean(sent), name, "{sent:?}");
        }
    }

    #[test]
    fn long_names_keep_their_ending_and_whole_characters() {
        let name = clean(&format!("{}.jpeg", "ä".repeat(500)));
        assert!(name.len() <= MAX_NAME_BYTES && name.ends_with("ä.jpeg"));
        assert_eq!(clean(&"x".repeat(1000)).len(), MAX_NAME_BYTES);
    }
}
