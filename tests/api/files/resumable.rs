use reqwest::Method;
use serde_json::json;

use super::upload::PNG;
use crate::harness::{Answer, Backend, TestApp, User, eventually};

crate::both![
    an_upload_goes_on_where_it_stopped,
    what_is_refused_is_refused_at_the_beginning_or_the_end,
    uploads_belong_to_who_began_them,
    uploads_that_nobody_goes_on_with_go,
    of_two_at_the_same_place_one_goes_on,
];

async fn tus(
    user: &User,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Answer {
    let mut request = user.request(method, path).header("tus-resumable", "1.0.0");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    user.send(request.body(body.to_vec())).await
}

const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

/// Begins an upload and returns its path.
async fn begin(user: &User, length: usize, metadata: &str) -> String {
    let length = length.to_string();
    let headers = [
        ("upload-length", length.as_str()),
        ("upload-metadata", metadata),
    ];
    let answer = tus(user, Method::POST, "/files/resumable", &headers, b"").await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let location = answer.headers["location"].to_str().unwrap();
    location.strip_prefix("/api/v1").unwrap().to_owned()
}

async fn append(user: &User, path: &str, offset: usize, body: &[u8]) -> Answer {
    let offset = offset.to_string();
    tus(
        user,
        Method::PATCH,
        path,
        &[BYTES, ("upload-offset", &offset)],
        body,
    )
    .await
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer
        .headers
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

/// `note.txt` and `text/plain`.
const TEXT: &str = "filename bm90ZS50eHQ=,filetype dGV4dC9wbGFpbg==,draft";

async fn an_upload_goes_on_where_it_stopped(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = begin(&user, 11, TEXT).await;
    let answer = append(&user, &path, 0, b"hello ").await;
    assert_eq!(
        (answer.status, header(&answer, "upload-offset")),
        (204, "6")
    );
    assert_eq!(header(&answer, "tus-resumable"), "1.0.0");
    assert_eq!(append(&user, &path, 0, b"hello ").await.status, 409);
    let head = tus(&user, Method::HEAD, &path, &[], b"").await;
    let said = ["upload-offset", "upload-length", "cache-control"].map(|name| header(&head, name));
    assert_eq!(said, ["6", "11", "no-store"]);
    assert_eq!(user.get("/files").await.ok(200)["total"], 0);
    let answer = append(&user, &path, 6, b"world").await;
    assert_eq!(
        (answer.status, header(&answer, "upload-offset")),
        (204, "11")
    );
    let file = header(&answer, "x-file-path").to_owned();
    let read = user.get(&format!("/files/{file}")).await;
    assert_eq!(read.text, "hello world");
    assert_eq!(
        header(&read, "content-disposition"),
        "attachment; filename=\"note.txt\""
    );
    let head = tus(&user, Method::HEAD, &path, &[], b"").await;
    assert_eq!(header(&head, "x-file-path"), file);
    assert_eq!(append(&user, &path, 11, b"!").await.status, 409);
    // The first bytes may come with the beginning, also all of them, and also none.
    let headers = [("upload-length", "5"), ("upload-metadata", TEXT), BYTES];
    let whole = tus(&user, Method::POST, "/files/resumable", &headers, b"words").await;
    assert_eq!((whole.status, header(&whole, "upload-offset")), (201, "5"));
    assert!(!header(&whole, "x-file-path").is_empty());
    let headers = [("upload-length", "0"), ("upload-metadata", TEXT)];
    let empty = tus(&user, Method::POST, "/files/resumable", &headers, b"").await;
    assert!(!header(&empty, "x-file-path").is_empty());
    let abilities = tus(&user, Method::OPTIONS, "/files/resumable", &[], b"").await;
    assert_eq!(header(&abilities, "tus-version"), "1.0.0");
    assert!(header(&abilities, "tus-extension").contains("termination"));
    assert_eq!(
        header(&abilities, "tus-max-size"),
        (10 * 1024 * 1024).to_string()
    );
}

async fn what_is_refused_is_refused_at_the_beginning_or_the_end(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.max_bytes = 1000).await;
    let user = app.register().await;
    let exe = "filename eC5leGU=,filetype YXBwbGljYXRpb24veC1tc2Rvd25sb2Fk";
    for (headers, field) in [
        (vec![("upload-length", "1001")], "file"),
        (vec![("upload-length", "-1")], "upload-length"),
        (vec![("upload-length", "many")], "upload-length"),
        (vec![], "upload-length"),
        (
            vec![("upload-length", "5"), ("upload-metadata", exe)],
            "file",
        ),
        (
            vec![("upload-length", "5"), ("upload-metadata", "filename ???")],
            "upload-metadata",
        ),
    ] {
        let answer = tus(&user, Method::POST, "/files/resumable", &headers, b"").await;
        assert_eq!(
            answer.refused(400, "")["details"][0]["field"],
            field,
            "{headers:?}"
        );
    }
    let old = user
        .request(Method::POST, "/files/resumable")
        .header("upload-length", "5");
    assert_eq!(user.send(old).await.status, 412);
    // "image/png", and not one.
    let path = begin(&user, 5, "filetype aW1hZ2UvcG5n").await;
    append(&user, &path, 0, b"words")
        .await
        .problems(&[("file", "file_type_mismatch")]);
    assert_eq!(tus(&user, Method::HEAD, &path, &[], b"").await.status, 404);
    let path = begin(&user, 5, TEXT).await;
    append(&user, &path, 0, b"too many")
        .await
        .problems(&[("file", "file_too_large")]);
    let head = tus(&user, Method::HEAD, &path, &[], b"").await;
    assert_eq!(header(&head, "upload-offset"), "0");
    let offset = [("upload-offset", "0")];
    assert_eq!(
        tus(&user, Method::PATCH, &path, &offset, b"w").await.status,
        415
    );
    assert_eq!(user.get("/files").await.ok(200)["total"], 0);
    let path = begin(&user, PNG.len(), "filename YS5wbmc=").await;
    let done = append(&user, &path, 0, PNG).await;
    assert!(header(&done, "x-file-path").rsplit('.').next() == Some("png"));
}

async fn uploads_belong_to_who_began_them(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let (colleague, stranger) = (app.colleague_of(&user).await, app.register().await);
    let path = begin(&user, 5, TEXT).await;
    for other in [&colleague, &stranger] {
        assert_eq!(tus(other, Method::HEAD, &path, &[], b"").await.status, 404);
        assert_eq!(append(other, &path, 0, b"words").await.status, 404);
        assert_eq!(
            tus(other, Method::DELETE, &path, &[], b"").await.status,
            404
        );
    }
    append(&user, &path, 0, b"wo").await;
    assert_eq!(
        tus(&user, Method::DELETE, &path, &[], b"").await.status,
        204
    );
    assert_eq!(tus(&user, Method::HEAD, &path, &[], b"").await.status, 404);
    eventually("its pieces go", async || pieces(&app) == 0).await;
    let missing = format!("/files/resumable/{}", user.id);
    assert_eq!(append(&user, &missing, 0, b"x").await.status, 404);
}

/// Objects of uploads that are under way.
fn pieces(app: &TestApp) -> usize {
    let folder = app.database.folder().join("files/parts");
    let uploads = std::fs::read_dir(folder).into_iter().flatten();
    uploads
        .map(|upload| std::fs::read_dir(upload.unwrap().path()).unwrap().count())
        .sum()
}

async fn uploads_that_nobody_goes_on_with_go(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.unclaimed_seconds = 1).await;
    let user = app.register().await;
    let path = begin(&user, 5, TEXT).await;
    append(&user, &path, 0, b"wo").await;
    assert_eq!(pieces(&app), 1);
    eventually("it is removed", async || {
        app.services().files.sweep().await.unwrap();
        pieces(&app) == 0
    })
    .await;
    assert_eq!(append(&user, &path, 2, b"rds").await.status, 404);
}

async fn of_two_at_the_same_place_one_goes_on(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let user = app.register().await;
    let path = begin(&user, 6, TEXT).await;
    let (one, other) = tokio::join!(
        append(&user, &path, 0, b"aaa"),
        append(&user, &path, 0, b"bbb")
    );
    let mut statuses = [one.status, other.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 409]);
    let text = if one.status == 204 { "aaa" } else { "bbb" };
    let done = append(&user, &path, 3, b"ccc").await;
    let file = header(&done, "x-file-path").to_owned();
    assert_eq!(
        user.get(&format!("/files/{file}")).await.text,
        format!("{text}ccc")
    );
    assert_eq!(
        user.get("/files").await.ok(200)["items"][0]["size"],
        json!(6)
    );
}
