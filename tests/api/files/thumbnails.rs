use serde_json::json;

use super::download::on_disk;
use super::upload::PNG;
use crate::harness::{Backend, TestApp, address, eventually, open};

crate::both![
    pictures_have_thumbnails_of_named_sizes,
    what_cannot_be_made_smaller_is_refused,
];

async fn pictures_have_thumbnails_of_named_sizes(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.files.grace_seconds = 0).await;
    let fields = json!([{"name": "f", "type": "file", "options": {"thumbs": ["0x20", "10x30f"]}}]);
    app.collection("posts", &fields, &open()).await;
    let user = app.register().await;
    let file = user.upload("a.png", "image/png", PNG).await.ok(201)["file"].clone();
    let path = address(&file);
    let listed = user.get("/files").await.ok(200);
    assert_eq!(
        (&listed["items"][0]["width"], &listed["items"][0]["height"]),
        (&json!(1), &json!(1))
    );
    for size in ["100x100", "0x20", "10x30f"] {
        for _ in 0..2 {
            let answer = user.get(&format!("{path}?thumb={size}")).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            assert_eq!(
                answer.headers["content-type"].to_str().unwrap(),
                "image/png"
            );
            assert!(answer.headers["etag"].to_str().unwrap().contains(size));
        }
    }
    for size in ["50x50", "0x0", "x", "100x100f", "9999x9999", "../x"] {
        let answer = user.query(&path, &[("thumb", size)]).await;
        answer.problems(&[("thumb", "unknown_size")]);
    }
    app.anonymous()
        .get(&format!("{path}?thumb=100x100"))
        .await
        .refused(401, "");
    let kept = json!({"path": format!("thumbs/{}/0x20", file["path"].as_str().unwrap())});
    assert!(on_disk(&app, &kept));
    user.delete(&path).await.ok(204);
    eventually("its thumbnails go", async || !on_disk(&app, &kept)).await;
    user.get(&format!("{path}?thumb=0x20"))
        .await
        .refused(404, "");
}

async fn what_cannot_be_made_smaller_is_refused(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.files.thumb_max_bytes = 500;
        config.files.thumb_max_pixels = 1000;
    })
    .await;
    let user = app.register().await;
    // The header claims more pixels than are taken.
    let mut bomb = PNG.to_vec();
    bomb[16..24].copy_from_slice(&[0, 0, 0x7f, 0xff, 0, 0, 0x7f, 0xff]);
    let mut checksum = flate2::Crc::new();
    checksum.update(&bomb[12..29]);
    bomb[29..33].copy_from_slice(&checksum.sum().to_be_bytes());
    let large = [PNG, &[0; 600]].concat();
    let broken = &PNG[..40];
    for (kind, bytes, code) in [
        ("text/plain", b"words".as_slice(), "not_a_picture"),
        ("image/png", &bomb, "picture_too_large"),
        ("image/png", &large, "picture_too_large"),
        ("image/png", broken, "picture_unreadable"),
    ] {
        let file = user.upload("a", kind, bytes).await.ok(201)["file"].clone();
        let answer = user.get(&format!("{}?thumb=100x100", address(&file))).await;
        answer.problems(&[("thumb", code)]);
        assert_eq!(user.get(&address(&file)).await.status, 200);
    }
}
