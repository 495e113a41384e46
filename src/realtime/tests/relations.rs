//! Rules that read other records, and expanded references.

use super::*;

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
            knows_control_frames: true,
            ..client.request("posts", OperationSet::ALL)
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
    let request = Subscribe {
        knows_control_frames: true,
        ..Subscribe::to("posts", OperationSet::ALL, scope)
    };
    knowing.0.subscribe(request).await.unwrap();
    plain.listen(OperationSet::ALL).await;
    // There is no such table.
    world.create("a", json!({"title": "secret"}));
    assert_eq!(knowing.frames(1).await, ["resync access"]);
    assert_eq!(plain.closed().await, CloseReason::Overload);
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
        let selection = RecordSelection {
            expand: expand.clone(),
            ..RecordSelection::default()
        };
        let request = Subscribe {
            tag: None,
            ..selecting(&client, "all", selection)
        };
        (client, request)
    };
    let ((knowing, first), (plain, second)) = (client(), client());
    knowing
        .0
        .subscribe(Subscribe {
            knows_control_frames: true,
            ..first
        })
        .await
        .unwrap();
    plain.0.subscribe(second).await.unwrap();
    let ignorant = world.connect(&caller);
    ignorant.listen(OperationSet::ALL).await;
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
    assert_eq!(plain.closed().await, CloseReason::Overload);
}
