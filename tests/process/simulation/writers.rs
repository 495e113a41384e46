//! Those who write, as long as something else happens.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::cluster::Answer;
use super::dice::Dice;
use super::world::{HUGE, Person, World};

/// What each writes at least.
const TURNS: u64 = 20;
/// How often slow readers stop reading while much is written.
const FLOODS: usize = 2;
/// Records of a flood, and the bytes of each: together more than sockets hold.
const WAVES: u64 = 12;
const WAVE: usize = 256 * 1024;
/// Batches that follow while slow readers catch up, their records, and the milliseconds between
/// them.
const RIPPLES: u64 = 6;
const RIPPLE: u64 = 15;
const RIPPLE_PAUSE: u64 = 60;

struct Writer<'a> {
    world: &'a World,
    name: String,
    dice: Dice,
    records: Vec<String>,
    topics: Vec<String>,
}

/// Creates, changes and deletes, alone and in batches, with references that cascade; some of it
/// fails half-way.
pub async fn write(world: &World, number: usize, dice: Dice) {
    let name = format!("writer {number}");
    let mut writer = Writer {
        world,
        name,
        dice,
        records: Vec::new(),
        topics: Vec::new(),
    };
    let mut turn = 0;
    while turn < TURNS || !world.calm.load(Ordering::Relaxed) {
        turn += 1;
        writer.turn().await;
        writer.dice.pause(0, 12).await;
    }
}

impl Writer<'_> {
    async fn say(
        &mut self,
        person: &Person,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Option<Answer> {
        let node = self.dice.index(self.world.cluster.nodes());
        let answer = self
            .world
            .cluster
            .ask(node, person, method.clone(), path, Some(body))
            .await;
        let status = answer.as_ref().map_or(0, |answer| answer.status);
        self.world
            .trace
            .note(&self.name, format_args!("{method} {path} {body} {status}"));
        let may_be = [0, 200, 201, 204, 400, 404, 409];
        let shut_out = status == 401 && person.id == self.world.third.id;
        assert!(
            may_be.contains(&status) || shut_out,
            "{method} {path} {body}: {answer:?}"
        );
        answer.filter(|answer| answer.status < 300)
    }

    /// A record to write.
    fn record(&mut self) -> Value {
        let world = self.world;
        let people = [
            &world.member,
            &world.colleague,
            &world.third,
            &world.stranger,
        ];
        let owner = people[self.dice.index(people.len())];
        let (n, phone) = (self.dice.roll(16), self.dice.roll(1_000_000));
        json!({"n": n, "stamp": world.stamp(), "owner": owner.id, "phone": format!("+49 {phone:06}"),
            "secret": format!("secret {n}")})
    }

    /// A topic to write. Nobody changes it later: that would be told to nobody who sees it in a
    /// record.
    fn topic(&mut self, person: &Person) -> Value {
        let own = |(_, account): &&(String, String)| *account == person.account_id;
        let areas: Vec<&String> = self
            .world
            .areas
            .iter()
            .filter(own)
            .map(|(area, _)| area)
            .collect();
        let area = if areas.is_empty() {
            Value::Null
        } else {
            json!(self.dice.pick(&areas))
        };
        let (title, hint) = (
            *self.dice.pick(&["some", "other"]),
            self.dice.roll(1_000_000),
        );
        json!({"title": title, "hint": format!("+49 {hint:06}"), "area": area})
    }

    fn some(&mut self, most: usize) -> Vec<String> {
        let count = 1 + self.dice.index(most);
        let mut some: Vec<String> = (0..count)
            .map(|_| self.dice.pick(&self.records).clone())
            .collect();
        some.sort();
        some.dedup();
        some
    }

    async fn turn(&mut self) {
        let world = self.world;
        let people = [
            &world.member,
            &world.colleague,
            &world.third,
            &world.stranger,
            &world.admin,
        ];
        let person = people[self.dice.index(people.len())];
        let (deed, mut body) = (self.dice.roll(16), self.record());
        if self.records.is_empty() && deed < 10 {
            return self.create(person, &body).await;
        }
        match deed {
            0 => {
                let id = self
                    .records
                    .swap_remove(self.dice.index(self.records.len()));
                self.say(
                    person,
                    Method::DELETE,
                    &format!("/records/items/{id}"),
                    &json!({}),
                )
                .await;
            }
            1..=4 => {
                let id = self.dice.pick(&self.records).clone();
                self.say(
                    person,
                    Method::PATCH,
                    &format!("/records/items/{id}"),
                    &body,
                )
                .await;
            }
            5 | 6 => {
                body["parent"] = json!(self.dice.pick(&self.records));
                self.create(person, &body).await;
            }
            7 => {
                let some: Vec<Value> = self
                    .some(8)
                    .into_iter()
                    .map(|id| json!({"id": id, "data": self.record()}))
                    .collect();
                self.say(
                    person,
                    Method::PATCH,
                    "/records/items/batch",
                    &json!({"records": some}),
                )
                .await;
            }
            8 => {
                let ids = self.some(4);
                self.records.retain(|id| !ids.contains(id));
                self.say(
                    person,
                    Method::DELETE,
                    "/records/items/batch",
                    &json!({"ids": ids}),
                )
                .await;
            }
            9 => {
                let anchor = self.dice.pick(&world.anchors).clone();
                if !self.topics.is_empty() {
                    body["topic"] = json!(self.dice.pick(&self.topics));
                }
                self.say(
                    &world.member,
                    Method::PATCH,
                    &format!("/records/items/{anchor}"),
                    &body,
                )
                .await;
            }
            10 | 11 => {
                // More at once than a queue holds. The last one may clash, and then the others must
                // not be heard of.
                let mut records = vec![body];
                records.extend((0..self.dice.roll(20)).map(|_| self.record()));
                if self.dice.once_in(2) {
                    let mut clash = self.record();
                    clash["code"] = json!("taken");
                    records.push(clash);
                }
                let answer = self
                    .say(
                        person,
                        Method::POST,
                        "/records/items/batch",
                        &json!({"records": records}),
                    )
                    .await;
                let created = answer.and_then(|answer| answer.body["created"].as_array().cloned());
                self.records.extend(
                    created
                        .iter()
                        .flatten()
                        .filter_map(|made| made["id"].as_str().map(str::to_owned)),
                );
            }
            12 => {
                let topic = self.topic(person);
                let made = self
                    .say(person, Method::POST, "/records/topics", &topic)
                    .await;
                self.topics
                    .extend(made.and_then(|made| made.body["id"].as_str().map(str::to_owned)));
            }
            13 if !self.topics.is_empty() && self.dice.once_in(3) => {
                let topic = self.topics.swap_remove(self.dice.index(self.topics.len()));
                self.say(
                    person,
                    Method::DELETE,
                    &format!("/records/topics/{topic}"),
                    &json!({}),
                )
                .await;
            }
            13 | 14 if !self.topics.is_empty() => {
                body["topic"] = json!(self.dice.pick(&self.topics));
                self.create(person, &body).await;
            }
            _ => self.create(person, &body).await,
        }
    }

    async fn create(&mut self, person: &Person, body: &Value) {
        let made = self.say(person, Method::POST, "/records/items", body).await;
        self.records
            .extend(made.and_then(|made| made.body["id"].as_str().map(str::to_owned)));
    }
}

/// Puts slow readers to sleep, and writes more meanwhile than sockets and queues can hold.
pub async fn flood(world: &World, mut dice: Dice) {
    let text = "x".repeat(WAVE);
    let ask = async |dice: &mut Dice, method: Method, path: &str, body: &Value| {
        world
            .cluster
            .ask(
                dice.index(world.cluster.nodes()),
                &world.member,
                method,
                path,
                Some(body),
            )
            .await
    };
    for _ in 0..FLOODS {
        dice.pause(50, 400).await;
        world.trace.note("flood", "begins");
        world.asleep.store(true, Ordering::Relaxed);
        let mut made = Vec::new();
        for n in HUGE..HUGE + WAVES {
            let wave =
                json!({"n": n, "stamp": world.stamp(), "body": text, "owner": world.member.id});
            let answer = ask(&mut dice, Method::POST, "/records/items", &wave).await;
            made.extend(answer.and_then(|answer| answer.body["id"].as_str().map(str::to_owned)));
        }
        world.asleep.store(false, Ordering::Relaxed);
        world.trace.note("flood", format_args!("ends: {made:?}"));
        ripple(world, &mut dice).await;
        for id in made {
            let path = format!("/records/items/{id}");
            let small = json!({"n": HUGE, "stamp": world.stamp(), "body": ""});
            let (method, body) = if dice.once_in(2) {
                (Method::DELETE, json!({}))
            } else {
                (Method::PATCH, small)
            };
            ask(&mut dice, method, &path, &body).await;
        }
    }
}

/// Changes some records again and again, all at once.
async fn ripple(world: &World, dice: &mut Dice) {
    let record = || json!({"n": HUGE, "stamp": world.stamp(), "owner": world.member.id});
    let mut records: Vec<Value> = (0..RIPPLE).map(|_| record()).collect();
    let mut method = Method::POST;
    for _ in 0..RIPPLES {
        let (node, body) = (
            dice.index(world.cluster.nodes()),
            json!({"records": records}),
        );
        let answer = world
            .cluster
            .ask(
                node,
                &world.member,
                method.clone(),
                "/records/items/batch",
                Some(&body),
            )
            .await;
        if let Some(made) = answer
            .as_ref()
            .and_then(|answer| answer.body["created"].as_array())
        {
            method = Method::PATCH;
            records = made.iter().map(|made| json!({"id": made["id"]})).collect();
        }
        for record in records.iter_mut().filter(|record| record["id"].is_string()) {
            record["data"] = json!({"stamp": world.stamp()});
        }
        dice.pause(0, RIPPLE_PAUSE).await;
    }
}
