//! Connections: order, limits, ends, and rights that change.

use std::sync::Mutex;
use std::sync::atomic::AtomicI64;

use super::*;

#[tokio::test]
async fn events_come_in_order_and_only_after_the_acknowledgement() {
    let world = World::with_rule(Some("")).await;
    let client = world.connect(&world.user("user"));
    client.listen(OperationSet::ALL).await;
    for number in 0..500 {
        world.create(&number.to_string(), json!({}));
    }
    let expected: Vec<String> = (0..500)
        .map(|number| format!("create {number} {{}}"))
        .collect();
    assert_eq!(client.frames(500).await, expected);
}

#[tokio::test]
async fn a_repeated_subscription_replaces_the_first_and_an_ended_one_is_silent() {
    let world = World::with_rule(Some("")).await;
    let (client, witness) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    witness.listen(OperationSet::named(["delete"])).await;
    client.listen(OperationSet::ALL).await;
    client.listen(OperationSet::named(["delete"])).await;
    world.create("1", json!({}));
    world.delete("1", json!({}));
    assert_eq!(client.frames(1).await, [r#"delete 1 {"id":"1"}"#]);
    client.0.unsubscribe("posts", Bytes::from_static(b"bye"));
    client
        .0
        .unsubscribe("posts", Bytes::from_static(b"bye again"));
    let mut both = client.frames(2).await;
    both.sort();
    assert_eq!(both, ["bye", "bye again"]);
    world.delete("2", json!({}));
    assert_eq!(witness.frames(2).await[1], r#"delete 2 {"id":"2"}"#);
    client.listen(OperationSet::ALL).await;
    world.delete("3", json!({}));
    assert_eq!(client.frames(1).await, [r#"delete 3 {"id":"3"}"#]);
}

#[tokio::test]
async fn subscriptions_are_limited_but_may_be_replaced() {
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.subscriptions = 2;
    })
    .await;
    let client = world.connect(&world.user("user"));
    let subscribe = async |name: &str| {
        client
            .0
            .subscribe(client.request(name, OperationSet::ALL))
            .await
    };
    assert!(subscribe("a").await.is_ok() && subscribe("b").await.is_ok());
    assert!(matches!(
        subscribe("c").await,
        Err(SubscribeError::TooMany(2))
    ));
    assert!(subscribe("a").await.is_ok());
    client.0.unsubscribe("b", Bytes::new());
    assert!(subscribe("c").await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn when_all_readers_fall_behind_events_wait_and_no_connection_is_closed() {
    let limits = QueueLimits {
        frames: 64,
        bytes: 1 << 20,
    };
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.queue = limits;
    })
    .await;
    let readers: Vec<Client> = (0..10)
        .map(|_| world.connect(&world.user("user")))
        .collect();
    for client in &readers {
        client.listen(OperationSet::ALL).await;
    }
    let changes: Vec<_> = (0..2000)
        .map(|n| world.change(ChangeKind::Create, &n.to_string(), None, Some(json!({}))))
        .collect();
    world.publish(&changes);
    let read = async |client: &Client| {
        let mut seen = 0;
        while seen < 2000 {
            seen += client.frames(1).await.len();
            // Slower than events come, but reading.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(seen, 2000);
    };
    futures_util::future::join_all(readers.iter().map(read)).await;
}

#[tokio::test]
async fn rights_that_change_apply_to_what_is_open() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let reader = world.user("reader");
    let answer: Arc<Mutex<Result<Caller>>> = Arc::new(Mutex::new(Ok(reader.clone())));
    let check = answer.clone();
    let next = move || {
        std::mem::replace(
            &mut *check.lock().unwrap(),
            Err(Error::Unauthenticated("gone".into())),
        )
    };
    let client = world.connect_with(
        &reader,
        Box::new(move || std::future::ready(next()).boxed()),
    );
    client.listen(OperationSet::ALL).await;
    let witness = world.connect(&world.user("editor"));
    witness.listen(OperationSet::ALL).await;
    world.create("1", json!({}));
    assert_eq!(witness.frames(1).await, ["create 1 {}"]);
    let mut editor = reader.principal().unwrap().as_ref().clone();
    editor.role = "editor".into();
    let user = editor.user_id;
    *answer.lock().unwrap() = Ok(Caller::User(Arc::new(editor)));
    world.hub.access_changed(UserId::new()).await;
    world.hub.access_changed(user).await;
    world.create("2", json!({}));
    assert_eq!(client.frames(1).await, ["create 2 {}"]);
    world.hub.access_changed(user).await;
    assert_eq!(client.closed().await, CloseReason::Revoked);
}

#[tokio::test]
async fn connections_end_with_their_token_and_with_the_server() {
    let time = Arc::new(AtomicI64::new(1_000_000));
    let world = World::new(Some(""), "*", Clock::Fixed(time.clone()), |_| {}).await;
    let caller = world.user("user");
    let mut principal = caller.principal().unwrap().as_ref().clone();
    principal.expires_at = DateTime::from_timestamp_millis(2_000_000);
    let brief = world.connect(&Caller::User(Arc::new(principal)));
    let lasting = world.connect(&caller);
    time.store(2_000_000, Ordering::Relaxed);
    assert_eq!(brief.closed().await, CloseReason::Expired);
    let (hub, goes) = (world.hub.clone(), async {
        assert_eq!(lasting.closed().await, CloseReason::GoingAway);
        drop(lasting);
        drop(brief);
    });
    tokio::join!(hub.stop(), goes);
    assert_eq!(world.hub.connected(), 0);
    let check: CredentialCheck = Box::new(|| std::future::pending().boxed());
    let late = ConnectRequest {
        caller,
        check,
        address: None,
        opened_by: None,
        protocol: world.protocol,
    };
    assert!(matches!(
        world.hub.connect(late),
        Err(Error::Unavailable(_))
    ));
}

#[tokio::test]
async fn connections_are_limited_and_counted() {
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.connections_per_user = 1;
    })
    .await;
    let caller = world.user("user");
    let first = world.connect(&caller);
    let another = || {
        let check: CredentialCheck = Box::new(|| std::future::pending().boxed());
        world.hub.connect(ConnectRequest {
            caller: caller.clone(),
            check,
            address: None,
            opened_by: None,
            protocol: world.protocol,
        })
    };
    assert!(matches!(another(), Err(Error::RateLimited { .. })));
    drop(first);
    assert!(another().is_ok());
}

#[tokio::test]
async fn a_silent_peer_is_pinged_and_in_the_end_closed() {
    let beat = Duration::from_millis(20);
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.heartbeat = beat;
    })
    .await;
    let (alive, dead) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    let answers = async {
        for _ in 0..10 {
            assert_eq!(alive.frames(1).await, ["beat"]);
            alive.0.note_peer_activity();
        }
    };
    let (reason, ()) = tokio::join!(dead.closed(), answers);
    assert_eq!(reason, CloseReason::Unanswered);
}
