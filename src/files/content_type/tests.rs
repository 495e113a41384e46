use super::*;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00";
const PNG: &[u8] =
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00";

fn found(head: &[u8], declared: &str, name: &str) -> (String, String) {
    let detected = detect(head, Some(declared), name).unwrap();
    (detected.media_type, detected.extension)
}

#[test]
fn the_bytes_say_what_a_file_is() {
    for (head, media_type, extension) in [
        (JPEG, "image/jpeg", ".jpg"),
        (PNG, "image/png", ".png"),
        (b"GIF89a\x01\x00\x01\x00", "image/gif", ".gif"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp", ".webp"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "application/pdf", ".pdf"),
        (
            b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
            "image/heic",
            ".heic",
        ),
        (
            b"\x00\x00\x00\x20ftypisom\x00\x00\x02\x00",
            "video/mp4",
            ".mp4",
        ),
        (
            b"PK\x03\x04\x14\x00\x00\x00\x00\x00",
            "application/zip",
            ".zip",
        ),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "image/svg+xml",
            ".svg",
        ),
        (
            b"<?xml version=\"1.0\"?>\n<!-- a --><!DOCTYPE svg><svg/>",
            "image/svg+xml",
            ".svg",
        ),
        (b"plain words", "text/plain", ".txt"),
        (b"\x01\x02\x03\x04", UNKNOWN, ""),
        (b"", "text/plain", ".txt"),
    ] {
        let expected = (media_type.to_owned(), extension.to_owned());
        assert_eq!(found(head, UNKNOWN, "upload"), expected, "{head:?}");
        if media_type != UNKNOWN {
            assert_eq!(found(head, media_type, "upload"), expected, "{head:?}");
        }
    }
}

#[test]
fn another_type_than_the_declared_one_is_a_mismatch() {
    for (head, declared, found) in [
        (JPEG, "image/png", "image/jpeg"),
        (PNG, "application/pdf", "image/png"),
        (b"hello".as_slice(), "image/png", UNKNOWN),
        (b"\x00\x01", "application/pdf", UNKNOWN),
    ] {
        let mismatch = Mismatch {
            declared: declared.into(),
            found: found.into(),
        };
        assert_eq!(detect(head, Some(declared), "x"), Err(mismatch));
    }
}

#[test]
fn other_names_of_a_type_and_types_in_containers_agree() {
    let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
    let part = |name: &str| {
        let mut part = b"PK\x03\x04".to_vec();
        part.resize(30, 0);
        part.extend(name.as_bytes());
        part
    };
    let archive = [part("[Content_Types].xml"), part("word/document.xml")].concat();
    let cut = part("[Content_Types].xml");
    let mp4 = b"\x00\x00\x00\x20ftypM4A \x00\x00\x02\x00";
    for (head, declared, expected) in [
        (JPEG, "image/JPG; charset=x", "image/jpeg"),
        (archive.as_slice(), UNKNOWN, docx),
        (archive.as_slice(), docx, docx),
        (cut.as_slice(), docx, docx),
        (mp4.as_slice(), "audio/mp4", "audio/mp4"),
        (
            b"\x01\x02".as_slice(),
            "model/x-invented",
            "model/x-invented",
        ),
    ] {
        assert_eq!(found(head, declared, "x").0, expected, "{declared}");
    }
}

#[test]
fn texts_are_what_the_client_says() {
    for (declared, name, expected) in [
        ("text/csv", "a.csv", ("text/csv", ".csv")),
        ("application/json", "a", ("application/json", ".json")),
        ("text/markdown", "a.md", ("text/markdown", ".md")),
        (UNKNOWN, "a.json", ("application/json", ".json")),
        (UNKNOWN, "a.unheard", ("text/plain", ".txt")),
    ] {
        let detected = detect(b"BM,1\n", Some(declared), name).unwrap();
        let found = (detected.media_type.as_str(), detected.extension.as_str());
        assert_eq!(found, expected);
        assert!(detected.must_be_text);
    }
}

#[test]
fn patterns_allow_types() {
    let patterns = ["image/*".to_owned(), "text/plain".to_owned()];
    assert!(is_allowed("image/png", &patterns) && is_allowed("text/plain", &patterns));
    assert!(!is_allowed("text/html", &patterns) && !is_allowed("imagery/png", &patterns));
    assert!(is_allowed("a/b", &["*/*".to_owned()]) && !is_allowed("a/b", &[]));
}

#[test]
fn text_is_checked_across_pieces() {
    let text = "aä日🎉".as_bytes();
    for cut in 0..text.len() {
        let mut check = TextCheck::default();
        check.update(&text[..cut]);
        check.update(&text[cut..]);
        assert!(check.passed(), "{cut}");
    }
    for broken in [b"a\x00b".as_slice(), b"\xff", b"\xe6\x97"] {
        let mut check = TextCheck::default();
        check.update(broken);
        assert!(!check.passed(), "{broken:?}");
    }
}
