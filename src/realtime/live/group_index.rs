//! An index of the groups that an event can concern: all others are spared the judgement.

use std::collections::{BTreeSet, HashMap};

use crate::realtime::visibility::change_event::ChangeEvent;
use crate::realtime::visibility::viewpoint::MatchKey;

/// Identifies a group in its topic.
pub(in crate::realtime) type GroupId = u32;

/// See the module.
#[derive(Default)]
pub(in crate::realtime) struct GroupIndex {
    any_record: BTreeSet<GroupId>,
    by_record: HashMap<Box<str>, BTreeSet<GroupId>>,
    by_value: HashMap<Box<str>, HashMap<Box<str>, BTreeSet<GroupId>>>,
}

impl GroupIndex {
    pub(in crate::realtime) fn add(&mut self, key: &MatchKey, id: GroupId) {
        let groups = match key {
            MatchKey::AnyRecord => &mut self.any_record,
            MatchKey::Record(record) => self.by_record.entry(record.clone()).or_default(),
            MatchKey::FieldValue { field, value } => self
                .by_value
                .entry(field.clone())
                .or_default()
                .entry(value.clone())
                .or_default(),
            MatchKey::Nothing => return,
        };
        groups.insert(id);
    }

    pub(in crate::realtime) fn remove(&mut self, key: &MatchKey, id: GroupId) {
        match key {
            MatchKey::AnyRecord => {
                self.any_record.remove(&id);
            }
            MatchKey::Record(record) => remove_from(&mut self.by_record, record, id),
            MatchKey::FieldValue { field, value } => {
                if let Some(values) = self.by_value.get_mut(field) {
                    remove_from(values, value, id);
                    if values.is_empty() {
                        self.by_value.remove(field);
                    }
                }
            }
            MatchKey::Nothing => {}
        }
    }

    /// The groups that an event can concern, each once.
    pub(in crate::realtime) fn find<'i>(
        &'i self,
        event: &ChangeEvent,
    ) -> impl Iterator<Item = GroupId> + use<'i> {
        let of_values = self.by_value.iter().flat_map(|(field, values)| {
            let (before, after) = event.texts(field);
            let after = after.filter(|after| before != Some(*after));
            [before, after]
                .into_iter()
                .flatten()
                .filter_map(move |value| values.get(value))
        });
        let sets: Vec<&BTreeSet<GroupId>> = [&self.any_record]
            .into_iter()
            .chain(self.by_record.get(event.change.record_id.as_str()))
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
