//! Random histories with cascades, masks and batches that fail, heard by clients that come and go:
//! what they hold is what the list shows.

use std::collections::HashMap;

use serde_json::{Value, json};

use crate::harness::{Backend, Sse, TestApp, User, open, soon};

crate::both![clients_that_come_and_go_hold_what_the_list_shows];

/// How many random histories are tried; each has a seed of its own.
const HISTORIES: u64 = 3;
const WRITERS: u64 = 3;
const TURNS: u64 = 25;
const TOPICS: &str = "?collections=items,marks";

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

async fn clients_that_come_and_go_hold_what_the_list_shows(backend: Backend) {
    for seed in 0..HISTORIES {
        let app = TestApp::spawn(backend).await;
        let fields = json!([
            {"name": "n", "type": "number"},
            {"name": "owner", "type": "text"},
            {"name": "phone", "type": "text", "pii": true, "mask_type": "phone"},
            {"name": "parent", "type": "reference", "collection": "items", "on_delete": "cascade"}
        ]);
        app.collection("items", &fields, &open()).await;
        app.rules(
            "items",
            &json!({"list_rule": "n > 3 && (owner = @request.auth.id || n < 12 || @has_group('pii_access'))"}),
        )
        .await;
        app.collection("marks", &json!([{"name": "n", "type": "number"}]), &open())
            .await;
        let member = app.register().await;
        let other = app.colleague_of(&member).await;
        let writers = (0..WRITERS)
            .map(|writer| write(member.clone(), other.clone(), Dice(seed * 100 + writer)));
        let writing = async {
            soon("the writers", futures_util::future::join_all(writers)).await;
            // Whoever listens stops at the mark.
            member.create("marks", &json!({"n": 1})).await;
        };
        // Listening comes first: what was written before would be in the list, and in no event.
        let (to_member, to_other) = (
            Sse::open(&member, TOPICS).await,
            Sse::open(&other, TOPICS).await,
        );
        let ((), of_member, of_other) = tokio::join!(
            writing,
            follow(to_member, &member, Dice(seed)),
            follow(to_other, &other, Dice(seed + 50))
        );
        for (user, held) in [(&member, of_member), (&other, of_other)] {
            assert_eq!(held, listed(user).await, "seed {seed}, {}", user.email);
        }
    }
}

/// Creates, changes, deletes, alone and in batches, with references that cascade.
async fn write(member: User, other: User, mut dice: Dice) {
    let mut own: Vec<String> = Vec::new();
    for _ in 0..TURNS {
        let user = if dice.roll(2) == 0 { &member } else { &other };
        let owner = if dice.roll(2) == 0 {
            &member.id
        } else {
            &other.id
        };
        let body = json!({"n": dice.roll(16), "owner": owner, "phone": format!("+49 {}", dice.roll(1_000_000))});
        let some = |own: &[String], dice: &mut Dice| {
            usize::try_from(dice.roll(own.len() as u64))
                .map(|at| own[at].clone())
                .unwrap()
        };
        match dice.roll(6) {
            0 | 1 => own.push(user.create_id("items", &body).await),
            2 if !own.is_empty() => {
                // The parent may be gone with its own parent already.
                let parent = some(&own, &mut dice);
                let mut child = body.clone();
                child["parent"] = json!(parent);
                let answer = user.post("/records/items", &child).await;
                assert!([201, 400].contains(&answer.status), "{}", answer.text);
                own.extend(answer.body["id"].as_str().map(str::to_owned));
            }
            3 if !own.is_empty() => {
                let answer = user
                    .delete(&format!("/records/items/{}", some(&own, &mut dice)))
                    .await;
                assert!([204, 404].contains(&answer.status), "{}", answer.text);
            }
            4 => {
                let records = json!({"records": [body, {"n": dice.roll(16)}, {"n": if dice.roll(3) == 0 { json!("bad") } else { json!(5) }}]});
                let answer = user.post("/records/items/batch", &records).await;
                assert!([201, 400].contains(&answer.status), "{}", answer.text);
            }
            _ if !own.is_empty() => {
                let answer = user
                    .patch(&format!("/records/items/{}", some(&own, &mut dice)), &body)
                    .await;
                assert!([200, 404].contains(&answer.status), "{}", answer.text);
            }
            _ => {}
        }
    }
}

/// Applies events until the mark, and hangs up again and again meanwhile.
async fn follow(mut stream: Sse, user: &User, mut dice: Dice) -> HashMap<String, Value> {
    let mut held = HashMap::new();
    let mut left = dice.roll(10) + 1;
    loop {
        let event = stream.event().await;
        let frame = event.data;
        if frame["collection"] == "marks" {
            return held;
        }
        let id = frame["id"].as_str().unwrap().to_owned();
        if frame["operation"] == "delete" {
            held.remove(&id);
        } else {
            held.insert(id, comparable(&frame["data"]));
        }
        left -= 1;
        if left == 0 {
            left = dice.roll(10) + 1;
            stream = Sse::resume(user, TOPICS, &event.id.unwrap()).await;
        }
    }
}

/// Lists show the account's name, events do not.
fn comparable(record: &Value) -> Value {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("account_name");
    record
}

async fn listed(user: &User) -> HashMap<String, Value> {
    let page = user.get("/records/items?limit=100").await.ok(200);
    assert_eq!(page["has_more"], false);
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| (item["id"].as_str().unwrap().to_owned(), comparable(item)))
        .collect()
}
