//! What each subscriber sees.

use serde_json::{Value, json};

use super::posts;
use crate::harness::{Backend, User, Ws, open};

crate::both![
    a_record_that_moves_across_the_rule_enters_and_leaves,
    hidden_fields_and_personal_data_stay_hidden,
    accounts_never_hear_of_each_other,
    superadmins_hear_everything_or_one_account,
    a_locked_collection_is_silent_until_its_rule_changes,
    every_way_to_write_emits,
];

/// Rules that let everyone write and this decide who lists.
fn list(rule: &str) -> Value {
    let mut rules = open();
    rules["list_rule"] = rule.into();
    rules
}

async fn rename(user: &User, id: &str, owner: &str) {
    user.patch(&format!("/records/posts/{id}"), &json!({"owner": owner})).await.ok(200);
}

async fn a_record_that_moves_across_the_rule_enters_and_leaves(backend: Backend) {
    let (app, user) = posts(backend, &list("owner = @request.auth.id")).await;
    let colleague = app.colleague_of(&user).await;
    let mut mine = Ws::connect(&user).await;
    let mut theirs = Ws::connect(&colleague).await;
    mine.subscribe("posts").await;
    theirs.subscribe("posts").await;
    let id = user.create_id("posts", &json!({"owner": user.id, "title": "t"})).await;
    mine.expect_event("posts.create").await;
    rename(&user, &id, &colleague.id).await;
    let left = mine.frame().await;
    assert_eq!((&left["type"], &left["change"]), (&json!("posts.delete"), &json!("left")));
    assert_eq!(left["data"], json!({"id": id}));
    let entered = theirs.frame().await;
    assert_eq!((&entered["type"], &entered["change"]), (&json!("posts.update"), &json!("entered")));
    assert_eq!(entered["data"]["title"], "t");
    rename(&user, &id, "nobody").await;
    theirs.expect_event("posts.delete").await;
    rename(&user, &id, "somebody").await;
    user.delete(&format!("/records/posts/{id}")).await;
    let last = user.create_id("posts", &json!({"owner": user.id})).await;
    assert_eq!(mine.expect_event("posts.create").await["id"], json!(last));
    let last = user.create_id("posts", &json!({"owner": colleague.id})).await;
    assert_eq!(theirs.expect_event("posts.create").await["id"], json!(last));
}

async fn hidden_fields_and_personal_data_stay_hidden(backend: Backend) {
    let mut rules = open();
    rules["list_fields"] = json!(["title", "mail"]);
    let (app, user) = posts(backend, &rules).await;
    let colleague = app.colleague_of(&user).await;
    let mut trusted = Ws::connect(&user).await;
    let mut plain = Ws::connect(&colleague).await;
    let mut admin = Ws::connect(&app.admin).await;
    for ws in [&mut trusted, &mut plain, &mut admin] {
        ws.subscribe("posts").await;
    }
    user.create("posts", &json!({"title": "t", "secret": "s", "mail": "jane@example.com"})).await;
    for (ws, mail, secret) in [
        (&mut trusted, "jane@example.com", Value::Null),
        (&mut plain, "j***@example.com", Value::Null),
        (&mut admin, "jane@example.com", json!("s")),
    ] {
        let data = ws.expect_event("posts.create").await;
        assert_eq!((&data["title"], &data["mail"]), (&json!("t"), &json!(mail)));
        assert_eq!(data["secret"], secret);
        assert_eq!(data.get("secret").is_some(), secret != Value::Null, "{data}");
    }
}

async fn accounts_never_hear_of_each_other(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    let stranger = app.register().await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    stranger.create("posts", &json!({"title": "theirs"})).await;
    user.create("posts", &json!({"title": "mine"})).await;
    assert_eq!(ws.expect_event("posts.create").await["title"], "mine");
    for account in [stranger.account_slug.as_str(), &stranger.account_id, "*", "nobody"] {
        ws.send(&json!({"action": "subscribe", "collection": "posts", "account": account})).await;
        let refusal = ws.frame().await;
        assert_eq!((&refusal["code"], &refusal["collection"]), (&json!("forbidden"), &json!("posts")));
    }
    ws.send(&json!({"action": "subscribe", "collection": "posts", "account": user.account_slug})).await;
    assert_eq!(ws.frame().await["type"], "subscribed");
    // A superadmin's write belongs to the record's account.
    let id = user.create_id("posts", &json!({})).await;
    ws.expect_event("posts.create").await;
    app.admin.patch(&format!("/records/posts/{id}"), &json!({"title": "by root"})).await.ok(200);
    assert_eq!(ws.expect_event("posts.update").await["title"], "by root");
}

async fn superadmins_hear_everything_or_one_account(backend: Backend) {
    let (app, user) = posts(backend, &locked()).await;
    let other = app.register().await;
    let mut everything = Ws::connect(&app.admin).await;
    let mut one = Ws::connect(&app.admin).await;
    everything.subscribe("posts").await;
    one.send(&json!({"action": "subscribe", "collection": "posts", "account": user.account_slug})).await;
    assert_eq!(one.frame().await["type"], "subscribed");
    one.send(&json!({"action": "subscribe", "collection": "posts", "account": "nobody"})).await;
    assert_eq!(one.frame().await["code"], "not_found");
    other.create("posts", &json!({"title": "other"})).await;
    user.create("posts", &json!({"title": "user"})).await;
    assert_eq!(everything.expect_event("posts.create").await["title"], "other");
    assert_eq!(everything.expect_event("posts.create").await["title"], "user");
    assert_eq!(one.expect_event("posts.create").await["title"], "user");
}

fn locked() -> Value {
    let mut rules = open();
    rules["list_rule"] = Value::Null;
    rules
}

async fn a_locked_collection_is_silent_until_its_rule_changes(backend: Backend) {
    let (app, user) = posts(backend, &locked()).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    app.admin.create("posts", &json!({"account_id": user.account_id})).await;
    app.rules("posts", &json!({"list_rule": ""})).await;
    user.create("posts", &json!({"title": "seen"})).await;
    assert_eq!(ws.expect_event("posts.create").await["title"], "seen");
    app.rules("posts", &json!({"list_rule": "title != 'dark'"})).await;
    user.create("posts", &json!({"title": "dark"})).await;
    user.create("posts", &json!({"title": "light"})).await;
    assert_eq!(ws.expect_event("posts.create").await["title"], "light");
}

async fn every_way_to_write_emits(backend: Backend) {
    let (app, user) = posts(backend, &open()).await;
    let fields = json!([{"name": "post", "type": "reference", "collection": "posts", "on_delete": "cascade"}]);
    app.collection("comments", &fields, &open()).await;
    let mut ws = Ws::connect(&user).await;
    ws.subscribe("posts").await;
    ws.subscribe("comments").await;
    let batch = json!({"records": [{"title": "a"}, {"title": "b"}]});
    let created = user.post("/records/posts/batch", &batch).await.ok(201);
    for title in ["a", "b"] {
        assert_eq!(ws.expect_event("posts.create").await["title"], title);
    }
    let id = created["created"][0]["id"].as_str().unwrap();
    let comment = user.create_id("comments", &json!({"post": id})).await;
    ws.expect_event("comments.create").await;
    user.delete(&format!("/records/posts/{id}")).await;
    let mut gone = [ws.frame().await, ws.frame().await].map(|frame| (frame["type"].clone(), frame["data"].clone()));
    gone.sort_by_key(|(kind, _)| kind.to_string());
    let expected = [("comments.delete", comment.as_str()), ("posts.delete", id)];
    assert_eq!(gone, expected.map(|(kind, id)| (json!(kind), json!({"id": id}))));
}
