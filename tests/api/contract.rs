//! Recorded exchanges, replayed: what clients of this API have been answered they are answered
//! still.
//!
//! Each file in `tests/contract` is a conversation: a line is a request and what was answered, in a
//! form without ids, times and wording (`<id>`, `<time>`, `<text>`, `<number>`; `null` says only
//! that the key is there). `keep` names parts of the answer that later lines use as `{name}`. A
//! line with `step` prepares, a line with `case` is compared: the status, the headers, and every
//! key that was there; more keys may come. Where this server differs by intention,
//! `tests/contract/differences.jsonl` has its own answer and the reason.

mod compare;
mod line;

use std::collections::{BTreeMap, BTreeSet};

use snackbase::config::EmailVerification;

use crate::harness::{Backend, TestApp};
use line::{Difference, Line};

crate::both![
    accounts,
    api_keys,
    auth,
    collections,
    general,
    groups,
    invitations,
    records,
    roles,
    users,
];

async fn accounts(backend: Backend) {
    replay(backend, include_str!("../contract/accounts.jsonl")).await;
}

async fn api_keys(backend: Backend) {
    replay(backend, include_str!("../contract/apikeys.jsonl")).await;
}

async fn auth(backend: Backend) {
    replay(backend, include_str!("../contract/auth.jsonl")).await;
}

async fn collections(backend: Backend) {
    replay(backend, include_str!("../contract/collections.jsonl")).await;
}

async fn general(backend: Backend) {
    replay(backend, include_str!("../contract/general.jsonl")).await;
}

async fn groups(backend: Backend) {
    replay(backend, include_str!("../contract/groups.jsonl")).await;
}

async fn invitations(backend: Backend) {
    replay(backend, include_str!("../contract/invitations.jsonl")).await;
}

async fn records(backend: Backend) {
    replay(backend, include_str!("../contract/records.jsonl")).await;
}

async fn roles(backend: Backend) {
    replay(backend, include_str!("../contract/roles.jsonl")).await;
}

async fn users(backend: Backend) {
    replay(backend, include_str!("../contract/users.jsonl")).await;
}

/// Holds one conversation and compares.
async fn replay(backend: Backend, conversation: &str) {
    let app = TestApp::spawn_with(backend, |config| {
        config.auth.email_verification = EmailVerification::Required;
        config.auth.refresh_grace_seconds = 0;
    })
    .await;
    let differences = differences();
    let mut kept = BTreeMap::new();
    let mut problems = Vec::new();
    for line in conversation.lines().map(Line::parse) {
        let name = line.name().to_owned();
        let answer = line.send(&app.anonymous(), &kept).await;
        line.keep(&answer, &mut kept);
        let as_recorded = line.compare(&answer);
        let difference = differences.get(&name);
        let right = difference.map_or_else(
            || as_recorded.clone(),
            |difference| difference.compare(&answer),
        );
        let problem = match right {
            Ok(()) if difference.is_some() && as_recorded.is_ok() => {
                Some("does not differ from what was recorded".to_owned())
            }
            right => right.err(),
        };
        problems.extend(problem.map(|problem| format!("{name}: {problem}\n    {}", answer.text)));
    }
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

fn differences() -> BTreeMap<String, Difference> {
    let lines = include_str!("../contract/differences.jsonl").lines();
    lines
        .map(Difference::parse)
        .map(|difference| (difference.case.clone(), difference))
        .collect()
}

/// Names that belong to no case would be rules that nobody keeps.
#[test]
fn every_difference_is_a_case() {
    let files = [
        include_str!("../contract/accounts.jsonl"),
        include_str!("../contract/apikeys.jsonl"),
        include_str!("../contract/auth.jsonl"),
        include_str!("../contract/collections.jsonl"),
        include_str!("../contract/general.jsonl"),
        include_str!("../contract/groups.jsonl"),
        include_str!("../contract/invitations.jsonl"),
        include_str!("../contract/records.jsonl"),
        include_str!("../contract/roles.jsonl"),
        include_str!("../contract/users.jsonl"),
    ];
    let names: Vec<String> = files
        .iter()
        .flat_map(|file| file.lines())
        .map(|line| Line::parse(line).name().to_owned())
        .collect();
    let cases: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    let differences = differences();
    let unknown: Vec<&str> = differences
        .keys()
        .map(String::as_str)
        .filter(|name| !cases.contains(name))
        .collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    assert!(
        differences
            .values()
            .all(|difference| !difference.why.is_empty())
    );
}
