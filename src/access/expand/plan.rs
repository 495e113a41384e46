//! Paths resolved against the collections of a moment and a caller's rights.

use std::sync::Arc;

use serde_json::Value as Json;

use super::ExpandPaths;
use super::path::PathNode;
use crate::access::{FieldView, RecordScope};
use crate::auth::Caller;
use crate::expr::CallerKey;
use crate::id::AccountId;
use crate::schema::{Body, Catalog, Collection, Operation};

/// How a caller sees single records of a collection to which references lead: equal views show the
/// same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ReferencedView {
    pub(super) view: FieldView,
    pub(super) records: VisibleRecords,
}

/// Which records of the collection the caller may view.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum VisibleRecords {
    /// None, without a question to the database.
    None,
    /// Those of the account for which the rule is true with the caller's values.
    Some {
        account: Option<AccountId>,
        rule: Option<CallerKey>,
    },
}

impl ReferencedView {
    fn new(caller: &Caller, collection: &Arc<Collection>) -> Self {
        let view = FieldView::of(caller, collection, Operation::View);
        let records = match RecordScope::open(caller, collection, Operation::View) {
            Ok(RecordScope { account, rule, .. }) => VisibleRecords::Some {
                account,
                rule: rule.map(|rule| rule.caller_key(&caller.attributes())),
            },
            Err(_) => VisibleRecords::None,
        };
        Self { view, records }
    }
}

/// A reference to expand, resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct PlanStep {
    pub(super) field: String,
    pub(super) target: ReferencedView,
    pub(super) below: Box<[PlanStep]>,
}

/// References to expand in the records of a collection that a caller sees.
#[derive(Clone, Debug)]
pub struct ExpandPlan {
    pub(super) caller: Caller,
    view: FieldView,
    paths: ExpandPaths,
    pub(super) steps: Arc<[PlanStep]>,
}

/// Plans with equal keys show the same in the same record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ExpandPlanKey(Arc<[PlanStep]>);

impl ExpandPlan {
    /// Resolves what is to be expanded in records that are seen through a view. References that it
    /// does not show, or that are not wanted (`selected`), are left out; `None` if that is all.
    pub fn new(
        catalog: &Catalog,
        caller: &Caller,
        view: &FieldView,
        paths: &ExpandPaths,
        selected: impl Fn(&str) -> bool,
    ) -> Option<Self> {
        let paths = paths.clone().only(selected)?;
        let steps = resolve(catalog, caller, view, &paths.0);
        let plan = Self {
            caller: caller.clone(),
            view: view.clone(),
            paths,
            steps: steps.into(),
        };
        (!plan.steps.is_empty()).then_some(plan)
    }

    /// The same with the collections of another moment.
    #[must_use]
    pub fn renewed(&self, catalog: &Catalog) -> Self {
        let steps = resolve(catalog, &self.caller, &self.view, &self.paths.0);
        Self {
            steps: steps.into(),
            ..self.clone()
        }
    }

    /// What it shows depends on this, besides the records.
    pub fn key(&self) -> ExpandPlanKey {
        ExpandPlanKey(self.steps.clone())
    }

    /// The collections to which it leads.
    pub fn targets(&self) -> Vec<&Arc<Collection>> {
        fn add<'s>(steps: &'s [PlanStep], targets: &mut Vec<&'s Arc<Collection>>) {
            for step in steps {
                let target = step.target.view.collection();
                if !targets.iter().any(|known| Arc::ptr_eq(known, target)) {
                    targets.push(target);
                }
                add(&step.below, targets);
            }
        }
        let mut targets = Vec::new();
        add(&self.steps, &mut targets);
        targets
    }

    /// What must be known of a record to expand it: its references and its account. `None` if it
    /// refers to nothing.
    pub fn stub(&self, record: &Body) -> Option<Body> {
        let references = self
            .steps
            .iter()
            .filter(|step| record.get(&step.field).is_some_and(Json::is_string));
        let mut stub: Body = references
            .filter_map(|step| Some((step.field.clone(), record.get(&step.field)?.clone())))
            .collect();
        if stub.is_empty() {
            return None;
        }
        stub.extend(
            record
                .get("account_id")
                .map(|account| ("account_id".to_owned(), account.clone())),
        );
        Some(stub)
    }
}

fn resolve(
    catalog: &Catalog,
    caller: &Caller,
    view: &FieldView,
    nodes: &[PathNode],
) -> Box<[PlanStep]> {
    let step = |node: &PathNode| {
        let field = view
            .collection()
            .field(&node.field)
            .filter(|field| view.shows_in_clear(field))?;
        let target = ReferencedView::new(
            caller,
            catalog.by_name_ignoring_case(field.target.as_deref()?)?,
        );
        let below = resolve(catalog, caller, &target.view, &node.below);
        Some(PlanStep {
            field: node.field.clone(),
            target,
            below,
        })
    };
    nodes.iter().filter_map(step).collect()
}
