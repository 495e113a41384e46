//! The answers of writes: the record that was stored, as far as the caller may view it.
//!
//! What a write shows is decided by the view rule and the view's fields and masks, as if the caller
//! had read the record right after. The lists of fields for writing say what may be sent, never
//! what is seen. A caller who may not view the record gets its system fields alone, so that a
//! client still learns the id.

use std::collections::HashSet;

use super::Records;
use crate::access::{Access, FieldView, Gate, RecordScope};
use crate::db::Doc;
use crate::schema::{Body, Operation, SYSTEM_FIELDS};

impl Records {
    /// The answer to one write; see [`Self::answers`].
    pub(super) async fn answer(&self, scope: &RecordScope<'_>, docs: Vec<Option<Doc>>) -> Doc {
        self.answers(scope, docs)
            .await
            .into_iter()
            .next()
            .unwrap_or_default()
    }

    /// The answers to the writes that were committed, in their order. It never fails: what was
    /// stored was stored, and what cannot be judged is not shown.
    pub(super) async fn answers(
        &self,
        scope: &RecordScope<'_>,
        docs: Vec<Option<Doc>>,
    ) -> Vec<Doc> {
        let docs: Vec<Doc> = docs.into_iter().map(Option::unwrap_or_default).collect();
        let access = Access::of(scope.caller, scope.collection, Operation::View);
        let view = access.field_view();
        match access.gate() {
            Gate::Everything if view.is_plain() => docs,
            Gate::Everything => docs
                .iter()
                .map(|doc| view.render(doc).into_owned())
                .collect(),
            Gate::Nothing(_) => docs.iter().map(|doc| system_fields(parse(doc))).collect(),
            gate @ Gate::When(_) if gate.relational().is_some() => {
                let records: Vec<Body> = docs.iter().map(|doc| parse(doc)).collect();
                let visible = self.visible(scope, &records).await;
                let is_visible =
                    |record: &Body| id_of(record).is_some_and(|id| visible.contains(id));
                let judged = records
                    .into_iter()
                    .map(|record| (is_visible(&record), record));
                judged
                    .map(|(is_visible, record)| answer(is_visible, record, &view))
                    .collect()
            }
            gate @ Gate::When(_) => {
                let judged = docs.iter().map(|doc| parse(doc));
                judged
                    .map(|record| answer(gate.passes(&record, scope.caller), record, &view))
                    .collect()
            }
        }
    }

    /// The ids of the records that the caller may view, where only the database can tell.
    async fn visible(&self, scope: &RecordScope<'_>, records: &[Body]) -> HashSet<String> {
        let Ok(viewed) = RecordScope::open(scope.caller, scope.collection, Operation::View) else {
            return HashSet::new();
        };
        let mut sql = self.db.sql();
        sql.push("SELECT r.id FROM ")
            .fragment(scope.collection.source())
            .push(" r WHERE r.id");
        sql.one_of_texts(records.iter().filter_map(id_of));
        viewed.write_conditions(&mut sql, None);
        match self.db.docs(sql.build()).await {
            Ok(ids) => ids.into_iter().collect(),
            Err(error) => {
                tracing::warn!(%error, "whether the caller may view what it wrote could not be judged");
                HashSet::new()
            }
        }
    }
}

fn answer(is_visible: bool, mut record: Body, view: &FieldView) -> Doc {
    if !is_visible {
        return system_fields(record);
    }
    view.apply(&mut record);
    serde_json::Value::Object(record).to_string()
}

fn system_fields(mut record: Body) -> Doc {
    record.retain(|key, _| SYSTEM_FIELDS.contains(&key.as_str()) || key == "account_name");
    serde_json::Value::Object(record).to_string()
}

/// What cannot be looked into is not shown.
fn parse(doc: &str) -> Body {
    serde_json::from_str(doc).unwrap_or_default()
}

fn id_of(record: &Body) -> Option<&str> {
    record.get("id")?.as_str()
}
