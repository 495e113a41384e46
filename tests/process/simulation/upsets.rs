//! What changes while others write and listen: who sees what, and which servers there are.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::dice::Dice;
use super::listener::Listener;
use super::world::{Person, RULES, TARGET_RULES, World, fields, topic_fields};
use crate::harness::eventually;

/// Changes of rights and rules.
const DEEDS: usize = 12;
/// How often a server goes away.
const CRASHES: usize = 2;

/// Changes what people may see.
pub async fn upset(world: &World, listeners: &[Listener], mut dice: Dice) {
    let (mut more_fields, mut badges) = (0, Vec::new());
    for _ in 0..DEEDS {
        dice.pause(20, 90).await;
        let rule = if dice.once_in(10) {
            Value::Null
        } else {
            json!(dice.pick(&RULES))
        };
        let shown = if dice.once_in(2) {
            json!("*")
        } else {
            json!(["n", "stamp", "owner", "phone"])
        };
        let target_rule = if dice.once_in(10) {
            Value::Null
        } else {
            json!(dice.pick(&TARGET_RULES))
        };
        let deed = match dice.roll(15) {
            0..=2 => {
                world.rules("items", &json!({"list_rule": rule})).await;
                format!("list rule: {rule}")
            }
            3 => {
                world.rules("items", &json!({"view_rule": rule})).await;
                format!("view rule: {rule}")
            }
            4 => {
                let which = *dice.pick(&["list_fields", "view_fields"]);
                world.rules("items", &json!({which: shown})).await;
                format!("{which}: {shown}")
            }
            5 => {
                more_fields += 1;
                let (name, fields) = *dice.pick(&[
                    ("items", fields as fn(u64) -> Value),
                    ("topics", topic_fields),
                ]);
                let body = json!({"fields": fields(more_fields)});
                let answer = world
                    .command(Method::PUT, &format!("/collections/{name}"), &body)
                    .await;
                assert_eq!(answer.status, 200, "{answer:?}");
                format!("{more_fields} more fields of {name}")
            }
            6 => import(world, &rule).await,
            7 => {
                let number = 1 + dice.roll(2);
                let path = format!("/users/{}", world.colleague.id);
                let answer = world
                    .command(Method::PATCH, &path, &json!({"role_id": number}))
                    .await;
                assert_eq!(answer.status, 200, "{answer:?}");
                format!("role of the colleague: {number}")
            }
            8 | 9 => {
                let group = dice.index(2);
                membership(
                    world,
                    &world.groups[group],
                    &world.colleague,
                    dice.once_in(2),
                )
                .await
            }
            10 | 11 => {
                let target = *dice.pick(&["topics", "topics", "areas"]);
                world
                    .rules(target, &json!({"view_rule": target_rule}))
                    .await;
                format!("view rule of {target}: {target_rule}")
            }
            12 => {
                let shown = if dice.once_in(2) {
                    json!("*")
                } else {
                    json!(["title", "area"])
                };
                world.rules("topics", &json!({"view_fields": shown})).await;
                format!("view_fields of topics: {shown}")
            }
            13 => badge(world, &mut badges, &mut dice).await,
            _ => shut_out(world, listeners, &world.third).await,
        };
        world.trace.note("upset", deed);
    }
}

/// Changes a rule by importing the collection.
async fn import(world: &World, rule: &Value) -> String {
    let export = format!("/collections/export?collection_ids={}", world.items);
    let mut data = world
        .cluster
        .insist(&world.admin, Method::GET, &export, None)
        .await
        .body;
    data["collections"][0]["rules"]["list_rule"] = rule.clone();
    let body = json!({"data": data, "strategy": "update"});
    let answer = world
        .command(Method::POST, "/collections/import", &body)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    format!("imported with the list rule {rule}")
}

async fn membership(world: &World, group: &str, person: &Person, joins: bool) -> String {
    let users = format!("/groups/{group}/users");
    let answer = if joins {
        world
            .command(Method::POST, &users, &json!({"user_id": person.id}))
            .await
    } else {
        world
            .command(
                Method::DELETE,
                &format!("{users}/{}", person.id),
                &json!({}),
            )
            .await
    };
    assert!([201, 204, 409].contains(&answer.status), "{answer:?}");
    format!(
        "the colleague {} {group}",
        if joins { "joins" } else { "leaves" }
    )
}

/// Gives somebody a badge, changes one, or takes one away.
async fn badge(world: &World, badges: &mut Vec<String>, dice: &mut Dice) -> String {
    let holder = *dice.pick(&[&world.member, &world.colleague, &world.third]);
    let body = json!({"holder": holder.id, "least": dice.roll(12), "note": "new"});
    let known = (!badges.is_empty())
        .then(|| dice.index(badges.len()))
        .filter(|_| dice.once_in(2));
    let insist = async |method, path: &str, body| {
        let answer = world
            .cluster
            .insist(&world.member, method, path, Some(body))
            .await;
        // What nobody answered may have been done all the same.
        assert!(answer.status < 300 || answer.status == 404, "{answer:?}");
        answer.body["id"].as_str().map(str::to_owned)
    };
    match known {
        None => badges.extend(insist(Method::POST, "/records/badges", &body).await),
        Some(index) if dice.once_in(2) => {
            insist(
                Method::PATCH,
                &format!("/records/badges/{}", badges[index]),
                &body,
            )
            .await;
        }
        Some(index) => {
            insist(
                Method::DELETE,
                &format!("/records/badges/{}", badges.swap_remove(index)),
                &json!({}),
            )
            .await;
        }
    }
    format!("badges: {badges:?}")
}

/// Deactivates somebody until every connection has noticed.
async fn shut_out(world: &World, listeners: &[Listener], person: &Person) -> String {
    person.active.store(false, Ordering::Relaxed);
    let path = format!("/users/{}", person.id);
    let answer = world
        .command(Method::PATCH, &path, &json!({"is_active": false}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    world.trace.note("upset", "the third is shut out");
    let all_out = async || {
        listeners
            .iter()
            .all(|listener| !listener.is_of(person) || listener.is_out())
    };
    eventually(
        "the end of the connections of somebody who was deactivated",
        all_out,
    )
    .await;
    let answer = world
        .command(Method::PATCH, &path, &json!({"is_active": true}))
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    person.active.store(true, Ordering::Relaxed);
    "the third is back".to_owned()
}

/// Takes servers away, and brings them back.
pub async fn crash(world: &World, mut dice: Dice) {
    let cluster = &world.cluster;
    if !cluster.can_crash() {
        return;
    }
    for _ in 0..CRASHES {
        dice.pause(100, 500).await;
        let (node, good_order) = (dice.index(cluster.nodes()), dice.once_in(3));
        world.trace.note(
            "crash",
            format_args!(
                "node {node}, {}",
                if good_order {
                    "in good order"
                } else {
                    "kill -9"
                }
            ),
        );
        cluster.stop(node, good_order).await;
        dice.pause(0, 250).await;
        cluster.start(node).await;
        world
            .trace
            .note("crash", format_args!("node {node} is back"));
    }
}
