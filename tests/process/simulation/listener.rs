//! Those who listen: each keeps what it is told in a map, as a client would, and goes on after
//! every break.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::channel::{Channel, End, Heard, Start};
use super::cluster::Answer;
use super::dice::Dice;
use super::witness::Witness;
use super::world::{Person, World};

/// How long something that was superseded could come back, if it ever did.
const SECOND_LOOK: Duration = Duration::from_millis(150);
/// How many records a report describes.
const SHOWN: usize = 3;
/// Before another attempt to connect.
const RETRY: Duration = Duration::from_millis(15);

/// What a client wants to see.
#[derive(Clone, Debug, Default)]
pub struct View {
    pub is_stream: bool,
    pub filter: Option<&'static str>,
    /// Separated by commas.
    pub fields: Option<&'static str>,
    /// References, separated by commas.
    pub expand: Option<&'static str>,
    pub record: Option<String>,
    /// Of a superadmin.
    pub account: Option<String>,
    pub old: bool,
    pub manner: Manner,
}

/// How a client behaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manner {
    /// It reads what comes.
    #[default]
    Steady,
    /// It stops reading now and then.
    Slow,
    /// It subscribes again and again, just when much happens.
    Nervous,
}

impl View {
    /// The query of a list that shows the same.
    fn list(&self) -> String {
        encoded(&[
            ("filter", self.filter),
            ("fields", self.fields),
            ("expand", self.expand),
        ])
    }

    /// The query of a stream.
    pub fn stream(&self) -> String {
        let old = self.old.then_some("true");
        let own = encoded(&[
            ("record", self.record.as_deref()),
            ("account", self.account.as_deref()),
            ("old", old),
        ]);
        format!("{}&{own}", self.list())
    }
}

fn encoded(pairs: &[(&str, Option<&str>)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(
        pairs
            .iter()
            .filter_map(|(key, value)| Some((key, (*value)?))),
    );
    query.finish()
}

/// What it holds.
#[derive(Default)]
struct Notes {
    held: BTreeMap<String, Value>,
    /// Whether that is exactly what it was told up to the last event: then the next one must fit.
    exact: bool,
    /// Events that did not fit. They do if something is about to be told that is known already.
    doubts: Vec<String>,
    /// The position of the last event, or where it went on.
    last: i64,
    heard: u64,
    witness: Witness,
}

/// Picks somebody.
pub type Who = fn(&World) -> &Person;

/// A client.
#[derive(Clone)]
pub struct Listener {
    pub name: String,
    world: Arc<World>,
    person: Who,
    view: View,
    /// The node where it begins.
    node: usize,
    notes: Arc<Mutex<Notes>>,
    /// Whether it was turned away.
    out: Arc<AtomicBool>,
}

/// What comes after a frame.
enum Next {
    Listen,
    /// Subscribe once more, from the beginning.
    BeginAgain,
    /// Connect again.
    Reconnect,
}

impl Listener {
    pub fn new(world: &Arc<World>, number: usize, person: Who, view: View) -> Self {
        let name = format!(
            "{number} {} {}",
            if view.is_stream { "sse" } else { "ws" },
            person(world).name
        );
        let (notes, out) = Default::default();
        Self {
            name,
            world: world.clone(),
            person,
            view,
            node: number,
            notes,
            out,
        }
    }

    pub fn is_of(&self, person: &Person) -> bool {
        self.person().id == person.id
    }

    pub fn is_out(&self) -> bool {
        self.out.load(Ordering::Relaxed)
    }

    /// Whether nothing is about to happen: nothing can be told too early any more, and nobody needs
    /// to read slowly.
    fn is_calm(&self) -> bool {
        self.world.calm.load(Ordering::Relaxed)
    }

    /// How many events it has heard.
    pub fn heard(&self) -> u64 {
        self.notes.lock().unwrap().heard
    }

    fn person(&self) -> &Person {
        (self.person)(&self.world)
    }

    fn note(&self, text: impl std::fmt::Display) {
        self.world.trace.note(&self.name, text);
    }

    /// Listens for ever.
    pub async fn listen(self, mut dice: Dice) {
        let mut node = self.node;
        let mut start = Start::Snapshot;
        loop {
            let Some(base) = self.world.cluster.address(node) else {
                tokio::time::sleep(RETRY).await;
                continue;
            };
            // The client of a superadmin is held to the log, so it must know where it begins.
            if matches!(start, Start::Snapshot)
                && self.person().id != self.world.admin.id
                && dice.once_in(2)
            {
                start = self.begin_with_list(&base).await;
            }
            let client = self.world.cluster.client(&base, self.person());
            self.note(format_args!("connects: {start:?}"));
            let end = match Channel::open(&self.view, &client, self.person(), &start).await {
                Ok(channel) => self.stay(channel, &base, &mut start, &mut dice).await,
                Err(end) => Some(end),
            };
            match end {
                None => {
                    dice.pause(0, 50).await;
                    node = dice.index(4);
                }
                Some(end) => {
                    self.note(format_args!("{end:?}"));
                    self.go_on_after(&end, &mut start).await;
                    node += 1;
                }
            }
        }
    }

    /// Begins with a list, and goes on after its cursor.
    async fn begin_with_list(&self, base: &str) -> Start {
        let path = format!("/records/items?limit=1&{}", self.view.list());
        let answer = self.ask(base, &path).await;
        let Some(cursor) = answer.and_then(|answer| answer.cursor) else {
            return Start::Snapshot;
        };
        if self.fetch(base).await {
            Start::After(cursor)
        } else {
            Start::Snapshot
        }
    }

    async fn ask(&self, base: &str, path: &str) -> Option<Answer> {
        self.world
            .cluster
            .ask_at(base, self.person(), Method::GET, path, None)
            .await
    }

    /// What the server shows; `None` if there is no answer.
    async fn listed(&self, base: &str) -> Option<BTreeMap<String, Value>> {
        let mut all = BTreeMap::new();
        if let Some(record) = &self.view.record {
            let answer = self
                .ask(
                    base,
                    &format!("/records/items/{record}?{}", self.view.list()),
                )
                .await?;
            all.extend((answer.status == 200).then(|| entry(&answer.body)));
            return Some(all);
        }
        let mut cursor = String::new();
        loop {
            let path = format!(
                "/records/items?limit=100&sort=id&cursor={cursor}&{}",
                self.view.list()
            );
            let answer = self.ask(base, &path).await?;
            match answer.status {
                200 => all.extend(answer.body["items"].as_array().unwrap().iter().map(entry)),
                // Nothing may be listed.
                403 => return Some(BTreeMap::new()),
                401 => return None,
                _ => panic!("{}: {path}: {answer:?}", self.name),
            }
            match answer.body["next_cursor"].as_str() {
                Some(next) => next.clone_into(&mut cursor),
                None => break,
            }
        }
        if let Some(account) = &self.view.account {
            all.retain(|_, record| record["account_id"] == account.as_str());
        }
        Some(all)
    }

    /// Holds what the server shows now. What happened lately may be told once more.
    async fn fetch(&self, base: &str) -> bool {
        let Some(listed) = self.listed(base).await else {
            return false;
        };
        self.note(format_args!("fetched {} records", listed.len()));
        let mut notes = self.notes.lock().unwrap();
        (notes.held, notes.exact) = (listed, false);
        true
    }

    /// Listens until it leaves or is made to.
    async fn stay(
        &self,
        mut channel: Channel,
        base: &str,
        start: &mut Start,
        dice: &mut Dice,
    ) -> Option<End> {
        let mut left = if self.view.manner == Manner::Steady {
            5
        } else {
            60
        } + dice.roll(60);
        let slowness = dice.roll(3);
        let mut fresh = true;
        let mut awaited = channel.acknowledgements();
        let mut is_live = false;
        self.goes_on_at(start);
        while left > 0 {
            while self.view.manner == Manner::Slow && self.world.asleep.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            let heard = match channel.next().await {
                Ok(heard) => heard,
                Err(end) => return Some(end),
            };
            if heard.kind != "heartbeat" {
                self.note(format_args!("{} {}", heard.kind, heard.frame));
                left -= 1;
            }
            let is_event = heard.kind == "event";
            is_live |= awaited == 0 && ["live", "replayed"].contains(&heard.kind.as_str());
            let next = match heard.kind.as_str() {
                "subscribed" => {
                    awaited -= 1;
                    fresh = true;
                    self.goes_on_at(start);
                    Next::Listen
                }
                "resync" if awaited > 0 => {
                    self.doubt_all();
                    *start = Start::Snapshot;
                    Next::BeginAgain
                }
                // What the old subscription tells comes again.
                kind if awaited > 0 && kind != "refusal" => Next::Listen,
                _ => self.hear(heard, base, start, &mut fresh, dice).await,
            };
            let is_restless =
                self.view.manner == Manner::Nervous && is_event && is_live && dice.once_in(3);
            match next {
                Next::Listen if !is_restless => {}
                Next::Reconnect => return None,
                Next::Listen | Next::BeginAgain => {
                    if !channel.begin_again(&self.view, start).await {
                        return None;
                    }
                    awaited += 1;
                    is_live = false;
                }
            }
            if !self.is_calm() {
                tokio::time::sleep(Duration::from_millis(slowness)).await;
            }
        }
        self.note("leaves");
        if dice.once_in(2) {
            channel.close().await;
        }
        None
    }

    async fn hear(
        &self,
        heard: Heard,
        base: &str,
        start: &mut Start,
        fresh: &mut bool,
        dice: &mut Dice,
    ) -> Next {
        let Heard {
            kind,
            frame,
            cursor,
        } = heard;
        match kind.as_str() {
            "snapshot" => {
                let mut notes = self.notes.lock().unwrap();
                if std::mem::take(fresh) {
                    notes.held.clear();
                    (notes.last, notes.exact) = (0, false);
                }
                notes
                    .held
                    .extend(frame["items"].as_array().unwrap().iter().map(entry));
                if let Some(more) = frame["has_more"].as_bool() {
                    assert!(!more, "{}: there are too many records", self.name);
                    notes.exact = true;
                }
            }
            "live" => {
                let cursor = cursor.unwrap();
                self.notes.lock().unwrap().witness.begin(position(&cursor));
                *start = Start::After(cursor);
            }
            // A stream moves on in silence. Before the end of a snapshot there is no place to go on
            // from.
            "replayed" | "checkpoint" | "heartbeat" => {
                if let (Start::After(at), Some(cursor)) = (&*start, &cursor) {
                    let is_forward = position(cursor) >= position(at);
                    assert!(is_forward, "{}: sent back from {at} to {cursor}", self.name);
                }
                go_on(start, cursor);
            }
            "resync" => {
                let cursor = cursor.unwrap();
                self.doubt_all();
                let is_witness = self.person().id == self.world.admin.id;
                *start = Start::Snapshot;
                if is_witness || dice.once_in(2) {
                    return Next::BeginAgain;
                }
                if !self.fetch(base).await {
                    return Next::Reconnect;
                }
                *start = Start::After(cursor);
            }
            "event" => {
                self.apply(&frame);
                go_on(start, cursor);
                if !self.is_calm() && dice.once_in(8) {
                    self.check_that_it_is_true(base, &frame).await;
                }
            }
            "refusal" => {
                // Nothing may be listed, or earlier snapshots wait to be read.
                let is_known = ["forbidden", "rate_limited"]
                    .iter()
                    .any(|code| frame["code"] == *code);
                assert!(is_known, "{}: {frame}", self.name);
                self.forget();
                *start = Start::Snapshot;
                return Next::Reconnect;
            }
            _ => panic!("{}: {kind} {frame}", self.name),
        }
        Next::Listen
    }

    fn apply(&self, event: &Value) {
        let mut notes = self.notes.lock().unwrap();
        let notes = &mut *notes;
        let position = position(event["cursor"].as_str().unwrap());
        assert!(
            position > notes.last,
            "{}: told again, or too late, after {}: {event}",
            self.name,
            notes.last
        );
        notes.last = position;
        notes.heard += 1;
        notes.witness.hears(position);
        let data = &event["data"];
        let is_gone = event["operation"] == "delete";
        let is_of_account = self.is_of(&self.world.admin)
            || data["account_id"] == self.person().account_id.as_str();
        assert!(
            is_gone || is_of_account,
            "{}: another account's: {event}",
            self.name
        );
        let id = event["id"].as_str().unwrap().to_owned();
        let before = if is_gone {
            notes.held.remove(&id)
        } else {
            notes.held.insert(id, entry(data).1)
        };
        let expected = event["operation"] != "create" && event["change"] != "entered";
        let known = before
            .as_ref()
            .is_none_or(|before| event["old"].is_null() || entry(&event["old"]).1 == *before);
        if notes.exact && (before.is_some() != expected || !known) {
            notes
                .doubts
                .push(format!("{event} does not fit to {before:?}"));
        }
    }

    /// What an event tells must be there for everybody, or something later.
    async fn check_that_it_is_true(&self, base: &str, event: &Value) {
        let path = format!("/records/items/{}", event["id"].as_str().unwrap());
        let look = || {
            self.world
                .cluster
                .ask_at(base, &self.world.admin, Method::GET, &path, None)
        };
        let Some(now) = look().await else { return };
        if event["operation"] == "delete" {
            assert!(
                event["change"] == "left" || now.status == 404,
                "{}: not gone: {event}",
                self.name
            );
            return;
        }
        let is_it = |answer: &Answer| {
            answer.status == 200 && answer.body["stamp"] == event["data"]["stamp"]
        };
        if is_it(&now) {
            return;
        }
        tokio::time::sleep(SECOND_LOOK).await;
        let Some(later) = look().await else { return };
        let comes_late = is_it(&later) || (now.status == 404 && later.status == 200);
        assert!(
            !comes_late,
            "{}: told before it was there: {event}, then {now:?}",
            self.name
        );
    }

    /// Events after this are to come.
    fn goes_on_at(&self, start: &Start) {
        if let Start::After(cursor) = start {
            self.notes.lock().unwrap().last = position(cursor);
        }
    }

    /// What it holds may be wrong.
    fn doubt_all(&self) {
        let mut notes = self.notes.lock().unwrap();
        notes.doubts.clear();
        notes.exact = false;
        notes.witness.end();
    }

    fn forget(&self) {
        let mut notes = self.notes.lock().unwrap();
        notes.held.clear();
        notes.exact = false;
        notes.doubts.clear();
    }

    /// Waits until there is a use in connecting again.
    async fn go_on_after(&self, end: &End, start: &mut Start) {
        match end {
            End::Refused(401) | End::Closed(1008) => {
                assert!(
                    self.is_of(&self.world.third),
                    "{} is turned away",
                    self.name
                );
                self.forget();
                *start = Start::Snapshot;
                self.out.store(true, Ordering::Relaxed);
                while !self.person().active.load(Ordering::Relaxed)
                    || !self.world.cluster.sign_in(self.node, self.person()).await
                {
                    tokio::time::sleep(RETRY).await;
                }
                self.out.store(false, Ordering::Relaxed);
            }
            // Nothing may be listed.
            End::Refused(403 | 404) => {
                self.forget();
                *start = Start::Snapshot;
                tokio::time::sleep(RETRY).await;
            }
            End::Refused(503) | End::Closed(1000..=1005 | 1013) | End::Lost => {}
            End::Refused(_) | End::Closed(_) => panic!("{}: {end:?}", self.name),
        }
        tokio::time::sleep(RETRY).await;
    }

    /// What is wrong with what it holds, and with what it was told.
    pub async fn difference(&self) -> Option<String> {
        let base = self.world.cluster.address(self.node)?;
        let listed = self.listed(&base).await?;
        let (held, doubts) = {
            let notes = self.notes.lock().unwrap();
            (notes.held.clone(), notes.doubts.clone())
        };
        let mut text = String::new();
        let ids: BTreeSet<&String> = held.keys().chain(listed.keys()).collect();
        for id in ids
            .into_iter()
            .filter(|id| held.get(*id) != listed.get(*id))
            .take(SHOWN)
        {
            let _ = writeln!(text, "  {id} held, and listed:");
            let _ = writeln!(
                text,
                "    {}\n    {}",
                shown(held.get(id)),
                shown(listed.get(id))
            );
        }
        for doubt in doubts.iter().take(SHOWN) {
            let _ = writeln!(text, "  {}", doubt.chars().take(1000).collect::<String>());
        }
        if text.is_empty() && self.is_of(&self.world.admin) {
            let account = self.view.account.as_deref();
            let witness = self.notes.lock().unwrap().witness.clone();
            text = witness
                .difference(self.world.cluster.database(), account)
                .await
                .unwrap_or_default();
        }
        (!text.is_empty()).then(|| format!("{} sees otherwise:\n{text}", self.name))
    }
}

fn shown(record: Option<&Value>) -> String {
    record.map_or("nothing".to_owned(), |record| {
        record.to_string().chars().take(400).collect()
    })
}

fn go_on(start: &mut Start, cursor: Option<String>) {
    if let (Start::After(at), Some(cursor)) = (start, cursor) {
        *at = cursor;
    }
}

/// Where a cursor points. Clients need not know this; whoever tests the order must.
fn position(cursor: &str) -> i64 {
    cursor.rsplit_once(':').unwrap().1.parse().unwrap()
}

/// A record by its id. Lists name the account, events do not.
fn entry(record: &Value) -> (String, Value) {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("account_name");
    (record["id"].as_str().unwrap().to_owned(), record)
}
