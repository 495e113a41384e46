//! The records that each subscriber sees.

use super::*;

fn record(id: &str, owner: &str) -> Json {
    json!({"id": id, "account_id": "a", "title": "t", "owner": owner, "mail": "jane@example.com"})
}

#[tokio::test]
async fn a_record_enters_changes_leaves_and_goes() {
    let world = World::with_rule(Some("owner = @request.auth.id")).await;
    let caller = world.user("user");
    let me = id_of(&caller);
    let client = world.connect(&caller);
    client.listen(OperationSet::ALL).await;
    world.create("1", record("1", &me));
    world.create("2", record("2", "other"));
    world.update("1", record("1", &me), record("1", &me));
    world.update("2", record("2", "other"), record("2", "nobody"));
    world.update("2", record("2", "nobody"), record("2", &me));
    world.update("1", record("1", &me), record("1", "other"));
    world.delete("1", record("1", "other"));
    world.delete("2", record("2", &me));
    let frames = client.frames(5).await;
    assert_eq!(
        names(&frames),
        ["create 1", "update 1", "entered 2", "left 1", "delete 2"]
    );
    assert_eq!(frames[3], r#"left 1 {"id":"1"}"#);
    assert_eq!(frames[4], r#"delete 2 {"id":"2"}"#);
}

#[tokio::test]
async fn visibility_changes_are_told_to_subscribers_of_updates_and_of_the_set() {
    let with = |title: &str| json!({"id": "1", "title": title});
    for (operations, expected) in [
        (["create"], vec!["entered 1"]),
        (["update"], vec!["entered 1", "update 1", "left 1"]),
        (["delete"], vec!["left 1"]),
    ] {
        let world = World::with_rule(Some("title = 'open'")).await;
        let client = world.connect(&world.user("user"));
        client.listen(OperationSet::named(operations)).await;
        world.update("1", with("shut"), with("open"));
        world.update("1", with("open"), with("open"));
        world.update("1", with("open"), with("shut"));
        assert_eq!(names(&client.frames(expected.len()).await), expected);
    }
}

#[tokio::test]
async fn equal_subscribers_share_one_judgement_and_one_frame() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let editors: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("editor")))
        .collect();
    let readers: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("reader")))
        .collect();
    for client in editors.iter().chain(&readers) {
        client.listen(OperationSet::ALL).await;
    }
    world.create("1", record("1", "x"));
    for client in &editors {
        assert_eq!(names(&client.frames(1).await), ["create 1"]);
    }
    assert_eq!(world.protocol.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn different_subscribers_that_see_the_same_share_the_frame() {
    let world = World::with_rule(Some("@request.auth.id != ''")).await;
    let clients: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("user")))
        .collect();
    for client in &clients {
        client.listen(OperationSet::ALL).await;
    }
    world.create("1", record("1", "x"));
    for client in &clients {
        assert_eq!(names(&client.frames(1).await), ["create 1"]);
    }
    assert_eq!(world.protocol.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn fields_are_hidden_and_masked_for_each_as_in_a_list() {
    let world = World::new(Some(""), r#"["title", "mail"]"#, Clock::System, |_| {}).await;
    let plain = world.connect(&world.user("user"));
    let trusted = world.connect(&user(world.account, "user", &["pii_access"]));
    let admin = world.connect(&superadmin());
    for client in [&plain, &trusted, &admin] {
        client.listen(OperationSet::ALL).await;
    }
    world.create("1", record("1", "x"));
    let data =
        |mail: &str| json!({"id": "1", "account_id": "a", "title": "t", "mail": mail}).to_string();
    assert_eq!(
        plain.frames(1).await,
        [format!("create 1 {}", data("j***@example.com"))]
    );
    assert_eq!(
        trusted.frames(1).await,
        [format!("create 1 {}", data("jane@example.com"))]
    );
    assert_eq!(
        admin.frames(1).await,
        [format!("create 1 {}", record("1", "x"))]
    );
}

#[tokio::test]
async fn a_locked_collection_is_for_superadmins_and_accounts_stay_apart() {
    let world = World::with_rule(None).await;
    let (user, stranger, admin) = (
        world.user("user"),
        user(AccountId::new(), "user", &[]),
        superadmin(),
    );
    let clients = [&user, &stranger, &admin].map(|caller| world.connect(caller));
    for client in &clients {
        client.listen(OperationSet::ALL).await;
    }
    world.create("1", record("1", "x"));
    assert_eq!(names(&clients[2].frames(1).await), ["create 1"]);
    world.set_rule(Some("")).await;
    world.create("2", record("2", "x"));
    assert_eq!(names(&clients[0].frames(1).await), ["create 2"]);
    assert_eq!(names(&clients[2].frames(1).await), ["create 2"]);
    let mut frames = Vec::new();
    assert!(
        clients[1]
            .0
            .next_frames(&mut frames)
            .now_or_never()
            .is_none()
    );
}

#[tokio::test]
async fn a_collection_may_be_subscribed_to_before_it_exists() {
    let mut world = World::with_rule(Some("")).await;
    let client = world.connect(&world.user("user"));
    client
        .0
        .subscribe(client.request("later", OperationSet::ALL))
        .await
        .unwrap();
    assert_eq!(client.frames(1).await, ["ack"]);
    world.collection = CollectionId::new();
    define(&world.db, world.collection, "later", Some(""), "*").await;
    world.catalog.reload().await.unwrap();
    world.create("1", record("1", "x"));
    assert_eq!(names(&client.frames(1).await), ["create 1"]);
}

#[tokio::test]
async fn a_record_older_than_the_schema_shows_the_fields_of_now() {
    let world = World::with_rule(Some("")).await;
    let update = "UPDATE collections SET updated_at = $1 WHERE name = 'posts'";
    let later: DateTime<Utc> = "2040-01-01T00:00:00Z".parse().unwrap();
    world
        .db
        .execute(Stmt::fixed(update, vec![later.into()]))
        .await
        .unwrap();
    world.catalog.reload().await.unwrap();
    let client = world.connect(&superadmin());
    client.listen(OperationSet::ALL).await;
    world.create("1", json!({"id": "1", "removed": "secret", "title": "t"}));
    let shown = json!({"id": "1", "title": "t", "owner": null, "mail": null});
    assert_eq!(client.frames(1).await, [format!("create 1 {shown}")]);
}

#[tokio::test]
async fn a_filter_decides_together_with_the_rule() {
    let world = World::with_rule(Some("owner = @request.auth.id")).await;
    let caller = world.user("user");
    let me = id_of(&caller);
    let client = world.connect(&caller);
    let filtered = |filter: &str| RecordSelection {
        filter: Some(filter.into()),
        ..RecordSelection::default()
    };
    client
        .0
        .subscribe(selecting(&client, "open", filtered("title = 'open'")))
        .await
        .unwrap();
    client
        .0
        .subscribe(selecting(&client, "shut", filtered("title = 'shut'")))
        .await
        .unwrap();
    assert_eq!(client.frames(2).await, ["ack", "ack"]);
    let with = |title: &str, owner: &str| json!({"id": "1", "title": title, "owner": owner});
    world.create("1", with("open", &me));
    world.update("1", with("open", &me), with("shut", &me));
    world.update("1", with("shut", &me), with("shut", "other"));
    world.create("2", with("open", "other"));
    world.delete("1", with("shut", "other"));
    world.create("3", with("shut", &me));
    let mut frames = client.frames(5).await;
    frames[1..3].sort();
    assert_eq!(
        names(&frames),
        [
            "open: create 1",
            "open: left 1",
            "shut: entered 1",
            "shut: left 1",
            "shut: create 3"
        ]
    );
    // A filter that cannot be read, or that would reveal a masked value, is refused.
    for bad in ["title = ", "unknown = 1", "mail = 'jane@example.com'"] {
        let refused = client
            .0
            .subscribe(selecting(&client, "bad", filtered(bad)))
            .await;
        assert!(
            matches!(refused, Err(SubscribeError::Invalid(Error::Refused { .. }))),
            "{bad}"
        );
    }
    let elsewhere = Subscribe {
        topic: Topic::Collection("nowhere".into()),
        ..selecting(&client, "bad", filtered("a = 1"))
    };
    assert!(matches!(
        client.0.subscribe(elsewhere).await,
        Err(SubscribeError::Invalid(Error::NotFound(_)))
    ));
}

#[tokio::test]
async fn one_record_is_seen_by_the_view_rule_and_nothing_else_comes() {
    let world = World::with_rule(Some("")).await;
    let update = "UPDATE collections SET list_rule = NULL, view_rule = $1, view_fields = $2";
    let args = vec!["title = 'open'".into(), r#"["title"]"#.into()];
    world.db.execute(Stmt::fixed(update, args)).await.unwrap();
    world.catalog.reload().await.unwrap();
    let client = world.connect(&world.user("user"));
    let selection = RecordSelection {
        record: Some("1".into()),
        ..RecordSelection::default()
    };
    client
        .0
        .subscribe(selecting(&client, "one", selection))
        .await
        .unwrap();
    assert_eq!(client.frames(1).await, ["ack"]);
    let with = |id: &str, title: &str| json!({"id": id, "title": title, "owner": "x"});
    world.create("2", with("2", "open"));
    world.create("1", with("1", "open"));
    world.update("2", with("2", "open"), with("2", "open"));
    world.update("1", with("1", "open"), with("1", "shut"));
    let expected = [
        r#"one: create 1 {"id":"1","title":"open"}"#,
        r#"one: left 1 {"id":"1"}"#,
    ];
    assert_eq!(client.frames(2).await, expected);
}

/// Shows the previous values.
#[derive(Default)]
struct OldValuesProtocol;

impl Protocol for OldValuesProtocol {
    fn name(&self) -> &'static str {
        "telling"
    }

    fn event_frame(&self, event: &RecordEvent<'_>) -> Bytes {
        format!(
            "{} {} {}",
            event.operation.name(),
            event.data,
            event.old.unwrap_or("-")
        )
        .into()
    }

    fn heartbeat_frame(&self, _: DateTime<Utc>) -> Bytes {
        Bytes::new()
    }
}

#[tokio::test]
async fn fields_are_narrowed_and_old_values_are_those_that_were_seen() {
    let world = World::with_rule(Some("title != 'hidden'")).await;
    let caller = world.user("user");
    let again = caller.clone();
    let check: CredentialCheck = Box::new(move || std::future::ready(Ok(again.clone())).boxed());
    let client = Client(
        world
            .hub
            .connect(ConnectRequest {
                caller,
                check,
                address: None,
                opened_by: None,
                protocol: &OldValuesProtocol,
            })
            .unwrap(),
    );
    let selection = RecordSelection {
        fields: Some(["mail".to_owned()].into()),
        old: true,
        ..RecordSelection::default()
    };
    client
        .0
        .subscribe(Subscribe {
            tag: None,
            ..selecting(&client, "all", selection)
        })
        .await
        .unwrap();
    assert_eq!(client.frames(1).await, ["ack"]);
    let with = |title: &str, mail: &str| json!({"id": "1", "title": title, "mail": mail});
    world.create("1", with("a", "ann@x.org"));
    world.update("1", with("a", "ann@x.org"), with("b", "bob@x.org"));
    world.update("1", with("b", "bob@x.org"), with("hidden", "cat@x.org"));
    world.update("1", with("hidden", "cat@x.org"), with("c", "dan@x.org"));
    world.delete("1", with("c", "dan@x.org"));
    let seen = |mail: &str| json!({"id": "1", "mail": mail}).to_string();
    let expected = [
        format!("create {} -", seen("a***@x.org")),
        format!("update {} {}", seen("b***@x.org"), seen("a***@x.org")),
        r#"delete {"id":"1"} -"#.to_owned(),
        format!("update {} -", seen("d***@x.org")),
        format!(r#"delete {{"id":"1"}} {}"#, seen("d***@x.org")),
    ];
    assert_eq!(client.frames(5).await, expected);
}

#[tokio::test]
async fn subscribers_to_their_own_records_are_found_by_value() {
    let world = World::with_rule(Some("owner = @request.auth.id && title != 'hidden'")).await;
    let callers: Vec<Caller> = (0..50).map(|_| world.user("user")).collect();
    let clients: Vec<Client> = callers.iter().map(|caller| world.connect(caller)).collect();
    for client in &clients {
        client.listen(OperationSet::ALL).await;
    }
    let owned = |owner: &str, title: &str| json!({"id": "1", "owner": owner, "title": title});
    let (first, second) = (id_of(&callers[3]), id_of(&callers[7]));
    world.create("1", owned(&first, "a"));
    world.update("1", owned(&first, "a"), owned(&first, "b"));
    world.update("1", owned(&first, "b"), owned(&second, "b"));
    world.update("1", owned(&second, "b"), owned(&second, "hidden"));
    world.delete("1", owned(&second, "hidden"));
    world.create("2", owned(&first, "c"));
    assert_eq!(
        names(&clients[3].frames(4).await),
        ["create 1", "update 1", "left 1", "create 2"]
    );
    assert_eq!(names(&clients[7].frames(2).await), ["entered 1", "left 1"]);
    // A subscription that leaves the index leaves nothing in it.
    drop(clients);
    let client = world.connect(&callers[3]);
    client.listen(OperationSet::ALL).await;
    world.create("3", owned(&first, "d"));
    assert_eq!(names(&client.frames(1).await), ["create 3"]);
}
