use reqwest::Method;

use super::{healthy, start};
use crate::harness::{Backend, Sse, raw};

crate::both![bad_tokens_of_many_shapes_are_401, bytes_that_are_no_text_are_refused,];

async fn bad_tokens_of_many_shapes_are_401(backend: Backend) {
    let (app, user) = start(backend).await;
    let long = "x".repeat(7000);
    let dotted = ".".repeat(1000);
    let halves = user.token.split_once('.').unwrap();
    let tokens = [
        "x",
        "..",
        "a.b.c",
        "eyJ.eyJ.x",
        "null",
        "undefined",
        "\u{e9}",
        "sb_",
        "sb_ak.",
        "sb_ak..",
        "sb_ak.e30.e30",
        "sb_sk_AB1234_x",
        "sb_pt.a.b",
        "sb_ot.a.b",
        "sb_jwt.a.b",
        "' OR 1=1 --",
        "%00",
        "😀",
        &long,
        &dotted,
        halves.0,
        halves.1,
        &user.token[1..],
        &user.refresh_token,
    ];
    for token in tokens {
        let (method, body) = (Method::GET, Vec::new());
        for header in [format!("authorization: Bearer {token}\r\n"), format!("x-api-key: {token}\r\n")] {
            let (status, text) =
                raw::request(&app.base, method.as_str(), b"/api/v1/auth/me", header.as_bytes(), &body).await;
            assert_eq!(status, 401, "{header}: {text}");
        }
    }
    let (status, _) =
        raw::request(&app.base, "GET", b"/api/v1/auth/me", b"authorization: Bearer \xff\xfe\r\n", b"").await;
    assert_eq!(status, 401);
    healthy(&app, &user).await;
}

async fn bytes_that_are_no_text_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let token = format!("authorization: Bearer {}\r\n", user.token);
    let targets: &[&[u8]] = &[
        b"/api/v1/records/%ff",
        b"/api/v1/records/items/%ff%fe",
        b"/api/v1/records/%c3%28",
        b"/api/v1/collections/%ff",
        b"/api/v1/records/items?filter=%ff",
        b"/api/v1/records/items?%ff=1",
        b"/api/v1/records/items?cursor=%ff",
        b"/api/v1/records/items?limit=%ff",
        b"/api/v1/records/items?filter=%00",
        b"/api/v1/records/items?filter=%",
        b"/api/v1/records/\xff\xfe",
        b"/api/v1/records/items?filter=\xff",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/admin/%2e%2e/%2e%2e/etc/passwd",
        b"*",
        b"//",
        b"/api/v1//records",
        b"http://[::1/x",
    ];
    for target in targets {
        let (status, text) = raw::request(&app.base, "GET", target, token.as_bytes(), b"").await;
        let shown = String::from_utf8_lossy(target);
        // Zero means that the server hung up.
        assert!(status < 500, "{shown}: {text}");
    }
    Sse::open(&user, "?collection=%ff%00&collections=%ff:%00&since=%ff").await;
    let long = vec![b'a'; 100_000];
    let (status, _) = raw::request(&app.base, "GET", &[b"/".as_slice(), &long].concat(), b"", b"").await;
    assert!(status < 500);
    for garbage in [
        b"\0\0\0\0\r\n\r\n".as_slice(),
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let (status, _) = raw::exchange(&app.base, &[garbage, b"\r\n\r\n"].concat()).await;
        assert!(status < 500);
    }
    healthy(&app, &user).await;
}
