use reqwest::Method;
use serde_json::{Value, json};

use super::download::on_disk;
use super::upload::PNG;
use crate::harness::{Backend, Form, TestApp, address, eventually, open};

crate::both![
    values_and_files_come_in_one_request,
    files_are_added_and_taken_out,
    refused_records_take_their_files_with_them,
    batches_take_files,
    records_name_uploads_that_their_author_may_name,
    descriptions_say_what_the_server_knows,
    files_of_elsewhere_are_kept_as_they_are,
    appending_at_once_loses_nothing,
];

/// A server with a collection of posts: a title, a cover, and up to three photos.
async fn app(backend: Backend) -> TestApp {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "title", "type": "text", "required": true},
        {"name": "stars", "type": "number"},
        {"name": "cover", "type": "file", "options": {"mime_types": ["image/*"], "max_size": 1000}},
        {"name": "photos", "type": "file", "options": {"max_select": 3}},
    ]);
    app.collection("posts", &fields, &open()).await;
    app
}

fn names(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap();
    list.iter()
        .map(|file| file["filename"].as_str().unwrap())
        .collect()
}

async fn values_and_files_come_in_one_request(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let form = Form::new()
        .with_text("title", "Sunset")
        .with_text("stars", "4.5")
        .with_file("cover", "c.png", "image/png", PNG)
        .with_file("photos", "a.txt", "text/plain", b"a")
        .with_file("photos", "b.txt", "text/plain", b"b");
    let post = user
        .send_form(Method::POST, "/records/posts", form)
        .await
        .ok(201);
    assert_eq!(
        (&post["title"], &post["stars"]),
        (&json!("Sunset"), &json!(4.5))
    );
    assert_eq!(
        (&post["cover"]["filename"], &post["cover"]["mime_type"]),
        (&json!("c.png"), &json!("image/png"))
    );
    assert_eq!(names(&post["photos"]), ["a.txt", "b.txt"]);
    assert_eq!(user.get(&address(&post["photos"][1])).await.text, "b");
    let listed = user.get("/files").await.ok(200);
    assert!(
        listed["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|file| file["uses"] == 1),
        "{listed}"
    );
    // An input of a page in which nothing was chosen, and JSON in a part of its own.
    let form = Form::new()
        .with_text("@jsonPayload", r#"{"title": "From JSON", "stars": 1}"#)
        .with_file("cover", "", "application/octet-stream", b"");
    let post = user
        .send_form(Method::POST, "/records/posts", form)
        .await
        .ok(201);
    assert_eq!(
        (&post["title"], &post["cover"]),
        (&json!("From JSON"), &Value::Null)
    );
    let visitor = app.visitor_of(&user);
    let form = Form::new().with_text("title", "Anonymous").with_file(
        "photos",
        "v.txt",
        "text/plain",
        b"v",
    );
    let post = visitor
        .send_form(Method::POST, "/records/posts", form)
        .await
        .ok(201);
    assert_eq!(visitor.get(&address(&post["photos"][0])).await.text, "v");
}

async fn files_are_added_and_taken_out(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let file =
        |name: &str, part: &str| Form::new().with_file(part, name, "text/plain", name.as_bytes());
    let form = file("a", "photos").with_text("title", "t");
    let post = user
        .send_form(Method::POST, "/records/posts", form)
        .await
        .ok(201);
    let path = format!("/records/posts/{}", post["id"].as_str().unwrap());
    let changed = user
        .send_form(Method::PATCH, &path, file("b", "photos+"))
        .await
        .ok(200);
    assert_eq!(names(&changed["photos"]), ["a", "b"]);
    let changed = user
        .send_form(
            Method::PATCH,
            &path,
            file("c", "+photos").with_text("photos-", "b"),
        )
        .await
        .ok(200);
    assert_eq!(names(&changed["photos"]), ["c", "a"]);
    let more = user.upload_text("d").await;
    let changed = user
        .patch(
            &path,
            &json!({"photos+": more, "photos-": [changed["photos"][1]["path"]]}),
        )
        .await
        .ok(200);
    assert_eq!(names(&changed["photos"]), ["c", "note.txt"]);
    let form = file("x", "photos+").with_file("photos+", "y", "text/plain", b"y");
    let refused = user.send_form(Method::PATCH, &path, form).await;
    refused.problems(&[("photos", "too_many_files")]);
    let changed = user
        .send_form(Method::PATCH, &path, file("z", "photos"))
        .await
        .ok(200);
    assert_eq!(names(&changed["photos"]), ["z"]);
    let changed = user.patch(&path, &json!({"photos": []})).await.ok(200);
    assert_eq!(changed["photos"], json!([]));
    user.patch(&path, &json!({"title+": "x"}))
        .await
        .refused(400, "title+");
}

async fn refused_records_take_their_files_with_them(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let file = || Form::new().with_file("photos", "a.txt", "text/plain", b"a");
    let text = "text/plain";
    for (form, field, code) in [
        (file(), "title", "required_missing"),
        (
            file().with_text("title", "t").with_text("nope", "x"),
            "nope",
            "unknown_field",
        ),
        (
            file()
                .with_text("title", "t")
                .with_file("nope", "n", text, b"n"),
            "nope",
            "unknown_field",
        ),
        (
            file().with_file("title", "n", text, b"n"),
            "title",
            "not_a_file_field",
        ),
        (
            file()
                .with_text("title", "t")
                .with_file("cover", "c.txt", text, b"c"),
            "cover",
            "file_type_not_allowed",
        ),
        (
            file().with_text("title", "t").with_file(
                "cover",
                "c.png",
                "image/png",
                &[PNG, &[0; 1000]].concat(),
            ),
            "cover",
            "file_too_large",
        ),
        (
            file()
                .with_file("photos", "b", text, b"b")
                .with_file("photos", "c", text, b"c")
                .with_file("photos", "d", text, b"d"),
            "photos",
            "too_many_files",
        ),
        (
            file()
                .with_text("title", "t")
                .with_text("@jsonPayload", "{"),
            "@jsonPayload",
            "invalid_json",
        ),
    ] {
        let refused = user.send_form(Method::POST, "/records/posts", form).await;
        refused.problems(&[(field, code)]);
    }
    user.send_form(Method::POST, "/records/nowhere", file())
        .await
        .refused(404, "nowhere");
    let request = user
        .request(Method::POST, "/records/posts")
        .header("content-type", Form::content_type());
    user.send(request.body(file().unfinished()))
        .await
        .refused(400, "multipart/form-data");
    eventually("nothing is left", async || {
        user.get("/files").await.ok(200)["total"] == 0
    })
    .await;
    assert_eq!(user.get("/records/posts").await.ok(200)["total"], 0);
    app.rules("posts", &json!({"create_rule": Value::Null}))
        .await;
    user.send_form(
        Method::POST,
        "/records/posts",
        file().with_text("title", "t"),
    )
    .await
    .refused(403, "");
    assert_eq!(user.get("/files").await.ok(200)["total"], 0);
}

async fn batches_take_files(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let form = Form::new()
        .with_text(
            "@jsonPayload",
            r#"{"records": [{"title": "one"}, {"title": "two"}]}"#,
        )
        .with_file("records.1.photos", "a", "text/plain", b"a")
        .with_file("records.1.photos", "b", "text/plain", b"b")
        .with_file("records.0.cover", "c.png", "image/png", PNG);
    let created = user
        .send_form(Method::POST, "/records/posts/batch", form)
        .await
        .ok(201);
    let posts = &created["created"];
    assert_eq!(posts[0]["cover"]["filename"], "c.png");
    assert_eq!(names(&posts[1]["photos"]), ["a", "b"]);
    let payload =
        json!({"records": [{"id": posts[0]["id"], "data": {"title": "new"}}]}).to_string();
    let form = Form::new().with_text("@jsonPayload", &payload).with_file(
        "records.0.photos",
        "d",
        "text/plain",
        b"d",
    );
    let updated = user
        .send_form(Method::PATCH, "/records/posts/batch", form)
        .await
        .ok(200);
    assert_eq!(names(&updated["updated"][0]["photos"]), ["d"]);
    for (part, field) in [
        ("records.7.photos", "records"),
        ("photos", "photos"),
        ("records.x.photos", "records.x.photos"),
    ] {
        let form = Form::new()
            .with_text("@jsonPayload", r#"{"records": [{"title": "one"}]}"#)
            .with_file(part, "a", "text/plain", b"a");
        let refused = user
            .send_form(Method::POST, "/records/posts/batch", form)
            .await
            .refused(400, "");
        assert_eq!(refused["details"][0]["field"], field);
    }
    let form = Form::new().with_text("records", "x");
    user.send_form(Method::POST, "/records/posts/batch", form)
        .await
        .refused(422, "records");
}

async fn records_name_uploads_that_their_author_may_name(backend: Backend) {
    let app = app(backend).await;
    let (user, stranger) = (app.register().await, app.register().await);
    let colleague = app.colleague_of(&user).await;
    let file = user.upload_text("words").await;
    let naming = |file: &Value| json!({"title": "t", "photos": [file]});
    for client in [&colleague, &stranger] {
        let refused = client.post("/records/posts", &naming(&file)).await;
        refused.problems(&[("photos", "file_not_found")]);
    }
    let id = user.create_id("posts", &naming(&file)).await;
    // Who sees it may name it as well, and the record may keep it whoever changes it.
    colleague.create("posts", &naming(&file)).await;
    let keep = json!({"title": "kept", "photos": [file]});
    colleague
        .put(&format!("/records/posts/{id}"), &keep)
        .await
        .ok(200);
    stranger
        .post("/records/posts", &naming(&file))
        .await
        .problems(&[("photos", "file_not_found")]);
    let mut invented = file.clone();
    invented["path"] = format!("{}/{}.txt", user.account_id, user.id).into();
    user.post("/records/posts", &naming(&invented))
        .await
        .problems(&[("photos", "file_not_found")]);
    let gone = user.upload_text("gone").await;
    user.delete(&address(&gone)).await.ok(204);
    user.post("/records/posts", &naming(&gone))
        .await
        .problems(&[("photos", "file_not_found")]);
    app.admin
        .post(
            "/records/posts",
            &json!({"title": "t", "photos": [file], "account_id": user.account_id}),
        )
        .await
        .ok(201);
    app.admin
        .post("/records/posts", &naming(&file))
        .await
        .problems(&[("photos", "file_not_found")]);
}

async fn descriptions_say_what_the_server_knows(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    let mut file = user.upload_text("words").await;
    file["size"] = json!(1);
    file["mime_type"] = json!("image/png");
    file["filename"] = json!("renamed.txt");
    let post = user
        .create("posts", &json!({"title": "t", "photos": file.to_string()}))
        .await;
    let stored = &post["photos"][0];
    assert_eq!(
        (&stored["size"], &stored["mime_type"]),
        (&json!(5), &json!("text/plain"))
    );
    assert_eq!(stored["filename"], "renamed.txt");
    // What the field takes is held against the file, not against what is said of it.
    let refused = user
        .post("/records/posts", &json!({"title": "t", "cover": file}))
        .await;
    refused.problems(&[("cover", "file_type_not_allowed")]);
    let two = json!({"title": "t", "cover": [file, file]});
    user.post("/records/posts", &two)
        .await
        .refused(400, "cover");
    let four = json!({"title": "t", "photos": [file, file, file, file]});
    user.post("/records/posts", &four)
        .await
        .problems(&[("photos", "too_many_files")]);
    for wrong in [json!(5), json!("x"), json!([5]), json!([{"path": "a"}])] {
        user.post("/records/posts", &json!({"title": "t", "photos": wrong}))
            .await
            .refused(400, "photos");
    }
}

async fn files_of_elsewhere_are_kept_as_they_are(backend: Backend) {
    let app = app(backend).await;
    let user = app.register().await;
    for path in [
        "https://cdn.example.com/a.png",
        "../../secrets.toml",
        "a/b.txt",
    ] {
        let file = json!({"filename": "a", "size": 7, "mime_type": "x/y", "path": path});
        let post = user
            .create("posts", &json!({"title": "t", "photos": [file]}))
            .await;
        assert_eq!(post["photos"][0], file);
        let refused = user
            .post("/records/posts", &json!({"title": "t", "cover": file}))
            .await;
        refused.problems(&[("cover", "file_not_found")]);
    }
    assert!(!on_disk(&app, &json!({"path": "a/b.txt"})));
}

async fn appending_at_once_loses_nothing(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "photos", "type": "file", "options": {"max_select": 100}}]);
    app.collection("posts", &fields, &open()).await;
    let user = app.register().await;
    let id = user.create_id("posts", &json!({})).await;
    let mut tasks = Vec::new();
    for number in 0..8 {
        let (user, path) = (user.clone(), format!("/records/posts/{id}"));
        tasks.push(tokio::spawn(async move {
            let mut added = 0;
            for round in 0..3 {
                let file = user.upload_text(&format!("{number} {round}")).await;
                let answer = user.patch(&path, &json!({"photos+": file})).await;
                assert!([200, 404, 409].contains(&answer.status), "{}", answer.text);
                added += usize::from(answer.status == 200);
            }
            added
        }));
    }
    let mut added = 0;
    for task in tasks {
        added += task.await.unwrap();
    }
    let post = user.get(&format!("/records/posts/{id}")).await.ok(200);
    assert_eq!(post["photos"].as_array().unwrap().len(), added);
    assert!(added >= 8, "{added}");
}
