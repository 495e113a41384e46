use futures_util::stream;

use super::*;

/// A reader of a body that comes in pieces of so many bytes.
fn reader(body: &[u8], piece: usize) -> Multipart {
    let pieces: Vec<std::io::Result<Bytes>> = body
        .chunks(piece.max(1))
        .map(|piece| Ok(Bytes::copy_from_slice(piece)))
        .collect();
    let body = Body::from_stream(stream::iter(pieces));
    Multipart::new(body, "b", Duration::from_secs(5))
}

/// The parts: name, file name, bytes.
async fn parts(mut form: Multipart) -> Result<Vec<(String, Option<String>, Vec<u8>)>> {
    let mut parts = Vec::new();
    while let Some(head) = form.next_part().await? {
        let mut bytes = Vec::new();
        while let Some(chunk) = form.next_chunk().await? {
            bytes.extend_from_slice(&chunk);
        }
        parts.push((head.name, head.file_name, bytes));
    }
    Ok(parts)
}

const FORM: &[u8] = b"preamble\r\n--b\r\nContent-Disposition: form-data; name=\"t\"\r\n\r\nwords\r\n--b  \r\n\
    content-type: text/plain\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n\
    \r\n--Bogus\r\n--\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"e\"; filename=\"\"\r\n\r\n\r\n--b--\r\nepilogue";

#[tokio::test]
async fn a_form_is_read_alike_in_pieces_of_any_size() {
    for piece in 1..=FORM.len() {
        let read = parts(reader(FORM, piece)).await.unwrap();
        let expected = [
            ("t".to_owned(), None, b"words".to_vec()),
            (
                "f".to_owned(),
                Some("x".to_owned()),
                b"\r\n--Bogus\r\n--\r\n".to_vec(),
            ),
            ("e".to_owned(), Some(String::new()), Vec::new()),
        ];
        assert_eq!(read, expected, "{piece}");
    }
}

#[tokio::test]
async fn parts_are_passed_over() {
    let mut form = reader(FORM, 7);
    let mut names = Vec::new();
    while let Some(head) = form.next_part().await.unwrap() {
        names.push(head.name);
    }
    assert_eq!(names, ["t", "f", "e"]);
    assert_eq!(form.next_part().await.unwrap(), None);
    assert_eq!(form.next_chunk().await.unwrap(), None);
}

#[tokio::test]
async fn what_is_no_form_is_refused() {
    let long = format!("--b\r\nX: {}\r\n\r\n", "x".repeat(10_000));
    let endless = format!("--b\r\nX: {}", "x".repeat(100_000));
    let preamble = "x".repeat(100_000);
    let many = "--b\r\n\r\n\r\n".repeat(1001) + "--b--";
    for body in [
        "",
        "words",
        "--b",
        "--b\r\n",
        "--b\r\n\r\nwords",
        "--bx\r\n\r\n\r\n--b--",
        "--b\r\n\r\nwords\r\n--b",
        &long,
        &endless,
        &preamble,
        &many,
    ] {
        for piece in [1, 1000] {
            let refused = parts(reader(body.as_bytes(), piece)).await;
            let shown = &body[..body.len().min(40)];
            assert!(
                matches!(refused, Err(Error::Refused { .. })),
                "{shown:?}: {refused:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_pause_ends_the_reading() {
    let body = Body::from_stream(stream::pending::<std::io::Result<Bytes>>());
    let mut form = Multipart::new(body, "b", Duration::from_millis(1));
    assert!(matches!(form.next_part().await, Err(Error::Refused { .. })));
}

#[test]
fn boundaries_are_read() {
    let read = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, text.parse().unwrap());
        boundary(&headers).ok()
    };
    let found = |text: &str| Some(Some(text.to_owned()));
    assert_eq!(read("multipart/form-data; boundary=abc"), found("abc"));
    assert_eq!(
        read("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""),
        found("a b")
    );
    assert_eq!(read("application/json"), Some(None));
    for refused in ["multipart/form-data", "multipart/form-data; boundary="] {
        assert_eq!(read(refused), None, "{refused}");
    }
    assert_eq!(
        read(&format!("multipart/form-data; boundary={}", "x".repeat(71))),
        None
    );
}
