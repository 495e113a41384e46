//! What comes faster than it can be handed out.

use crate::changes::Most;

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
    let most = Most {
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
async fn what_there_is_no_room_for_is_read_in_the_log_and_then_events_are_handed_over_again() {
    let world = crowded(1200).await;
    let client = world.connect(&world.user("user"));
    client.listen(Operations::ALL).await;
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
async fn who_cannot_be_told_what_has_happened_begins_anew() {
    let world = crowded(20).await;
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
    assert_eq!(plain.closed().await, Close::Overload);
    world.position.store(100, Ordering::Relaxed);
    world.create("next", json!({}));
    assert_eq!(knowing.frames(1).await, ["create next {}"]);
}

#[tokio::test]
async fn who_subscribes_hears_nothing_of_what_was_written_before_and_still_waits() {
    let world = crowded(50).await;
    let witness = world.connect(&world.user("user"));
    witness.listen(Operations::ALL).await;
    world.dialect.1.store(5_000, Ordering::Relaxed);
    world.publish(&entries(&world).await);
    let client = world.connect(&world.user("user"));
    client.listen(Operations::ALL).await;
    world.log("next").await;
    world.publish(&entries(&world).await[50..]);
    assert_eq!(client.frames(1).await, ["create next {}"]);
    assert_eq!(witness.frames(51).await.last().unwrap(), "create next {}");
}
