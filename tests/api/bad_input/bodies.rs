use serde_json::{Value, json};

use super::{healthy, post, start};
use crate::harness::{Backend, open};

crate::both![
    bodies_that_are_no_json_are_refused,
    deep_and_huge_bodies_are_refused,
    numbers_beyond_every_range_are_refused,
];

async fn bodies_that_are_no_json_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let bodies: &[&[u8]] = &[
        b"",
        b"{",
        b"}",
        b"nonsense",
        b"{\"text\":}",
        b"{\"text\" \"a\"}",
        b"\xff\xfe",
        b"{\"text\":\"\xff\"}",
        b"\0",
        b"{\"text\":\"a\0b\"}",
        b"{\"text\":\"\\ud800\"}",
        b"{\"text\":\"\\udc00\\ud800\"}",
        b"{\"text\":\"\\u12\"}",
        b"{\"\\ud800\":1}",
        b"[1,2",
        b"{\"n\":1e400}",
        b"{\"n\":-1e400}",
        b"{\"n\":NaN}",
        b"{\"n\":Infinity}",
        b"{\"n\":01}",
        b"{\"n\":1} trailing",
        b"\xef\xbb\xbf{}",
        b"{\"text\":'a'}",
        b"true",
        b"12",
        b"\"\"",
        b"[]",
        b"[{}]",
    ];
    for body in bodies {
        let answer = post(&user, body.to_vec()).await;
        assert_eq!(answer.status, 422, "{}: {}", String::from_utf8_lossy(body), answer.text);
        answer.refused(422, "");
    }
    healthy(&app, &user).await;
}

async fn deep_and_huge_bodies_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        for depth in [1000, 10_000] {
            let deep = format!("{}1{}", open.repeat(depth), close.repeat(depth));
            post(&user, format!("{{\"j\":{deep}}}")).await.refused(422, "");
            post(&user, deep.clone()).await.refused(422, "");
            let request = json!({"rule": deep, "operation": "list"});
            assert_eq!(app.admin.post("/rules/validate", &request).await.ok(200)["valid"], false);
        }
    }
    let huge = "x".repeat(250_000);
    post(&user, json!({"text": huge}).to_string()).await.refused(413, "");
    user.post("/records/items/batch", &json!({"records": [{"text": huge}]})).await.refused(413, "");
    app.anonymous()
        .post("/auth/login", &json!({"account": "x", "email": "x", "password": huge}))
        .await
        .refused(413, "");
    // Many keys and long names.
    let many: Value = Value::Object((0..5000).map(|index| (format!("key{index}"), json!(index))).collect());
    user.post("/records/items", &many).await.refused(400, "");
    user.post("/records/items", &json!({"k".repeat(100_000): 1})).await.refused(400, "");
    healthy(&app, &user).await;
}

async fn numbers_beyond_every_range_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    for number in ["1e400", "-1e400", &"9".repeat(400), &format!("1e{}", "9".repeat(50))] {
        let answer = post(&user, format!("{{\"n\":{number}}}")).await;
        assert!([400, 422].contains(&answer.status), "{number}: {}", answer.text);
        let answer = post(&user, format!("{{\"j\":[{number}]}}")).await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        let answer = user.query("/records/items", &[("filter", &format!("n = {number}"))]).await;
        assert!(answer.status < 500, "{number}: {}", answer.text);
        for key in ["limit", "skip"] {
            user.query("/records/items", &[(key, number)]).await.refused(422, "");
        }
    }
    let size = json!({"filename": "a", "size": 1e300, "mime_type": "b", "path": "c"});
    app.collection("files", &json!([{"name": "f", "type": "file"}]), &open()).await;
    user.post("/records/files", &json!({"f": size})).await.refused(400, "");
    healthy(&app, &user).await;
}
