use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::harness::{Answer, Backend, Client, TestApp, address, open};

crate::both![
    parts_are_handed_out,
    conditions_are_looked_at,
    names_of_every_script_come_back,
    tokens_in_addresses_open_files,
    links_open_one_file,
    superadmins_look_into_accounts_with_a_token_only,
    the_cookie_opens_files,
    deleted_files_are_gone,
];

async fn ask(client: &Client, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = client.request(method, path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    client.send(request).await
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> &'h str {
    headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

async fn parts_are_handed_out(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = address(&user.upload_text("0123456789").await);
    for (range, status, text, part) in [
        ("bytes=0-3", 206, "0123", "bytes 0-3/10"),
        ("bytes=-3", 206, "789", "bytes 7-9/10"),
        ("bytes=-30", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=5-", 206, "56789", "bytes 5-9/10"),
        ("bytes=10-", 416, "", "bytes */10"),
        ("bytes=0-1,4-5", 200, "0123456789", ""),
        ("words=1-2", 200, "0123456789", ""),
    ] {
        let answer = ask(&user, Method::GET, &path, &[("range", range)]).await;
        assert_eq!(answer.status, status, "{range}");
        if status != 416 {
            assert_eq!(answer.text, text, "{range}");
            assert_eq!(
                header(&answer.headers, "content-length"),
                text.len().to_string()
            );
        }
        assert_eq!(header(&answer.headers, "content-range"), part, "{range}");
    }
    let head = ask(&user, Method::HEAD, &path, &[("range", "bytes=0-3")]).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
    assert_eq!(header(&head.headers, "content-length"), "10");
    assert_eq!(header(&head.headers, "accept-ranges"), "bytes");
    // Nothing is compressed on the way: a part would not fit.
    let long = address(&user.upload_text(&"a".repeat(5000)).await);
    let whole = ask(&user, Method::GET, &long, &[("accept-encoding", "gzip")]).await;
    assert_eq!(header(&whole.headers, "content-length"), "5000");
    assert_eq!(header(&whole.headers, "content-encoding"), "");
}

async fn conditions_are_looked_at(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = address(&user.upload_text("0123456789").await);
    let whole = user.get(&path).await;
    let etag = header(&whole.headers, "etag");
    let modified = header(&whole.headers, "last-modified");
    assert!(
        etag.starts_with('"') && modified.ends_with("GMT"),
        "{etag} {modified}"
    );
    let range = ("range", "bytes=0-0");
    for (headers, status) in [
        (vec![("if-none-match", etag)], 304),
        (vec![("if-modified-since", modified)], 304),
        (vec![("if-none-match", "\"other\"")], 200),
        (vec![("if-match", "\"other\"")], 412),
        (vec![range, ("if-range", etag)], 206),
        (vec![range, ("if-range", modified)], 206),
        (vec![range, ("if-range", "\"other\"")], 200),
        (
            vec![range, ("if-range", "Sun, 06 Nov 1994 08:49:37 GMT")],
            200,
        ),
    ] {
        let answer = ask(&user, Method::GET, &path, &headers).await;
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 304 {
            assert_eq!(header(&answer.headers, "etag"), etag);
            assert!(answer.text.is_empty());
        }
    }
    let again = user.upload_text("0123456789").await;
    let same = user.get(&address(&again)).await;
    assert_eq!(
        header(&same.headers, "etag"),
        etag,
        "the same bytes have the same tag"
    );
}

async fn names_of_every_script_come_back(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for (sent, stored, shown) in [
        (
            "日本 語.txt",
            "日本 語.txt",
            "filename*=UTF-8''%E6%97%A5%E6%9C%AC%20%E8%AA%9E.txt",
        ),
        (
            "a%22b.txt",
            "a\"b.txt",
            "filename=\"a_b.txt\"; filename*=UTF-8''a%22b.txt",
        ),
        ("../../etc/passwd", "passwd", "filename=\"passwd\""),
        (
            "x%0D%0ASet-Cookie: a=b.txt",
            "xSet-Cookie: a=b.txt",
            "filename=\"xSet-Cookie: a=b.txt\"",
        ),
        ("", "file", "filename=\"file\""),
    ] {
        let file = user.upload(sent, "text/plain", b"x").await.ok(201)["file"].clone();
        assert_eq!(file["filename"], stored, "{sent}");
        let answer = user.get(&format!("{}?inline=true", address(&file))).await;
        let disposition = header(&answer.headers, "content-disposition");
        assert!(
            disposition.starts_with("inline; ") && disposition.contains(shown),
            "{disposition}"
        );
        assert!(answer.headers.get("set-cookie").is_none());
    }
}

async fn tokens_in_addresses_open_files(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    let path = address(&user.upload_text("words").await);
    let anonymous = app.anonymous();
    anonymous.get(&path).await.refused(401, "");
    let jwt = anonymous.get(&format!("{path}?token={}", user.token)).await;
    assert_eq!((jwt.status, jwt.text.as_str()), (200, "words"));
    anonymous
        .get(&format!("{path}?token=x.y.z"))
        .await
        .refused(401, "");
    anonymous
        .get(&format!("{path}?token=sbf_x.y"))
        .await
        .refused(401, "");
    let token = user.post("/files/token", &json!({})).await.ok(201)["token"].clone();
    let token = token.as_str().unwrap();
    assert_eq!(
        anonymous.get(&format!("{path}?token={token}")).await.status,
        200
    );
    let of_other = address(&colleague.upload_text("mine").await);
    anonymous
        .get(&format!("{of_other}?token={token}"))
        .await
        .refused(403, "");
    // It is good for files alone.
    let elsewhere = anonymous.with_header("authorization", &format!("Bearer {token}"));
    elsewhere.get("/auth/me").await.refused(401, "");
    elsewhere.get(&path).await.refused(401, "");
}

async fn links_open_one_file(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let (file, other) = (
        user.upload_text("words").await,
        user.upload_text("others").await,
    );
    let wanted = json!({"path": file["path"], "expires_in": 3600});
    let link = user.post("/files/token", &wanted).await.ok(201);
    let url = link["url"].as_str().unwrap();
    let answer = app.anonymous().get(&format!("/{url}")).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "words"));
    let token = link["token"].as_str().unwrap();
    let elsewhere = format!("{}?token={token}", address(&other));
    app.anonymous()
        .get(&elsewhere)
        .await
        .refused(403, "another file");
    for wrong in [json!(0), json!(604_801), json!(-1)] {
        let wanted = json!({"path": file["path"], "expires_in": wrong});
        user.post("/files/token", &wanted)
            .await
            .refused(422, "expires_in");
    }
    let stranger = app.register().await;
    stranger
        .post("/files/token", &wanted)
        .await
        .refused(403, "account");
    let colleague = app.colleague_of(&user).await;
    colleague
        .post("/files/token", &wanted)
        .await
        .refused(403, "");
}

async fn superadmins_look_into_accounts_with_a_token_only(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = address(&user.upload_text("words").await);
    app.admin.get(&path).await.refused(403, "account");
    let token = app.admin.post("/files/token", &json!({})).await.ok(201)["token"].clone();
    let with_token = format!("{path}?token={}", token.as_str().unwrap());
    assert_eq!(app.anonymous().get(&with_token).await.text, "words");
    let own = address(&app.admin.upload_text("of the system").await);
    assert_eq!(app.admin.get(&own).await.text, "of the system");
    user.get(&own).await.refused(403, "account");
    app.admin.delete(&path).await.ok(204);
    user.get(&path).await.refused(404, "");
}

async fn the_cookie_opens_files(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = address(&user.upload_text("words").await);
    let answer = user.post("/files/token", &json!({"cookie": true})).await;
    let cookie = header(&answer.headers, "set-cookie").to_owned();
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Path=/api/v1/files"),
        "{cookie}"
    );
    let value = cookie.split(';').next().unwrap();
    let with_cookie = app
        .anonymous()
        .with_header("cookie", &format!("a=b; {value}"));
    assert_eq!(with_cookie.get(&path).await.text, "words");
    let broken = app.anonymous().with_header("cookie", "snackbase_files=x");
    broken.get(&path).await.refused(401, "");
}

async fn deleted_files_are_gone(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection("posts", &json!([{"name": "f", "type": "file"}]), &open())
        .await;
    let user = app.register().await;
    let (colleague, stranger) = (app.colleague_of(&user).await, app.register().await);
    let file = colleague.upload_text("words").await;
    stranger
        .delete(&address(&file))
        .await
        .refused(403, "account");
    app.anonymous()
        .delete(&address(&file))
        .await
        .refused(401, "");
    let own = user.upload_text("of the admin").await;
    colleague
        .delete(&address(&own))
        .await
        .refused(403, "uploaded");
    let id = colleague.create_id("posts", &json!({"f": file})).await;
    user.delete(&address(&file)).await.refused(409, "Records");
    colleague
        .patch(&format!("/records/posts/{id}"), &json!({"f": Value::Null}))
        .await
        .ok(200);
    user.delete(&address(&file)).await.ok(204);
    colleague
        .get(&address(&file))
        .await
        .refused(404, "not found");
    user.delete(&address(&file)).await.refused(404, "");
    assert!(!on_disk(&app, &file));
    assert!(on_disk(&app, &own));
    let entries = app.admin.get("/audit-logs?table_name=files").await.ok(200);
    let operations: Vec<_> = entries["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["operation"])
        .collect();
    assert!(
        operations.contains(&&json!("DELETE")) && operations.contains(&&json!("CREATE")),
        "{entries}"
    );
}

/// Whether the local store has the bytes.
pub fn on_disk(app: &TestApp, description: &Value) -> bool {
    let path = description["path"].as_str().unwrap();
    app.database.folder().join("files").join(path).is_file()
}
