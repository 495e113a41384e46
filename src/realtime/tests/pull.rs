//! What is read in the log: what was missed, and what was dropped.

use futures_util::future::join_all;

use super::*;
use crate::changes::Cursor;

fn since(client: &Client, cursor: Cursor) -> Subscribe {
    Subscribe {
        start: Start::After(cursor),
        notices: true,
        ..client.wish("posts", Operations::ALL)
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
async fn a_cursor_that_is_of_no_use_is_answered_with_resync_and_events_go_on() {
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
        while !client.0.outlet().is_complete(|_| true) {
            // What was written for the client before may follow the resync.
            let _ = client.0.next(&mut Vec::new()).now_or_never();
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
    let limits = Limits {
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
        client.listen(Operations::ALL).await;
    }
    let write = async |from: i64, to: i64| {
        for number in from..=to {
            world.log(&number.to_string()).await;
        }
    };
    let read = async |client: &Client| assert_eq!(client.frames(1000).await, creations(1..=1000));
    tokio::join!(write(1, 1000), join_all(readers.iter().map(read)));
    assert!(slow.0.queue().is_lagging());
    // It goes on reading while more is written, and then hears what happens like everyone else.
    let ((), frames) = tokio::join!(write(1001, 1200), slow.frames(1200));
    assert_eq!(frames, creations(1..=1200));
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_handed_events_again_while_one_is_handed_out_misses_nothing() {
    const EVENTS: usize = 1000;
    let limits = Limits {
        frames: 4,
        bytes: 1 << 20,
    };
    let rule = Some("@request.auth.role != 'nobody'");
    let world = World::new(rule, "*", Clock::System, |options| options.queue = limits).await;
    let following = world.follow();
    let connect = |number: usize| world.connect(&world.user(&format!("role {}", number % 6)));
    // They see with different eyes, so that it takes a while until all have been handed an event.
    let limping: Vec<Client> = (0..3).map(connect).collect();
    let others: Vec<Client> = (0..24).map(connect).collect();
    for client in limping.iter().chain(&others) {
        client.listen(Operations::ALL).await;
    }
    world.dialect.1.store(200, Ordering::Relaxed);
    let write = async {
        for number in 1..=EVENTS {
            world.log(&number.to_string()).await;
        }
    };
    let limp = async |client: &Client| {
        let is_behind = || client.0.queue().is_lagging();
        let end = i64::try_from(EVENTS).unwrap();
        let (mut frames, mut breaks) = (Vec::new(), 0);
        while frames.len() < EVENTS {
            while !is_behind() && world.hub.position_of(client.scope()) < end {
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
    let change = |options: &mut Options| (options.checkpoint, options.stall) = (beat, beat * 2);
    let world = World::new(Some(""), "*", Clock::System, change).await;
    let (deaf, idle) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    deaf.listen(Operations::ALL).await;
    world.create("1", json!({}));
    assert_eq!(deaf.closed().await, Close::Overload);
    // Whoever has nothing to read is not slow.
    idle.listen(Operations::ALL).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_behind_the_history_is_told_or_closed() {
    let limits = Limits {
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
    plain.listen(Operations::ALL).await;
    knowing
        .0
        .subscribe(Subscribe {
            notices: true,
            ..knowing.wish("posts", Operations::ALL)
        })
        .await
        .unwrap();
    assert_eq!(knowing.frames(1).await, ["ack"]);
    for number in 1..=700 {
        world.log(&number.to_string()).await;
    }
    while world.hub.position_of(plain.scope()) < 700 {
        tokio::task::yield_now().await;
    }
    assert!(plain.0.queue().is_lagging() && knowing.0.queue().is_lagging());
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
    assert_eq!(plain.0.next(&mut frames).await.close, Some(Close::Overload));
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_know_are_told_how_far_the_log_is_and_others_hear_nothing_of_it() {
    let checkpoint = Duration::from_millis(20);
    let change = |options: &mut Options| options.checkpoint = checkpoint;
    let world = World::new(Some("title = 'never'"), "*", Clock::System, change).await;
    let following = world.follow();
    let (plain, knowing) = (
        world.connect(&world.user("user")),
        world.connect(&world.user("user")),
    );
    plain.listen(Operations::ALL).await;
    knowing
        .0
        .subscribe(Subscribe {
            notices: true,
            ..knowing.wish("posts", Operations::ALL)
        })
        .await
        .unwrap();
    assert_eq!(knowing.frames(1).await, ["ack"]);
    world.log("1").await;
    assert_eq!(knowing.frames(1).await, ["checkpoint 1"]);
    world.log("2").await;
    assert_eq!(knowing.frames(1).await, ["checkpoint 2"]);
    let mut frames = Vec::new();
    assert!(plain.0.next(&mut frames).now_or_never().is_none());
    following.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_is_never_behind_what_the_connection_was_told() {
    let checkpoint = Duration::from_millis(20);
    let change = |options: &mut Options| options.checkpoint = checkpoint;
    let world = World::new(Some(""), "*", Clock::System, change).await;
    let witness = world.connect(&world.user("user"));
    witness.listen(Operations::ALL).await;
    world.dialect.1.store(3_000, Ordering::Relaxed);
    let created = |id: i64| world.change(ChangeKind::Create, &id.to_string(), None, Some(json!({})));
    world.publish(&(1..=100).map(created).collect::<Vec<_>>());
    // The shard has hardly begun, but who comes now is told of a later position.
    let begin = async |start: Start, told: &[&str]| {
        let client = world.connect(&world.user("user"));
        let wish = client.wish("posts", Operations::ALL);
        client
            .0
            .subscribe(Subscribe {
                start,
                notices: true,
                ..wish
            })
            .await
            .unwrap();
        assert_eq!(client.frames(told.len()).await, told);
        client
    };
    let snapshot = Snapshot {
        frames: vec![Bytes::from_static(b"page")],
        after: 100,
        ..Snapshot::default()
    };
    let clients = [
        begin(Start::Snapshot(snapshot), &["ack", "page", "live 100"]).await,
        begin(Start::Now, &["ack"]).await,
    ];
    world.create("next", json!({}));
    for client in clients {
        assert_eq!(client.frames(1).await, ["create next {}"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_knows_is_told_when_rules_fields_or_rights_change_what_it_sees() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let following = world.follow();
    let reader = world.user("reader");
    let now = Arc::new(std::sync::Mutex::new(reader.clone()));
    let current = now.clone();
    let recheck = move || std::future::ready(Ok(current.lock().unwrap().clone())).boxed();
    let client = world.connect_with(&reader, Box::new(recheck));
    client
        .0
        .subscribe(Subscribe {
            notices: true,
            ..client.wish("posts", Operations::ALL)
        })
        .await
        .unwrap();
    let plain = world.connect(&world.user("editor"));
    plain.listen(Operations::ALL).await;
    let mut principal = reader.principal().unwrap().as_ref().clone();
    principal.role = "editor".into();
    *now.lock().unwrap() = Caller::User(Arc::new(principal.clone()));
    world.hub.access_changed(principal.user_id).await;
    // What makes no difference to the rule is not told.
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
async fn what_a_snapshot_shows_is_not_repeated_and_what_it_misses_comes() {
    let world = World::with_rule(Some("")).await;
    let following = world.follow();
    for number in 1..=10 {
        world.log(&number.to_string()).await;
    }
    let client = world.connect(&world.user("user"));
    let frames = vec![Bytes::from_static(b"page 1"), Bytes::from_static(b"page 2")];
    // The snapshot shows 8 and one that has not been handed out yet, but not 7 and 9.
    let snapshot = Snapshot {
        frames,
        after: 6,
        shown: vec![11, 8],
        ..Snapshot::default()
    };
    let start = Start::Snapshot(snapshot);
    client
        .0
        .subscribe(Subscribe {
            start,
            notices: true,
            ..client.wish("posts", Operations::ALL)
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
async fn who_sees_otherwise_since_a_snapshot_hears_that_before_what_is_seen_so() {
    let world = World::with_rule(Some("@request.auth.role = 'editor'")).await;
    let following = world.follow();
    for number in 1..=3 {
        world.log(&number.to_string()).await;
    }
    while world.hub.position_of(Scope::Account(world.account)) < 3 {
        tokio::task::yield_now().await;
    }
    let begin = async |caller: &Caller, snapshot: Snapshot| {
        let client = world.connect(caller);
        let start = Start::Snapshot(Snapshot {
            frames: vec![Bytes::from_static(b"page")],
            after: 1,
            ..snapshot
        });
        client
            .0
            .subscribe(Subscribe {
                start,
                notices: true,
                ..client.wish("posts", Operations::ALL)
            })
            .await
            .unwrap();
        client.frames(6).await
    };
    let editor = world.user("editor");
    let read = Snapshot {
        caller: Some(world.user("reader")),
        ..Snapshot::default()
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
    let read = Snapshot {
        catalog: Some(world.catalog.current()),
        ..Snapshot::default()
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
