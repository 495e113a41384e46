//! Which of a topic's groups an event can concern: all others are spared the judgement.

use std::collections::{BTreeSet, HashMap};

use super::GroupId;
use crate::realtime::lens::{Place, Subject};

/// Which groups an event can concern.
#[derive(Default)]
pub(super) struct Index {
    anywhere: BTreeSet<GroupId>,
    by_record: HashMap<Box<str>, BTreeSet<GroupId>>,
    by_value: HashMap<Box<str>, HashMap<Box<str>, BTreeSet<GroupId>>>,
}

impl Index {
    pub(super) fn add(&mut self, place: &Place, id: GroupId) {
        let groups = match place {
            Place::Anywhere => &mut self.anywhere,
            Place::Record(record) => self.by_record.entry(record.clone()).or_default(),
            Place::Value { field, value } => self
                .by_value
                .entry(field.clone())
                .or_default()
                .entry(value.clone())
                .or_default(),
            Place::Nowhere => return,
        };
        groups.insert(id);
    }

    pub(super) fn remove(&mut self, place: &Place, id: GroupId) {
        match place {
            Place::Anywhere => {
                self.anywhere.remove(&id);
            }
            Place::Record(record) => remove_from(&mut self.by_record, record, id),
            Place::Value { field, value } => {
                if let Some(values) = self.by_value.get_mut(field) {
                    remove_from(values, value, id);
                    if values.is_empty() {
                        self.by_value.remove(field);
                    }
                }
            }
            Place::Nowhere => {}
        }
    }

    pub(super) fn find<'i>(&'i self, subject: &Subject) -> impl Iterator<Item = GroupId> + use<'i> {
        let of_values = self.by_value.iter().flat_map(|(field, values)| {
            let (before, after) = subject.values(field);
            let after = after.filter(|after| before != Some(*after));
            [before, after]
                .into_iter()
                .flatten()
                .filter_map(move |value| values.get(value))
        });
        let sets: Vec<&BTreeSet<GroupId>> = [&self.anywhere]
            .into_iter()
            .chain(self.by_record.get(subject.change.record_id.as_str()))
            .chain(of_values)
            .collect();
        sets.into_iter().flatten().copied()
    }
}

fn remove_from(index: &mut HashMap<Box<str>, BTreeSet<GroupId>>, key: &str, id: GroupId) {
    if let Some(groups) = index.get_mut(key) {
        groups.remove(&id);
        if groups.is_empty() {
            index.remove(key);
        }
    }
}
