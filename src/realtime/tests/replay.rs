//! Replay of the log: missed events, and dropped ones.

use futures_util::future::join_all;

use super::*;
use crate::changes::Cursor;

fn since(client: &Client, cursor: Cursor) -> Subscribe {
    Subscribe {
        start: StartAt::After(cursor),
        knows_control_frames: true,
        ..client.request("posts", OperationSet::ALL)
    }
}

fn creations(ids: std::ops::RangeInclusive<i64>) -> Vec<String> {
    ids.map(|id| format!("create {id} {{}}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_events_come_first_then_live_ones_without_gap_or_repeat() {
    let world = World::with_rule(Some("")).await;
    let following = world.follow();
    for number in 1..=600 {
        world.log(&number.to_string()).await;
    }
    let caller = world.user("user");
    let mut written = 600;
    for known in [0, 299, 600] {
        let client = world.connect(&caller);
        let writing = async {
            for number in written + 1..=written + 50 {
                world.log(&number.to_string()).await;
            }
        };
        client
            .0
            .subscribe(since(&client, world.log.cursor(known)))
            .await
            .unwrap();
        let reading = async {
            let mut frames = client.frames(1).await;
            assert_eq!(frames.remove(0), "ack");
            let last = format!("create {} {{}}", written + 50);
            while frames.len() < usize::try_from(written + 51 - known).unwrap() {
                frames.extend(client.frames(1).await);
            }
            assert!(frames.contains(&last));
            frames
        };
        let ((), mut frames) = tokio::join!(writing, reading);
        written += 50;
        let notice = frames
            .iter()
            .position(|frame| frame.starts_with("replayed"))
            .unwrap();
        let (count, position) = frames[notice]["replayed ".len()..].split_once(' ').unwrap();
        // The notice says how many events came before it, and where they end.
        assert_eq!(count.parse(), Ok(notice));
        assert_eq!(
            position.parse::<i64>().unwrap() - known,
            i64::try_from(notice).unwrap()
        );
        frames.remove(notice);
        assert_eq!(frames, creations(known + 1..=written));
    }
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_useless_cursor_is_answered_with_resync_and_events_go_on() {
    let world = World::with_rule(Some("")).await;
    let following = world.follow();
    for number in 1..=20 {
        world.log(&number.to_string()).await;
    }
    world
        .log
        .retention(5, u64::MAX)
        .prune("2031-01-01T00:00:00Z".parse().unwrap(), i64::MAX)
        .await
        .unwrap();
    world
        .log
        .positions()
        .wait_for(|position| *position == 20)
        .await
        .unwrap();
    let witness = world.connect(&world.user("user"));
    witness
        .0
        .subscribe(since(&witness, world.log.cursor(20)))
        .await
        .unwrap();
    assert_eq!(witness.frames(2).await, ["ack", "replayed 0 20"]);
    let foreign = Cursor {
        epoch: "other".into(),
        position: 20,
    };
    let useless = [
        (world.log.cursor(3), "resync expired"),
        (foreign, "resync epoch"),
        (world.log.cursor(5_000_000), "resync epoch"),
        (world.log.cursor(i64::MAX), "resync epoch"),
        (Cursor::parse_or_foreign("nonsense"), "resync epoch"),
    ];
    for (index, (cursor, reason)) in useless.into_iter().enumerate() {
        let client = world.connect(&world.user("user"));
        client.0.subscribe(since(&client, cursor)).await.unwrap();
        assert_eq!(client.frames(2).await, ["ack", reason]);
        while !client.0.state().is_live_in(|_| true) {
            // Frames that were queued before may follow the resync.
            let _ = client.0.next_frames(&mut Vec::new()).now_or_never();
            tokio::task::yield_now().await;
        }
        let later = format!("later{index}");
        world.log(&later).await;
        let expected = format!("create {later} {{}}");
        while client.frames(1).await.last() != Some(&expected) {}
    }
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_stalls_misses_nothing_and_costs_no_more_than_its_queue() {
    let limits = QueueLimits {
        frames: 64,
        bytes: 1 << 20,
    };
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.queue = limits;
    })
    .await;
    let following = world.follow();
    let slow = world.connect(&world.user("user"));
    let readers: Vec<Client> = (0..10)
        .map(|_| world.connect(&world.user("user")))
        .collect();
    for client in readers.iter().chain([&slow]) {
        client.listen(OperationSet::ALL).await;
    }
    let write = async |from: i64, to: i64| {
        for number in from..=to {
            world.log(&number.to_string()).await;
        }
    };
    let read = async |client: &Client| assert_eq!(client.frames(1000).await, creations(1..=1000));
    tokio::join!(write(1, 1000), join_all(readers.iter().map(read)));
    assert!(slow.0.queue().is_behind());
    // It goes on reading while more is written, and then hears what happens like everyone else.
    let ((), frames) = tokio::join!(write(1001, 1200), slow.frames(1200));
    assert_eq!(frames, creations(1..=1200));
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_joins_while_an_event_is_delivered_misses_nothing() {
    const EVENTS: usize = 1000;
    let limits = QueueLimits {
        frames: 4,
        bytes: 1 << 20,
    };
    let rule = Some("@request.auth.role != 'nobody'");
    let world = World::new(rule, "*", Clock::System, |options| options.queue = limits).await;
    let following = world.follow();
    let connect = |number: usize| world.connect(&world.user(&format!("role {}", number % 6)));
    // Their viewpoints differ, so that it takes a while until an event is delivered to all.
    let limping: Vec<Client> = (0..3).map(connect).collect();
    let others: Vec<Client> = (0..24).map(connect).collect();
    for client in limping.iter().chain(&others) {
        client.listen(OperationSet::ALL).await;
    }
    world.protocol.1.store(200, Ordering::Relaxed);
    let write = async {
        for number in 1..=EVENTS {
            world.log(&number.to_string()).await;
        }
    };
    let limp = async |client: &Client| {
        let is_behind = || client.0.queue().is_behind();
        let end = i64::try_from(EVENTS).unwrap();
        let (mut frames, mut breaks) = (Vec::new(), 0);
        while frames.len() < EVENTS {
            while !is_behind() && world.position_of(client.scope()) < end {
                tokio::task::yield_now().await;
            }
            breaks += u32::from(is_behind());
            while frames.len() < EVENTS {
                frames.extend(client.frames(1).await);
                if !is_behind() {
                    break;
                }
            }
        }
        (frames, breaks)
    };
    let read = join_all(others.iter().map(|client| client.frames(EVENTS)));
    let ((), heard, _) = tokio::join!(write, join_all(limping.iter().map(limp)), read);
    for (frames, breaks) in heard {
        assert_eq!(frames, creations(1..=i64::try_from(EVENTS).unwrap()));
        assert!(breaks > 10, "it fell behind {breaks} times only");
    }
    following.abort();
}

#[tokio::test]
async fn a_reader_that_never_reads_is_closed() {
    let beat = Duration::from_millis(40);
    let change = |options: &mut HubOptions| (options.checkpoint, options.stall) = (beat, beat * 2);
    let world = World::new(Some(""), "*", Clock::System, change).await;
    let (deaf, idle) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    deaf.listen(OperationSet::ALL).await;
    world.create("1", json!({}));
    assert_eq!(deaf.closed().await, CloseReason::Overload);
    // A client that has nothing to read is not slow.
    idle.listen(OperationSet::ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_behind_the_history_is_told_or_closed() {
    let limits = QueueLimits {
        frames: 8,
        bytes: 1 << 20,
    };
    let world = World::new(Some(""), "*", Clock::System, |options| {
        options.queue = limits;
    })
    .await;
    let following = world.follow();
    let (plain, knowing) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    plain.listen(OperationSet::ALL).await;
    knowing
        .0
        .subscribe(Subscribe {
            knows_control_frames: true,
            ..knowing.request("posts", OperationSet::ALL)
        })
        .await
        .unwrap();
    assert_eq!(knowing.frames(1).await, ["ack"]);
    for number in 1..=700 {
        world.log(&number.to_string()).await;
    }
    while world.position_of(plain.scope()) < 700 {
        tokio::task::yield_now().await;
    }
    assert!(plain.0.queue().is_behind() && knowing.0.queue().is_behind());
    world
        .log
        .retention(5, u64::MAX)
        .prune("2031-01-01T00:00:00Z".parse().unwrap(), i64::MAX)
        .await
        .unwrap();
    assert_eq!(knowing.frames(1).await, ["resync expired"]);
    world.log("701").await;
    assert_eq!(knowing.frames(1).await, ["create 701 {}"]);
    let mut frames = Vec::new();
    assert_eq!(
        plain.0.next_frames(&mut frames).await.close,
        Some(CloseReason::Overload)
    );
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_know_checkpoints_get_them_and_others_do_not() {
    let checkpoint = Duration::from_millis(20);
    let change = |options: &mut HubOptions| options.checkpoint = checkpoint;
    let world = World::new(Some("title = 'never'"), "*", Clock::System, change).await;
    let following = world.follow();
    let (plain, knowing) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    plain.listen(OperationSet::ALL).await;
    knowing
        .0
        .subscribe(Subscribe {
            knows_control_frames: true,
            ..knowing.request("posts", OperationSet::ALL)
        })
        .await
        .unwrap();
    assert_eq!(knowing.frames(1).await, ["ack"]);
    world.log("1").await;
    assert_eq!(knowing.frames(1).await, ["checkpoint 1"]);
    world.log("2").await;
    assert_eq!(knowing.frames(1).await, ["checkpoint 2"]);
    let mut frames = Vec::new();
    assert!(plain.0.next_frames(&mut frames).now_or_never().is_none());
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_never_behind_what_the_connection_was_told() {
    let checkpoint = Duration::from_millis(20);
    let change = |options: &mut HubOptions| options.checkpoint = checkpoint;
    let world = World::new(Some(""), "*", Clock::System, change).await;
    let witness = world.connect(&world.user("user"));
    witness.listen(OperationSet::ALL).await;
    world.protocol.1.store(3_000, Ordering::Relaxed);
    let created =
        |id: i64| world.change(ChangeKind::Create, &id.to_string(), None, Some(json!({})));
    world.publish(&(1..=100).map(created).collect::<Vec<_>>());
    // The shard has hardly begun, but a client that comes now is told of a later position.
    let begin = async |start: StartAt, told: &[&str]| {
        let client = world.connect(&world.user("user"));
        let request = client.request("posts", OperationSet::ALL);
        client
            .0
            .subscribe(Subscribe {
                start,
                knows_control_frames: true,
                ..request
            })
            .await
            .unwrap();
        assert_eq!(client.frames(told.len()).await, told);
        client
    };
    let snapshot = SnapshotStart {
        frames: vec![Bytes::from_static(b"page")],
        after: 100,
        ..SnapshotStart::default()
    };
    let clients = [
        begin(StartAt::Snapshot(snapshot), &["ack", "page", "live 100"]).await,
        begin(StartAt::Now, &["ack"]).await,
    ];
    world.create("next", json!({}));
    for client in clients {
        assert_eq!(client.frames(1).await, ["create next {}"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_knows_resyncs_is_told_when_rules_fields_or_rights_change() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let following = world.follow();
    let reader = world.user("reader");
    let now = Arc::new(std::sync::Mutex::new(reader.clone()));
    let current = now.clone();
    let check = move || std::future::ready(Ok(current.lock().unwrap().clone())).boxed();
    let client = world.connect_with(&reader, Box::new(check));
    client
        .0
        .subscribe(Subscribe {
            knows_control_frames: true,
            ..client.request("posts", OperationSet::ALL)
        })
        .await
        .unwrap();
    let plain = world.connect(&world.user("editor"));
    plain.listen(OperationSet::ALL).await;
    let mut principal = reader.principal().unwrap().as_ref().clone();
    principal.role = "editor".into();
    *now.lock().unwrap() = Caller::User(Arc::new(principal.clone()));
    world.hub.access_changed(principal.user_id).await;
    // A change that makes no difference to the rule is not told.
    principal.groups = vec!["any".into()];
    *now.lock().unwrap() = Caller::User(Arc::new(principal.clone()));
    world.hub.access_changed(principal.user_id).await;
    assert_eq!(client.frames(2).await, ["ack", "resync access"]);
    world.set_rule(Some("")).await;
    world.hub.catalog_changed();
    assert_eq!(client.frames(1).await, ["resync rules"]);
    let update = "UPDATE collections SET schema = $1 WHERE name = 'posts'";
    let schema = json!([{"name": "title", "type": "text"}]).to_string();
    world
        .db
        .execute(Stmt::fixed(update, vec![schema.into()]))
        .await
        .unwrap();
    world.catalog.reload().await.unwrap();
    world.hub.catalog_changed();
    assert_eq!(client.frames(1).await, ["resync schema"]);
    world.log("1").await;
    assert_eq!(client.frames(1).await, ["create 1 {}"]);
    assert_eq!(plain.frames(1).await, ["create 1 {}"]);
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_a_snapshot_shows_are_not_repeated_and_the_others_come() {
    let world = World::with_rule(Some("")).await;
    let following = world.follow();
    for number in 1..=10 {
        world.log(&number.to_string()).await;
    }
    let client = world.connect(&world.user("user"));
    let frames = vec![Bytes::from_static(b"page 1"), Bytes::from_static(b"page 2")];
    // The snapshot shows 8 and one that has not been handed out yet, but not 7 and 9.
    let snapshot = SnapshotStart {
        frames,
        after: 6,
        shown: vec![11, 8],
        ..SnapshotStart::default()
    };
    let start = StartAt::Snapshot(snapshot);
    client
        .0
        .subscribe(Subscribe {
            start,
            knows_control_frames: true,
            ..client.request("posts", OperationSet::ALL)
        })
        .await
        .unwrap();
    assert_eq!(client.frames(3).await, ["ack", "page 1", "page 2"]);
    let ((), frames) = tokio::join!(world.log("11"), client.frames(4));
    assert_eq!(
        frames,
        ["create 7 {}", "create 9 {}", "create 10 {}", "live 11"]
    );
    world.log("12").await;
    assert_eq!(client.frames(1).await, ["create 12 {}"]);
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_of_access_since_a_snapshot_is_told_before_the_events_that_show_it() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let following = world.follow();
    for number in 1..=3 {
        world.log(&number.to_string()).await;
    }
    while world.position_of(AccountScope::Account(world.account)) < 3 {
        tokio::task::yield_now().await;
    }
    let begin = async |caller: &Caller, snapshot: SnapshotStart| {
        let client = world.connect(caller);
        let start = StartAt::Snapshot(SnapshotStart {
            frames: vec![Bytes::from_static(b"page")],
            after: 1,
            ..snapshot
        });
        client
            .0
            .subscribe(Subscribe {
                start,
                knows_control_frames: true,
                ..client.request("posts", OperationSet::ALL)
            })
            .await
            .unwrap();
        client.frames(6).await
    };
    let editor = world.user("editor");
    let read = SnapshotStart {
        caller: Some(world.user("reader")),
        ..SnapshotStart::default()
    };
    let frames = begin(&editor, read).await;
    assert_eq!(
        frames,
        [
            "ack",
            "page",
            "resync access",
            "create 2 {}",
            "create 3 {}",
            "live 3"
        ]
    );
    let read = SnapshotStart {
        catalog: Some(world.catalog.current()),
        ..SnapshotStart::default()
    };
    world.set_rule(Some("")).await;
    world.hub.catalog_changed();
    let frames = begin(&editor, read).await;
    assert_eq!(
        frames,
        [
            "ack",
            "page",
            "resync rules",
            "create 2 {}",
            "create 3 {}",
            "live 3"
        ]
    );
    following.abort();
}
