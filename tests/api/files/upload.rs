use reqwest::Method;
use serde_json::json;

use crate::harness::{Backend, Form, TestApp, address};

crate::both![
    a_file_is_described_and_handed_out,
    types_are_found_in_the_bytes,
    what_is_not_taken_is_refused_with_the_limit,
    an_account_has_so_many_bytes_of_files,
    large_files_are_taken_in_blocks,
    the_library_lists_files,
];

/// The smallest PNG that there is: one pixel.
pub const PNG: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0,
    1, 0, 0, 0, 1, 8, 6, 0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 10, b'I', b'D', b'A', b'T',
    0x78, 0x9c, 0x63, 0, 1, 0, 0, 5, 0, 1, 0x0d, 0x0a, 0x2d, 0xb4, 0, 0, 0, 0, b'I', b'E', b'N',
    b'D', 0xae, 0x42, 0x60, 0x82,
];

async fn a_file_is_described_and_handed_out(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let uploaded = user
        .upload("hello.txt", "text/plain", b"hello file")
        .await
        .ok(201);
    assert_eq!(uploaded["success"], true);
    assert_eq!(uploaded["message"], "File uploaded successfully");
    let file = &uploaded["file"];
    let path = file["path"].as_str().unwrap();
    let expected =
        json!({"filename": "hello.txt", "size": 10, "mime_type": "text/plain", "path": path});
    assert_eq!(*file, expected);
    let (account, name) = path.split_once('/').unwrap();
    assert_eq!(account, user.account_id);
    assert!(name.len() == 40 && &name[36..] == ".txt", "{name}");
    let answer = user.get(&address(file)).await;
    assert_eq!((answer.status, answer.text.as_str()), (200, "hello file"));
    let header = |name: &str| answer.headers[name].to_str().unwrap();
    assert_eq!(
        header("content-disposition"),
        "attachment; filename=\"hello.txt\""
    );
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("content-security-policy").contains("sandbox"));
    assert_eq!(header("cache-control"), "private, no-cache");
}

async fn types_are_found_in_the_bytes(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    for (name, kind, bytes, expected) in [
        ("a.png", "image/png", PNG, "image/png"),
        ("a.bin", "application/octet-stream", PNG, "image/png"),
        ("a", "", PNG, "image/png"),
        (
            "a.json",
            "application/json",
            b"{}".as_slice(),
            "application/json",
        ),
        ("a.csv", "text/csv; charset=utf-8", b"a,b\n", "text/csv"),
        ("empty.txt", "text/plain", b"", "text/plain"),
    ] {
        let answer = user.upload(name, kind, bytes).await.ok(201);
        let file = &answer["file"];
        assert_eq!(file["mime_type"], expected, "{name} as '{kind}'");
        assert_eq!(file["size"], bytes.len());
        let read = user.get(&address(file)).await;
        assert_eq!(read.status, 200);
        assert_eq!(
            read.headers["content-length"].to_str().unwrap(),
            bytes.len().to_string()
        );
    }
}

async fn what_is_not_taken_is_refused_with_the_limit(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.max_bytes = 1000).await;
    let user = app.register().await;
    for (name, kind, bytes, code, part) in [
        (
            "x.exe",
            "application/x-msdownload",
            b"MZ\r\n".as_slice(),
            "file_type_not_allowed",
            "image/jpeg",
        ),
        (
            "x.png",
            "image/png",
            b"words",
            "file_type_mismatch",
            "image/png",
        ),
        (
            "x.jpg",
            "image/jpeg",
            PNG,
            "file_type_mismatch",
            "it is image/png",
        ),
        (
            "x.svg",
            "",
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
            "file_type_not_allowed",
            "image/svg+xml",
        ),
        ("x.txt", "text/plain", b"a\x00b", "file_not_text", "UTF-8"),
        ("x.txt", "text/plain", b"\xff\xfe", "file_not_text", "UTF-8"),
        (
            "x.bin",
            "",
            b"\x00\x01\x02",
            "file_type_not_allowed",
            "octet-stream",
        ),
        (
            "x.txt",
            "text/plain",
            &[b'a'; 1001],
            "file_too_large",
            "1000 bytes",
        ),
    ] {
        let answer = user.upload(name, kind, bytes).await;
        assert!(answer.text.contains(part), "{}", answer.text);
        answer.problems(&[("file", code)]);
    }
    user.upload("x.txt", "text/plain", &[b'a'; 1000])
        .await
        .ok(201);
    let listed = user.get("/files").await.ok(200);
    assert_eq!(
        (&listed["total"], &listed["used_bytes"]),
        (&json!(1), &json!(1000))
    );
    let nothing = user.send_form(
        Method::POST,
        "/files/upload",
        Form::new().with_text("other", "x"),
    );
    assert_eq!(
        nothing.await.ok(422)["detail"][0]["loc"],
        json!(["body", "file"])
    );
    let text = user.send_form(
        Method::POST,
        "/files/upload",
        Form::new().with_text("file", "x"),
    );
    assert_eq!(
        text.await.ok(422)["detail"][0]["loc"],
        json!(["body", "file"])
    );
    user.post("/files/upload", &json!({}))
        .await
        .refused(422, "file");
    let form =
        Form::file("a.txt", "text/plain", b"a").with_file("file", "b.txt", "text/plain", b"b");
    let two = user.send_form(Method::POST, "/files/upload", form).await;
    two.problems(&[("file", "too_many_files")]);
    assert_eq!(user.get("/files").await.ok(200)["total"], 1);
    app.anonymous()
        .upload("a.txt", "text/plain", b"a")
        .await
        .refused(401, "");
}

async fn an_account_has_so_many_bytes_of_files(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.account_bytes = 100).await;
    let (user, other) = (app.register().await, app.register().await);
    let file = user
        .upload("a.txt", "text/plain", &[b'a'; 60])
        .await
        .ok(201)["file"]
        .clone();
    let refused = user
        .upload("b.txt", "text/plain", &[b'b'; 41])
        .await
        .refused(403, "100 bytes");
    assert_eq!(
        (&refused["quota"], &refused["limit"]),
        (&json!("file_bytes"), &json!(100))
    );
    user.upload("c.txt", "text/plain", &[b'c'; 40])
        .await
        .ok(201);
    user.upload("d.txt", "text/plain", b"d")
        .await
        .refused(403, "100 bytes");
    other
        .upload("a.txt", "text/plain", &[b'a'; 100])
        .await
        .ok(201);
    user.delete(&address(&file)).await.ok(204);
    user.upload("e.txt", "text/plain", &[b'e'; 60])
        .await
        .ok(201);
    assert_eq!(user.get("/files").await.ok(200)["used_bytes"], 100);
}

async fn large_files_are_taken_in_blocks(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let lines: Vec<String> = (0..400_000)
        .map(|number| format!("{number:09}\n"))
        .collect();
    let text = lines.concat();
    let file = user.upload_text(&text).await;
    assert_eq!(file["size"], 4_000_000);
    let read = user.get(&address(&file)).await;
    assert!(read.text == text);
    let part = user
        .request(Method::GET, &address(&file))
        .header("range", "bytes=3999990-");
    assert_eq!(user.send(part).await.text, "000399999\n");
}

async fn the_library_lists_files(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let (colleague, other) = (app.colleague_of(&user).await, app.register().await);
    for (client, name) in [
        (&user, "one.txt"),
        (&user, "Two_%.txt"),
        (&colleague, "three.txt"),
    ] {
        client.upload(name, "text/plain", b"x").await.ok(201);
    }
    let names = |list: &serde_json::Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap();
        items
            .iter()
            .map(|file| file["filename"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = user.get("/files").await.ok(200);
    assert_eq!(names(&all), ["three.txt", "Two_%.txt", "one.txt"]);
    assert_eq!((&all["total"], &all["used_bytes"]), (&json!(3), &json!(3)));
    let first = &all["items"][0];
    assert_eq!(
        (&first["uses"], &first["uploaded_by"]),
        (&json!(0), &json!(colleague.id))
    );
    assert!(first["unclaimed_since"].is_string() && first["sha256"].as_str().unwrap().len() == 64);
    assert_eq!(names(&colleague.get("/files").await.ok(200)), ["three.txt"]);
    assert_eq!(
        names(&user.get("/files?skip=1&limit=1").await.ok(200)),
        ["Two_%.txt"]
    );
    assert_eq!(
        names(&user.query("/files", &[("search", "O_%")]).await.ok(200)),
        ["Two_%.txt"]
    );
    assert!(names(&other.get("/files").await.ok(200)).is_empty());
    let of_other = format!("/files?account_id={}", user.account_id);
    other.get(&of_other).await.refused(403, "");
    assert_eq!(app.admin.get(&of_other).await.ok(200)["total"], 3);
    user.get("/files?limit=0").await.refused(422, "limit");
    user.get("/files?serch=x").await.refused(400, "search");
    app.anonymous().get("/files").await.refused(401, "");
}
