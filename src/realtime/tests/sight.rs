//! Who sees what.

use super::*;

fn record(id: &str, owner: &str) -> Json {
    json!({"id": id, "account_id": "a", "title": "t", "owner": owner, "mail": "jane@example.com"})
}

/// What is seen, without the data.
fn names(frames: &[String]) -> Vec<&str> {
    frames.iter().map(|frame| frame.rsplit_once(" {").map_or(frame.as_str(), |(name, _)| name)).collect()
}

#[tokio::test]
async fn a_record_enters_changes_leaves_and_goes() {
    let world = World::with_rule(Some("owner = @request.auth.id")).await;
    let caller = world.user("user");
    let me = id_of(&caller);
    let client = world.connect(&caller);
    client.listen(Operations::ALL).await;
    world.create("1", record("1", &me)).await;
    world.create("2", record("2", "other")).await;
    world.update("1", record("1", &me), record("1", &me)).await;
    world.update("2", record("2", "other"), record("2", "nobody")).await;
    world.update("2", record("2", "nobody"), record("2", &me)).await;
    world.update("1", record("1", &me), record("1", "other")).await;
    world.delete("1", record("1", "other")).await;
    world.delete("2", record("2", &me)).await;
    let frames = client.frames(5).await;
    assert_eq!(names(&frames), ["create 1", "update 1", "entered 2", "left 1", "delete 2"]);
    assert_eq!(frames[3], r#"left 1 {"id":"1"}"#);
    assert_eq!(frames[4], r#"delete 2 {"id":"2"}"#);
}

#[tokio::test]
async fn crossings_are_told_to_whoever_wants_updates_or_the_set() {
    let world = World::with_rule(Some("title = 'open'")).await;
    let with = |title: &str| json!({"id": "1", "title": title});
    for (operations, expected) in [
        (["create"], vec!["entered 1"]),
        (["update"], vec!["entered 1", "update 1", "left 1"]),
        (["delete"], vec!["left 1"]),
    ] {
        let client = world.connect(&world.user("user"));
        client.listen(Operations::named(operations)).await;
        world.update("1", with("shut"), with("open")).await;
        world.update("1", with("open"), with("open")).await;
        world.update("1", with("open"), with("shut")).await;
        assert_eq!(names(&client.frames(expected.len()).await), expected);
    }
}

#[tokio::test]
async fn alike_subscribers_share_one_judgement_and_one_frame() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let editors: Vec<Client> = (0..20).map(|_| world.connect(&world.user("editor"))).collect();
    let readers: Vec<Client> = (0..20).map(|_| world.connect(&world.user("reader"))).collect();
    for client in editors.iter().chain(&readers) {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x")).await;
    for client in &editors {
        assert_eq!(names(&client.frames(1).await), ["create 1"]);
    }
    assert_eq!(world.dialect.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn different_subscribers_that_see_the_same_share_the_frame() {
    let world = World::with_rule(Some("@request.auth.id != ''")).await;
    let clients: Vec<Client> = (0..20).map(|_| world.connect(&world.user("user"))).collect();
    for client in &clients {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x")).await;
    for client in &clients {
        assert_eq!(names(&client.frames(1).await), ["create 1"]);
    }
    assert_eq!(world.dialect.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn fields_are_hidden_and_masked_for_each_as_in_a_list() {
    let world = World::new(Some(""), r#"["title", "mail"]"#, Clock::System, |_| {}).await;
    let plain = world.connect(&world.user("user"));
    let trusted = world.connect(&user(world.account, "user", &["pii_access"]));
    let admin = world.connect(&superadmin());
    for client in [&plain, &trusted, &admin] {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x")).await;
    let data = |mail: &str| json!({"id": "1", "account_id": "a", "title": "t", "mail": mail}).to_string();
    assert_eq!(plain.frames(1).await, [format!("create 1 {}", data("j***@example.com"))]);
    assert_eq!(trusted.frames(1).await, [format!("create 1 {}", data("jane@example.com"))]);
    assert_eq!(admin.frames(1).await, [format!("create 1 {}", record("1", "x"))]);
}

#[tokio::test]
async fn a_locked_collection_is_for_superadmins_and_accounts_stay_apart() {
    let world = World::with_rule(None).await;
    let (user, stranger, admin) = (world.user("user"), user(AccountId::new(), "user", &[]), superadmin());
    let clients = [&user, &stranger, &admin].map(|caller| world.connect(caller));
    for client in &clients {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x")).await;
    assert_eq!(names(&clients[2].frames(1).await), ["create 1"]);
    world.set_rule(Some("")).await;
    world.create("2", record("2", "x")).await;
    assert_eq!(names(&clients[0].frames(1).await), ["create 2"]);
    assert_eq!(names(&clients[2].frames(1).await), ["create 2"]);
    let mut frames = Vec::new();
    assert!(clients[1].0.queue().take(&mut frames).now_or_never().is_none());
}

#[tokio::test]
async fn a_collection_may_be_subscribed_to_before_it_exists() {
    let mut world = World::with_rule(Some("")).await;
    let client = world.connect(&world.user("user"));
    client.0.subscribe(client.wish("later", Operations::ALL)).unwrap();
    assert_eq!(client.frames(1).await, ["ack"]);
    world.collection = CollectionId::new();
    define(&world.db, world.collection, "later", Some(""), "*").await;
    world.catalog.reload().await.unwrap();
    world.create("1", record("1", "x")).await;
    assert_eq!(names(&client.frames(1).await), ["create 1"]);
}

#[tokio::test]
async fn a_record_older_than_the_schema_shows_the_fields_of_now() {
    let world = World::with_rule(Some("")).await;
    let update = "UPDATE collections SET updated_at = $1 WHERE name = 'posts'";
    let later: DateTime<Utc> = "2040-01-01T00:00:00Z".parse().unwrap();
    world.db.execute(Stmt::fixed(update, vec![later.into()])).await.unwrap();
    world.catalog.reload().await.unwrap();
    let client = world.connect(&superadmin());
    client.listen(Operations::ALL).await;
    world.create("1", json!({"id": "1", "removed": "secret", "title": "t"})).await;
    let shown = json!({"id": "1", "title": "t", "owner": null, "mail": null});
    assert_eq!(client.frames(1).await, [format!("create 1 {shown}")]);
}
