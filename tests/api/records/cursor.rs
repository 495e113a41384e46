use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, open};

crate::both![
    a_walk_visits_every_record_once_in_order,
    a_walk_backwards_shows_the_same_pages,
    an_offset_page_is_a_start_for_a_walk,
    totals_are_counted_on_request,
    cursors_that_are_wrong_are_refused,
    cursors_are_good_for_their_list_only,
    random_walks_see_every_old_record_once_while_others_are_written,
    a_walk_survives_writes_in_between,
];

/// Numbers with duplicates and nulls.
async fn numbers(backend: Backend) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "n", "type": "number"}, {"name": "t", "type": "text"}]);
    app.collection("numbers", &fields, &open()).await;
    let user = app.register().await;
    let number = |index: usize| {
        if index.is_multiple_of(4) {
            Value::Null
        } else {
            json!(index % 3)
        }
    };
    let text = |index: usize| {
        if index.is_multiple_of(5) {
            Value::Null
        } else {
            json!(["b", "a", "B"][index % 3])
        }
    };
    let records: Vec<Value> = (0..23)
        .map(|index| json!({"n": number(index), "t": text(index)}))
        .collect();
    user.post("/records/numbers/batch", &json!({"records": records}))
        .await
        .ok(201);
    (app, user)
}

async fn page(user: &User, sort: &str, key: &str, cursor: &str) -> Value {
    user.query(
        "/records/numbers",
        &[("sort", sort), ("limit", "4"), (key, cursor)],
    )
    .await
    .ok(200)
}

fn ids(page: &Value) -> Vec<String> {
    page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

const SORTS: [&str; 11] = [
    "n",
    "-n",
    "t",
    "-t",
    "t,-n",
    "-t,n",
    "-created_at",
    "id",
    "-id",
    "n,t,-created_at",
    "-n,-t",
];

async fn forward(user: &User, sort: &str) -> Vec<Value> {
    let mut pages = vec![page(user, sort, "cursor", "").await];
    while let Some(next) = pages.last().unwrap()["next_cursor"]
        .as_str()
        .map(str::to_owned)
    {
        assert_eq!(pages.last().unwrap()["has_more"], true);
        pages.push(page(user, sort, "cursor", &next).await);
        assert!(pages.len() < 20, "the walk by {sort} does not end");
    }
    assert_eq!(pages.last().unwrap()["has_more"], false);
    assert_eq!(pages[0]["prev_cursor"], Value::Null);
    pages
}

async fn a_walk_visits_every_record_once_in_order(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    for sort in SORTS {
        let walked: Vec<String> = forward(&user, sort).await.iter().flat_map(ids).collect();
        let unique: HashSet<&String> = walked.iter().collect();
        assert_eq!((walked.len(), unique.len()), (23, 23), "{sort}");
        let whole = user
            .query("/records/numbers", &[("sort", sort), ("limit", "100")])
            .await
            .ok(200);
        assert_eq!(walked, ids(&whole), "{sort}");
    }
}

async fn a_walk_backwards_shows_the_same_pages(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    for sort in SORTS {
        let pages = forward(&user, sort).await;
        let mut current = pages.last().unwrap().clone();
        for expected in pages.iter().rev().skip(1) {
            let previous = current["prev_cursor"].as_str().unwrap().to_owned();
            current = page(&user, sort, "cursor_before", &previous).await;
            assert_eq!(ids(&current), ids(expected), "{sort}");
            assert_eq!(current["has_more"], true, "{sort}");
        }
        assert_eq!(current["prev_cursor"], Value::Null, "{sort}");
    }
}

async fn an_offset_page_is_a_start_for_a_walk(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    let whole = user
        .query("/records/numbers", &[("sort", "n"), ("limit", "100")])
        .await
        .ok(200);
    let first = user
        .query(
            "/records/numbers",
            &[("sort", "n"), ("limit", "5"), ("skip", "5")],
        )
        .await
        .ok(200);
    let next = page(&user, "n", "cursor", first["next_cursor"].as_str().unwrap()).await;
    assert_eq!(ids(&next), ids(&whole)[10..14]);
    let before = page(
        &user,
        "n",
        "cursor_before",
        first["prev_cursor"].as_str().unwrap(),
    )
    .await;
    assert_eq!(ids(&before), ids(&whole)[1..5]);
}

async fn totals_are_counted_on_request(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    let uncounted = page(&user, "n", "cursor", "").await;
    assert_eq!(uncounted["total"], Value::Null);
    let query = [
        ("cursor", ""),
        ("include_count", "true"),
        ("limit", "3"),
        ("filter", "n = 1"),
    ];
    let counted = user.query("/records/numbers", &query).await.ok(200);
    let expected = user
        .query("/records/numbers", &[("filter", "n = 1")])
        .await
        .ok(200)["total"]
        .clone();
    assert_eq!(
        (&counted["total"], &counted["limit"], &counted["skip"]),
        (&expected, &json!(3), &json!(0))
    );
    user.query(
        "/records/numbers",
        &[("cursor", ""), ("include_count", "maybe")],
    )
    .await
    .refused(422, "");
}

async fn cursors_that_are_wrong_are_refused(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    let cursor = page(&user, "n", "cursor", "").await["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    for wrong in [
        "nonsense",
        "%%%",
        "e30",
        "bnVsbA",
        "W10",
        &cursor[1..],
        &format!("{cursor}xx"),
        "a\u{0}b",
    ] {
        let refusal = user
            .query("/records/numbers", &[("cursor", wrong), ("sort", "n")])
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid cursor", "{wrong}");
        let refusal = user
            .query(
                "/records/numbers",
                &[("cursor_before", wrong), ("sort", "n")],
            )
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid cursor_before", "{wrong}");
    }
    let both = user
        .query(
            "/records/numbers",
            &[
                ("cursor", &cursor),
                ("cursor_before", &cursor),
                ("sort", "n"),
            ],
        )
        .await;
    assert_eq!(
        both.refused(400, "")["error"],
        "Invalid pagination parameters"
    );
    // A cursor belongs to the order in which it was made.
    user.query("/records/numbers", &[("cursor", &cursor), ("sort", "-t")])
        .await
        .refused(400, "");
}

async fn cursors_are_good_for_their_list_only(backend: Backend) {
    let (app, user) = numbers(backend).await;
    let fields = json!([{"name": "n", "type": "number"}]);
    app.collection("others", &fields, &open()).await;
    let cursor = page(&user, "n", "cursor", "").await["next_cursor"]
        .as_str()
        .unwrap()
        .to_owned();
    // The same order in another spelling, and another user of the account.
    for sort in ["+n", " n", "n,id"] {
        page(&user, sort, "cursor", &cursor).await;
    }
    page(&app.colleague_of(&user).await, "n", "cursor", &cursor).await;
    let query = [("sort", "n"), ("cursor", cursor.as_str())];
    user.query("/records/others", &query).await.refused(400, "");
    for stranger in [app.register().await, app.admin.clone()] {
        let refusal = stranger
            .query("/records/numbers", &query)
            .await
            .refused(400, "");
        assert_eq!(refusal["error"], "Invalid cursor");
    }
}

/// Small numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn record(&mut self) -> Value {
        let number = [
            json!(null),
            json!(0),
            json!(-1.5),
            json!(2),
            json!(1e300),
            json!(0.1),
        ][self.below(6)]
        .clone();
        let text = [
            json!(null),
            json!(""),
            json!("a"),
            json!("B"),
            json!("ä'\""),
        ][self.below(5)]
        .clone();
        json!({"n": number, "t": text})
    }
}

/// Walks through the whole list in steps of random length, writing a few records between them, and
/// returns the old ones that it saw, in order.
async fn random_walk(
    user: &User,
    sort: &str,
    backwards: bool,
    old: &[String],
    dice: &mut Dice,
) -> Vec<String> {
    let mut seen = Vec::new();
    // Backwards from the end, which an offset page shows.
    let last = old.len().saturating_sub(1).to_string();
    let mut current = if backwards {
        user.query("/records/numbers", &[("sort", sort), ("skip", &last)])
            .await
            .ok(200)
    } else {
        page(user, sort, "cursor", "").await
    };
    loop {
        let mut shown = ids(&current);
        if backwards {
            shown.reverse();
        }
        seen.extend(shown.into_iter().filter(|id| old.contains(id)));
        for _ in 0..dice.below(3) {
            user.create("numbers", &dice.record()).await;
        }
        let (parameter, key) = if backwards {
            ("cursor_before", "prev_cursor")
        } else {
            ("cursor", "next_cursor")
        };
        let Some(cursor) = current[key].as_str().map(str::to_owned) else {
            return seen;
        };
        let limit = (1 + dice.below(7)).to_string();
        let query = [("sort", sort), ("limit", &limit), (parameter, &cursor)];
        current = user.query("/records/numbers", &query).await.ok(200);
    }
}

async fn random_walks_see_every_old_record_once_while_others_are_written(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    for round in 0..12 {
        let mut dice = Dice(round);
        let (sort, backwards) = (SORTS[dice.below(SORTS.len())], round % 2 == 1);
        let whole = user
            .query("/records/numbers", &[("sort", sort), ("limit", "100")])
            .await
            .ok(200);
        assert_eq!(whole["has_more"], false);
        let mut old = ids(&whole);
        // Somebody else writes all the while.
        let (done, mut others) = (AtomicBool::new(false), Dice(round + 100));
        let write = async {
            while !done.load(Ordering::Relaxed) {
                user.create("numbers", &others.record()).await;
            }
        };
        let walk = async {
            let seen = random_walk(&user, sort, backwards, &old, &mut dice).await;
            done.store(true, Ordering::Relaxed);
            seen
        };
        let ((), seen) = tokio::join!(write, walk);
        if backwards {
            old.reverse();
        }
        assert_eq!(seen, old, "round {round} by {sort}");
        // The newest forty stay, so that a page shows all of them the next time.
        loop {
            let surplus = user
                .query("/records/numbers", &[("skip", "40"), ("limit", "100")])
                .await
                .ok(200);
            if ids(&surplus).is_empty() {
                break;
            }
            user.delete_with("/records/numbers/batch", &json!({"ids": ids(&surplus)}))
                .await
                .ok(200);
        }
    }
}

async fn a_walk_survives_writes_in_between(backend: Backend) {
    let (_app, user) = numbers(backend).await;
    let first = page(&user, "n", "cursor", "").await;
    let (seen, next) = (
        ids(&first),
        first["next_cursor"].as_str().unwrap().to_owned(),
    );
    // The record that the cursor stands on goes away.
    user.delete(&format!("/records/numbers/{}", seen.last().unwrap()))
        .await
        .ok(204);
    let whole = user
        .query("/records/numbers", &[("sort", "n"), ("limit", "100")])
        .await
        .ok(200);
    assert_eq!(
        ids(&page(&user, "n", "cursor", &next).await),
        ids(&whole)[3..7]
    );
}
