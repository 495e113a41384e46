//! Who sees what.

use super::*;

fn record(id: &str, owner: &str) -> Json {
    json!({"id": id, "account_id": "a", "title": "t", "owner": owner, "mail": "jane@example.com"})
}

/// What is seen, without the data.
fn names(frames: &[String]) -> Vec<&str> {
    frames
        .iter()
        .map(|frame| {
            frame
                .rsplit_once(" {")
                .map_or(frame.as_str(), |(name, _)| name)
        })
        .collect()
}

#[tokio::test]
async fn a_record_enters_changes_leaves_and_goes() {
    let world = World::with_rule(Some("owner = @request.auth.id")).await;
    let caller = world.user("user");
    let me = id_of(&caller);
    let client = world.connect(&caller);
    client.listen(Operations::ALL).await;
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
async fn crossings_are_told_to_whoever_wants_updates_or_the_set() {
    let with = |title: &str| json!({"id": "1", "title": title});
    for (operations, expected) in [
        (["create"], vec!["entered 1"]),
        (["update"], vec!["entered 1", "update 1", "left 1"]),
        (["delete"], vec!["left 1"]),
    ] {
        let world = World::with_rule(Some("title = 'open'")).await;
        let client = world.connect(&world.user("user"));
        client.listen(Operations::named(operations)).await;
        world.update("1", with("shut"), with("open"));
        world.update("1", with("open"), with("open"));
        world.update("1", with("open"), with("shut"));
        assert_eq!(names(&client.frames(expected.len()).await), expected);
    }
}

#[tokio::test]
async fn alike_subscribers_share_one_judgement_and_one_frame() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let editors: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("editor")))
        .collect();
    let readers: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("reader")))
        .collect();
    for client in editors.iter().chain(&readers) {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x"));
    for client in &editors {
        assert_eq!(names(&client.frames(1).await), ["create 1"]);
    }
    assert_eq!(world.dialect.0.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn different_subscribers_that_see_the_same_share_the_frame() {
    let world = World::with_rule(Some("@request.auth.id != ''")).await;
    let clients: Vec<Client> = (0..20)
        .map(|_| world.connect(&world.user("user")))
        .collect();
    for client in &clients {
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x"));
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
        client.listen(Operations::ALL).await;
    }
    world.create("1", record("1", "x"));
    assert_eq!(names(&clients[2].frames(1).await), ["create 1"]);
    world.set_rule(Some("")).await;
    world.create("2", record("2", "x"));
    assert_eq!(names(&clients[0].frames(1).await), ["create 2"]);
    assert_eq!(names(&clients[2].frames(1).await), ["create 2"]);
    let mut frames = Vec::new();
    assert!(clients[1].0.next(&mut frames).now_or_never().is_none());
}

#[tokio::test]
async fn a_collection_may_be_subscribed_to_before_it_exists() {
    let mut world = World::with_rule(Some("")).await;
    let client = world.connect(&world.user("user"));
    client
        .0
        .subscribe(client.wish("later", Operations::ALL))
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
    client.listen(Operations::ALL).await;
    world.create("1", json!({"id": "1", "removed": "secret", "title": "t"}));
    let shown = json!({"id": "1", "title": "t", "owner": null, "mail": null});
    assert_eq!(client.frames(1).await, [format!("create 1 {shown}")]);
}

/// A subscription that shows some of the records.
fn selecting(client: &Client, name: &str, selection: Selection) -> Subscribe {
    let tag = Some(name.into());
    Subscribe {
        name: name.into(),
        tag,
        selection: Arc::new(selection),
        ..client.wish("posts", Operations::ALL)
    }
}

#[tokio::test]
async fn a_filter_decides_together_with_the_rule() {
    let world = World::with_rule(Some("owner = @request.auth.id")).await;
    let caller = world.user("user");
    let me = id_of(&caller);
    let client = world.connect(&caller);
    let filtered = |filter: &str| Selection {
        filter: Some(filter.into()),
        ..Selection::default()
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
    // What cannot be read, or would tell what is masked, is refused.
    for bad in ["title = ", "unknown = 1", "mail = 'jane@example.com'"] {
        let refused = client
            .0
            .subscribe(selecting(&client, "bad", filtered(bad)))
            .await;
        assert!(
            matches!(refused, Err(Refused::Invalid(Error::Refused { .. }))),
            "{bad}"
        );
    }
    let elsewhere = Subscribe {
        collection: "nowhere".into(),
        ..selecting(&client, "bad", filtered("a = 1"))
    };
    assert!(matches!(
        client.0.subscribe(elsewhere).await,
        Err(Refused::Invalid(Error::NotFound(_)))
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
    let selection = Selection {
        record: Some("1".into()),
        ..Selection::default()
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

/// Says what was there before.
#[derive(Default)]
struct Telling;

impl Dialect for Telling {
    fn name(&self) -> &'static str {
        "telling"
    }

    fn event(&self, event: &Event<'_>) -> Bytes {
        format!(
            "{} {} {}",
            event.operation.name(),
            event.data,
            event.old.unwrap_or("-")
        )
        .into()
    }

    fn heartbeat(&self, _: DateTime<Utc>) -> Bytes {
        Bytes::new()
    }
}

#[tokio::test]
async fn fields_are_narrowed_and_old_values_are_those_that_were_seen() {
    let world = World::with_rule(Some("title != 'hidden'")).await;
    let caller = world.user("user");
    let again = caller.clone();
    let recheck: Recheck = Box::new(move || std::future::ready(Ok(again.clone())).boxed());
    let client = Client(
        world
            .hub
            .connect(Arrival {
                caller,
                recheck,
                address: None,
                opened_by: None,
                dialect: &Telling,
            })
            .unwrap(),
    );
    let selection = Selection {
        fields: Some(["mail".to_owned()].into()),
        old: true,
        ..Selection::default()
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
async fn those_who_see_their_own_records_are_found_by_value() {
    let world = World::with_rule(Some("owner = @request.auth.id && title != 'hidden'")).await;
    let callers: Vec<Caller> = (0..50).map(|_| world.user("user")).collect();
    let clients: Vec<Client> = callers.iter().map(|caller| world.connect(caller)).collect();
    for client in &clients {
        client.listen(Operations::ALL).await;
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
    // Whoever leaves the index leaves it clean.
    drop(clients);
    let client = world.connect(&callers[3]);
    client.listen(Operations::ALL).await;
    world.create("3", owned(&first, "d"));
    assert_eq!(names(&client.frames(1).await), ["create 3"]);
}

/// Lets the rule read another collection.
async fn read_others(world: &World, collection: &str) {
    let insert = "INSERT INTO macros (name, sql_query, parameters, created_at, updated_at, created_by) \
                  VALUES ('others', $2, '[]', $1, $1, 'system')";
    let at: DateTime<Utc> = "2020-01-01T00:00:00Z".parse().unwrap();
    let query = format!("SELECT COUNT(*) FROM {collection}");
    assert!(
        world
            .db
            .execute(Stmt::fixed(insert, vec![at.into(), query.into()]))
            .await
            .unwrap()
    );
    world.set_rule(Some("@others() >= 0")).await;
}

#[tokio::test]
async fn a_change_of_what_a_rule_reads_is_told_before_anything_later_and_once_for_all_that_comes_together()
 {
    let world = World::with_rule(Some("")).await;
    let badges = CollectionId::new();
    define(&world.db, badges, "badges", Some(""), "*").await;
    let table = "CREATE TABLE col_badges (id TEXT, account_id TEXT, title TEXT, owner TEXT, mail TEXT, \
                 created_at TEXT, created_by TEXT, updated_at TEXT, updated_by TEXT)";
    world
        .db
        .execute(Stmt::fixed(table, Vec::new()))
        .await
        .unwrap();
    read_others(&world, "badges").await;
    let client = world.connect(&world.user("user"));
    client
        .0
        .subscribe(Subscribe {
            notices: true,
            ..client.wish("posts", Operations::ALL)
        })
        .await
        .unwrap();
    assert_eq!(client.frames(1).await, ["ack"]);
    let change = |collection, id| {
        let change = world.change(ChangeKind::Create, id, None, Some(json!({})));
        Arc::new(Change {
            collection_id: Some(collection),
            ..(*change).clone()
        })
    };
    let posts = world.collection;
    world.publish(&[
        change(posts, "1"),
        change(badges, "a"),
        change(posts, "2"),
        change(badges, "b"),
        change(posts, "3"),
    ]);
    assert_eq!(
        client.frames(4).await,
        ["create 1 {}", "resync access", "create 2 {}", "create 3 {}"]
    );
    world.publish(&[change(badges, "c"), change(posts, "4")]);
    assert_eq!(client.frames(2).await, ["resync access", "create 4 {}"]);
}

#[tokio::test]
async fn nothing_is_shown_without_an_answer_of_the_database() {
    let world = World::with_rule(Some("")).await;
    read_others(&world, "posts").await;
    let (knowing, plain) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    let scope = knowing.scope();
    let wish = Subscribe {
        notices: true,
        ..Subscribe::to("posts", Operations::ALL, scope)
    };
    knowing.0.subscribe(wish).await.unwrap();
    plain.listen(Operations::ALL).await;
    // There is no such table.
    world.create("a", json!({"title": "secret"}));
    assert_eq!(knowing.frames(1).await, ["resync access"]);
    assert_eq!(plain.closed().await, Close::Overload);
}

#[tokio::test]
async fn nothing_is_shown_with_references_that_cannot_be_read() {
    let world = World::with_rule(Some("")).await;
    define(&world.db, CollectionId::new(), "people", Some(""), "*").await;
    let fields = json!([{"name": "title", "type": "text"}, {"name": "author", "type": "reference",
        "collection": "people", "on_delete": "set_null"}]);
    let update = "UPDATE collections SET schema = $1 WHERE name = 'posts'";
    world
        .db
        .execute(Stmt::fixed(update, vec![fields.to_string().into()]))
        .await
        .unwrap();
    let update = "UPDATE collections SET view_rule = ''";
    world
        .db
        .execute(Stmt::fixed(update, Vec::new()))
        .await
        .unwrap();
    world.catalog.reload().await.unwrap();
    let expand = crate::access::ExpandPaths::parse("author").unwrap();
    let caller = world.user("user");
    let client = || {
        let client = world.connect(&caller);
        let selection = Selection {
            expand: expand.clone(),
            ..Selection::default()
        };
        let wish = Subscribe {
            tag: None,
            ..selecting(&client, "all", selection)
        };
        (client, wish)
    };
    let ((knowing, first), (plain, second)) = (client(), client());
    knowing
        .0
        .subscribe(Subscribe {
            notices: true,
            ..first
        })
        .await
        .unwrap();
    plain.0.subscribe(second).await.unwrap();
    let ignorant = world.connect(&caller);
    ignorant.listen(Operations::ALL).await;
    assert_eq!(
        (knowing.frames(1).await, plain.frames(1).await),
        (vec!["ack".to_owned()], vec!["ack".to_owned()])
    );
    let with = |author: Json| json!({"id": "1", "title": "a", "author": author});
    // Where there is nothing to expand, nothing is read. There is no such table.
    world.create("1", with(Json::Null));
    assert_eq!(names(&ignorant.frames(1).await), ["create 1"]);
    world.update("1", with(Json::Null), with(json!("7")));
    assert_eq!(names(&ignorant.frames(1).await), ["update 1"]);
    world.update("1", with(json!("7")), with(json!("8")));
    assert_eq!(names(&ignorant.frames(1).await), ["update 1"]);
    world.delete("1", with(json!("8")));
    assert_eq!(names(&ignorant.frames(1).await), ["delete 1"]);
    let created = format!("create 1 {}", with(Json::Null));
    let deleted = r#"delete 1 {"id":"1"}"#;
    assert_eq!(
        knowing.frames(4).await,
        [&created, "resync access", "resync access", deleted]
    );
    assert_eq!(plain.closed().await, Close::Overload);
}
