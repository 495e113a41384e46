use serde_json::json;

use super::define;
use crate::harness::{Backend, TestApp};

crate::both![
    superadmins_define_change_and_delete_rooms,
    what_is_wrong_with_a_definition_is_said_and_nothing_is_stored,
    nobody_else_sees_or_changes_definitions,
    the_pattern_with_the_earlier_literal_decides,
];

async fn superadmins_define_change_and_delete_rooms(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let body =
        json!({"pattern": "doc:{id}", "join_rule": "@request.auth.id != null", "publish_rule": ""});
    let created = app.admin.post("/realtime/rooms", &body).await.ok(201);
    for (key, value) in [
        ("pattern", json!("doc:{id}")),
        ("join_rule", json!("@request.auth.id != null")),
        ("publish_rule", json!("")),
        ("presence_rule", json!(null)),
        ("history", json!(0)),
        ("updated_at", created["created_at"].clone()),
    ] {
        assert_eq!(created[key], value, "{key}");
    }
    let path = format!("/realtime/rooms/{}", created["id"].as_str().unwrap());
    assert_eq!(app.admin.get(&path).await.ok(200), created);
    let change = json!({"pattern": "doc:{name}", "join_rule": null, "presence_rule": "@room.name = 'x'", "history": 5});
    let changed = app.admin.patch(&path, &change).await.ok(200);
    for (key, value) in change.as_object().unwrap() {
        assert_eq!(changed[key], *value, "{key}");
    }
    assert_eq!(
        (&changed["publish_rule"], &changed["created_at"]),
        (&json!(""), &created["created_at"])
    );
    define(&app, "lobby", &json!({})).await;
    let list = app.admin.get("/realtime/rooms").await.ok(200);
    assert_eq!((&list["total"], &list["items"][1]), (&json!(2), &changed));
    app.admin.delete(&path).await.ok(204);
    app.admin.get(&path).await.refused(404, "not found");
    app.admin.delete(&path).await.refused(404, "not found");
    assert_eq!(app.admin.get("/realtime/rooms").await.ok(200)["total"], 1);
}

async fn what_is_wrong_with_a_definition_is_said_and_nothing_is_stored(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let id = define(&app, "doc:{id}", &json!({})).await;
    let path = format!("/realtime/rooms/{id}");
    let before = app.admin.get("/realtime/rooms").await.ok(200);
    let post = async |body| app.admin.post("/realtime/rooms", &body).await;
    post(json!({})).await.refused(422, "Field required");
    post(json!({"pattern": 7})).await.refused(422, "string");
    post(json!({"pattern": "a", "join_rule": 7}))
        .await
        .refused(422, "join_rule");
    post(json!({"pattern": "a", "colour": "red"}))
        .await
        .refused(422, "colour");
    post(json!({"pattern": "\u{0}"}))
        .await
        .refused(422, "pattern");
    for pattern in ["", "a b", "{}", "a:{b", "{x}:{x}"] {
        post(json!({"pattern": pattern}))
            .await
            .problems(&[("pattern", "pattern_invalid")]);
    }
    post(json!({"pattern": "doc:{other}"}))
        .await
        .refused(409, "pattern");
    post(json!({"pattern": "a", "history": 501}))
        .await
        .problems(&[("history", "out_of_range")]);
    let rules = json!({"pattern": "chat:{id}", "join_rule": "@room.name = 1", "publish_rule": "title = 'x'",
        "presence_rule": "@request.data.x = '1'"});
    let problem = |rule| (rule, "rule_invalid");
    post(rules).await.problems(&[
        problem("join_rule"),
        problem("publish_rule"),
        problem("presence_rule"),
    ]);
    // A rule that stands must fit the pattern that comes.
    app.admin
        .patch(&path, &json!({"join_rule": "@room.id != '7'"}))
        .await
        .ok(200);
    app.admin
        .patch(&path, &json!({"pattern": "doc:{name}"}))
        .await
        .problems(&[problem("join_rule")]);
    app.admin
        .patch(&path, &json!({"join_rule": ""}))
        .await
        .ok(200);
    for strange in ["x", "%00", "00000000-0000-0000-0000-000000000000"] {
        app.admin
            .get(&format!("/realtime/rooms/{strange}"))
            .await
            .refused(404, "not found");
    }
    let mut after = app.admin.get("/realtime/rooms").await.ok(200);
    after["items"][0]["updated_at"] = before["items"][0]["updated_at"].clone();
    assert_eq!(after, before);
}

async fn nobody_else_sees_or_changes_definitions(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let path = format!(
        "/realtime/rooms/{}",
        define(&app, "doc:{id}", &json!({})).await
    );
    let user = app.register().await;
    let body = json!({"pattern": "mine"});
    for (client, status) in [((*user).clone(), 403), (app.anonymous(), 401)] {
        client.get("/realtime/rooms").await.refused(status, "");
        client.get(&path).await.refused(status, "");
        client
            .post("/realtime/rooms", &body)
            .await
            .refused(status, "");
        client.patch(&path, &body).await.refused(status, "");
        client.delete(&path).await.refused(status, "");
    }
    let list = app.admin.get("/realtime/rooms").await.ok(200);
    assert_eq!(
        (&list["total"], &list["items"][0]["pattern"]),
        (&json!(1), &json!("doc:{id}"))
    );
}

async fn the_pattern_with_the_earlier_literal_decides(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for (pattern, rule) in [
        ("{a}:{b}", "true"),
        ("doc:{id}", "@room.id != 'x'"),
        ("doc:special", "true"),
    ] {
        define(&app, pattern, &json!({"publish_rule": rule})).await;
    }
    let user = app.register().await;
    let say = json!({"event": "hello"});
    user.post("/realtime/rooms/doc:1/publish", &say)
        .await
        .ok(204);
    user.post("/realtime/rooms/doc:x/publish", &say)
        .await
        .refused(403, "publish");
    user.post("/realtime/rooms/doc:special/publish", &say)
        .await
        .ok(204);
    user.post("/realtime/rooms/other:x/publish", &say)
        .await
        .ok(204);
    user.post("/realtime/rooms/other/publish", &say)
        .await
        .refused(404, "not defined");
}
