//! The queue as a publisher and its reader see it.

use super::*;

fn queue(frames: usize, bytes: usize) -> OutboundQueue {
    OutboundQueue::new(QueueLimits { frames, bytes })
}

fn event(queue: &OutboundQueue, shard: u32, position: i64) -> PushOutcome {
    queue.push_event(Bytes::from_static(b"x"), LogMark { shard, position })
}

fn taken(queue: &OutboundQueue) -> (Vec<Bytes>, Option<QueueSignals>) {
    let mut frames = Vec::new();
    let taken = queue.take(&mut frames);
    (frames, taken)
}

#[tokio::test]
async fn frames_come_out_in_order_and_at_once() {
    let queue = queue(100, 100);
    for text in ["a", "b", "c"] {
        assert_eq!(
            queue.push(Bytes::from_static(text.as_bytes())),
            PushOutcome::Queued
        );
    }
    queue.ready().await;
    let (frames, answer) = taken(&queue);
    assert_eq!(
        (frames, answer),
        (
            vec!["a".into(), "b".into(), "c".into()],
            Some(QueueSignals::default())
        )
    );
    assert_eq!(taken(&queue).1, None);
}

#[test]
fn too_many_events_are_dropped_and_answers_stay() {
    let queue = queue(8, 1000);
    queue.push(Bytes::from_static(b"ack"));
    let answers: Vec<PushOutcome> = (10..18)
        .map(|position| event(&queue, 1, position))
        .collect();
    assert_eq!(
        answers[..3],
        [
            PushOutcome::Congested,
            PushOutcome::Congested,
            PushOutcome::Congested
        ]
    );
    assert_eq!(answers[7], PushOutcome::Overflowed);
    assert_eq!(event(&queue, 1, 18), PushOutcome::Refused);
    assert_eq!(
        event(&queue, 2, 3),
        PushOutcome::Congested,
        "another shard's events are not concerned"
    );
    assert_eq!(
        queue.take_dropped(),
        Some(LogMark {
            shard: 1,
            position: 10
        })
    );
    assert_eq!(queue.take_dropped(), None, "the reader is told once");
    assert_eq!(taken(&queue).0, ["ack", "x"]);
    assert_eq!(event(&queue, 1, 19), PushOutcome::Refused);
    queue.resume_events(1);
    assert_eq!(event(&queue, 1, 20), PushOutcome::Queued);
    assert!(!queue.is_behind());
}

#[test]
fn a_checkpoint_that_is_dropped_takes_no_event_with_it() {
    let queue = queue(3, 1000);
    let checkpoint =
        |position| queue.push_checkpoint(position, || Some(Bytes::from_static(b"checkpoint")));
    checkpoint(10);
    checkpoint(10);
    event(&queue, 1, 11);
    assert_eq!(event(&queue, 1, 12), PushOutcome::Congested);
    checkpoint(13);
    assert_eq!(event(&queue, 1, 14), PushOutcome::Overflowed);
    // What was before it has been sent, and would come twice.
    assert_eq!(
        queue.take_dropped(),
        Some(LogMark {
            shard: 1,
            position: 11
        })
    );
    checkpoint(15);
    assert_eq!(taken(&queue).1, None);
    queue.resume_events(1);
    checkpoint(15);
    assert_eq!(taken(&queue).0, ["checkpoint"]);
}

#[test]
fn a_lone_frame_always_fits_and_too_many_answers_end_the_connection() {
    let queue = queue(100, 10);
    let large = Bytes::from(vec![b'x'; 50]);
    assert_eq!(
        queue.push_event(
            large,
            LogMark {
                shard: 0,
                position: 1
            }
        ),
        PushOutcome::Congested
    );
    assert_eq!(
        queue.push(Bytes::from_static(b"answer")),
        PushOutcome::Queued
    );
    assert_eq!(
        queue.push(Bytes::from_static(b"answer")),
        PushOutcome::Overflowed
    );
    assert_eq!(queue.push(Bytes::from_static(b"x")), PushOutcome::Refused);
    let (frames, answer) = taken(&queue);
    assert_eq!(
        (frames.len(), answer.unwrap().close),
        (0, Some(CloseReason::Overload))
    );
}

#[test]
fn a_reader_that_was_given_up_on_counts_again_when_it_reads() {
    let queue = queue(8, 1000);
    event(&queue, 0, 1);
    assert_eq!(event(&queue, 0, 2), PushOutcome::Congested);
    queue.give_up_waiting();
    assert!(!queue.is_congested());
    assert_eq!(event(&queue, 0, 3), PushOutcome::Queued);
    assert_eq!(queue.count_unread(), 1);
    assert_eq!(queue.count_unread(), 2);
    assert_eq!(taken(&queue).0.len(), 3);
    assert_eq!(queue.count_unread(), 0);
    event(&queue, 0, 4);
    assert_eq!(event(&queue, 0, 5), PushOutcome::Congested);
}

#[tokio::test]
async fn what_waits_is_sent_before_an_orderly_end() {
    let queue = queue(8, 100);
    queue.push(Bytes::from_static(b"last"));
    queue.close(CloseReason::GoingAway);
    queue.close(CloseReason::Revoked);
    let (frames, answer) = taken(&queue);
    assert_eq!(answer.unwrap().close, Some(CloseReason::GoingAway));
    assert_eq!(frames, ["last"]);
    assert_eq!(queue.closed().await, CloseReason::GoingAway);
}
