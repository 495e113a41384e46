//! Changes that come faster than they can be delivered.

use crate::changes::ReadLimit;

use super::*;

/// A world whose shards have room for a few changes only, and entries in its log.
async fn crowded(entries: usize) -> World {
    let world = World::new(Some(""), "*", Clock::System, |options| options.backlog = 4).await;
    for number in 0..entries {
        world.log(&number.to_string()).await;
    }
    world
}

async fn entries(world: &World) -> Vec<Arc<Change>> {
    let most = ReadLimit {
        entries: 10_000,
        bytes: 1 << 30,
    };
    let read = world
        .log
        .read_between(0, i64::MAX, None, most)
        .await
        .unwrap()
        .unwrap();
    read.changes.into_iter().map(Arc::new).collect()
}

#[tokio::test]
async fn changes_beyond_the_backlog_are_read_in_the_log_and_later_ones_are_handed_over_again() {
    let world = crowded(1200).await;
    let client = world.connect(&world.user("user"));
    client.listen(OperationSet::ALL).await;
    world.publish(&entries(&world).await);
    let expected: Vec<String> = (0..1200)
        .map(|number| format!("create {number} {{}}"))
        .collect();
    assert_eq!(client.frames(1200).await, expected);
    // These are not in the log.
    world.position.store(2000, Ordering::Relaxed);
    world.create("next", json!({}));
    world.create("last", json!({}));
    assert_eq!(client.frames(2).await, ["create next {}", "create last {}"]);
}

#[tokio::test]
async fn subscribers_of_changes_that_the_log_lost_fetch_everything_again() {
    let world = crowded(20).await;
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
    let changes = entries(&world).await;
    let prune = "DELETE FROM change_log WHERE position <= $1";
    world
        .db
        .execute(Stmt::fixed(prune, vec![15.into()]))
        .await
        .unwrap();
    world.publish(&changes);
    let told: Vec<String> = (0..4)
        .map(|number| format!("create {number} {{}}"))
        .collect();
    assert_eq!(
        knowing.frames(5).await,
        [&told[..], &["resync expired".to_owned()]].concat()
    );
    assert_eq!(plain.closed().await, CloseReason::Overload);
    world.position.store(100, Ordering::Relaxed);
    world.create("next", json!({}));
    assert_eq!(knowing.frames(1).await, ["create next {}"]);
}

#[tokio::test]
async fn a_new_subscriber_is_not_told_of_earlier_writes_that_still_wait() {
    let world = crowded(50).await;
    let witness = world.connect(&world.user("user"));
    witness.listen(OperationSet::ALL).await;
    world.protocol.1.store(5_000, Ordering::Relaxed);
    world.publish(&entries(&world).await);
    let client = world.connect(&world.user("user"));
    client.listen(OperationSet::ALL).await;
    world.log("next").await;
    world.publish(&entries(&world).await[50..]);
    assert_eq!(client.frames(1).await, ["create next {}"]);
    assert_eq!(witness.frames(51).await.last().unwrap(), "create next {}");
}
