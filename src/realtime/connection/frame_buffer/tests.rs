//! The frames of rooms in a queue. Events and answers are tested with the queue.

use super::*;

const LIMITS: QueueLimits = QueueLimits {
    frames: 2,
    bytes: 100,
};

fn room(name: &str) -> Arc<str> {
    name.into()
}

fn frame(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn take(buffer: &mut FrameBuffer) -> (Vec<Bytes>, RoomSignals) {
    let mut frames = Vec::new();
    let signals = buffer.take(&mut frames);
    (frames, signals)
}

#[test]
fn the_oldest_messages_make_room_and_are_counted() {
    let (a, b) = (room("a"), room("b"));
    let mut buffer = FrameBuffer::default();
    buffer.add_room_message(&a, &frame("1"), LIMITS);
    buffer.add_room_message(&b, &frame("2"), LIMITS);
    assert!(buffer.add_room_answer(frame("ack"), LIMITS));
    for text in ["3", "4", "5"] {
        buffer.add_room_message(&a, &frame(text), LIMITS);
    }
    let (frames, signals) = take(&mut buffer);
    assert_eq!(frames, ["ack", "4", "5"]);
    assert_eq!(signals.lost, [(a.clone(), 2), (b, 1)]);
    buffer.add_room_message(&a, &frame("6"), LIMITS);
    assert_eq!(
        take(&mut buffer),
        (vec![frame("6")], RoomSignals::default())
    );
    assert!(buffer.is_empty());
}

#[test]
fn messages_are_bounded_in_bytes_but_a_lone_one_fits() {
    let a = room("a");
    let limits = QueueLimits {
        frames: 100,
        bytes: 4,
    };
    let mut buffer = FrameBuffer::default();
    for text in ["123456", "12", "34"] {
        buffer.add_room_message(&a, &frame(text), limits);
    }
    let (frames, signals) = take(&mut buffer);
    assert_eq!(frames, ["12", "34"]);
    assert_eq!(signals.lost, [(a, 1)]);
}

#[test]
fn unread_presence_changes_become_the_whole_state() {
    let (a, b) = (room("a"), room("b"));
    let mut buffer = FrameBuffer::default();
    for (room, text) in [(&a, "1"), (&b, "2"), (&a, "3"), (&a, "4")] {
        buffer.add_presence_change(room, &frame(text));
    }
    let (frames, signals) = take(&mut buffer);
    assert_eq!(
        (frames, signals.state_of),
        (vec![frame("2")], Some(a.clone()))
    );
    buffer.add_presence_change(&a, &frame("5"));
    assert_eq!(
        take(&mut buffer),
        (vec![frame("5")], RoomSignals::default())
    );
}

#[test]
fn states_are_taken_one_by_one() {
    let (a, b) = (room("a"), room("b"));
    let mut buffer = FrameBuffer::default();
    for room in [&a, &a, &b, &b] {
        buffer.add_presence_change(room, &frame("1"));
    }
    assert!(buffer.add_room_answer(frame("ack"), LIMITS));
    for room in [a, b] {
        let (frames, signals) = take(&mut buffer);
        assert_eq!((frames, signals.state_of), (vec![], Some(room)));
    }
    assert_eq!(take(&mut buffer).0, ["ack"]);
}

#[test]
fn no_frame_of_a_room_comes_after_it_was_left() {
    let (a, b) = (room("a"), room("b"));
    let mut buffer = FrameBuffer::default();
    for text in ["1", "2", "3"] {
        buffer.add_room_message(&a, &frame(text), LIMITS);
    }
    buffer.add_presence_change(&a, &frame("4"));
    buffer.remove_room(&a);
    buffer.add_room_message(&b, &frame("5"), LIMITS);
    buffer.add_room_message(&b, &frame("6"), LIMITS);
    assert_eq!(
        take(&mut buffer),
        (vec![frame("5"), frame("6")], RoomSignals::default())
    );
}

#[test]
fn unread_answers_are_bounded() {
    let limits = QueueLimits {
        frames: 2,
        bytes: 4,
    };
    let mut buffer = FrameBuffer::default();
    let lone = "a very long answer, which is alone";
    assert!(buffer.add_room_answer(frame(lone), limits));
    assert!(!buffer.add_room_answer(frame("x"), limits));
    assert_eq!(take(&mut buffer).0, [lone]);
}

#[test]
fn rooms_and_records_do_not_push_each_other_out() {
    let a = room("a");
    let mut buffer = FrameBuffer::default();
    let mark = LogMark {
        shard: 0,
        position: 7,
    };
    buffer.add_answer(frame("ack"));
    buffer.add_event(frame("event"), mark);
    for text in ["1", "2", "3"] {
        buffer.add_room_message(&a, &frame(text), LIMITS);
    }
    assert!(!buffer.has_room(&frame("x"), LIMITS));
    buffer.drop_events();
    assert_eq!(buffer.dropped().collect::<Vec<_>>(), [mark]);
    assert!(buffer.has_room(&frame("x"), LIMITS));
    let (frames, signals) = take(&mut buffer);
    assert_eq!(frames, ["ack", "2", "3"]);
    assert_eq!(signals.lost, [(a, 1)]);
}
