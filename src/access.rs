//! Access: which records of a collection a caller may read or change, and which fields of them it
//! sees.
//!
//! Everything that shows or changes records asks here: single records, lists, counts, aggregates,
//! search, expanded references, every realtime protocol (live, replayed and snapshots), rooms, and
//! the answers of writes. The answer for a rule and a caller is the same for all of them, and
//! [`gate`] is the only file that reads rules:
//!
//! | Rule | Anonymous | User | Superadmin |
//! |---|---|---|---|
//! | locked (`null`) | nothing | nothing | everything |
//! | public (`""`) | the account's records | the account's records | everything |
//! | an expression | nothing | the account's records for which it is true | everything |
//!
//! [`Access`] judges records in memory, [`RecordScope`] writes the same decision into statements,
//! and [`FieldView`] hides and masks fields.

pub mod account;
pub mod api_key_scope;
pub mod expand;
pub mod field_view;
pub mod gate;
mod record_scope;

use std::sync::Arc;

pub use api_key_scope::ApiKeyRequirement;
pub use expand::{
    ExpandPaths, ExpandPlan, ExpandPlanKey, LoadError, LoadedRecords, Placement, replace_reference,
};
pub use field_view::FieldView;
pub use gate::{Denied, Gate, GateKey};
pub use record_scope::RecordScope;

use crate::auth::Caller;
use crate::schema::{Collection, Operation};

/// A caller, a collection and an operation: what decides which records pass. Cheap to clone; it
/// does not look at the record's account, which statements and subscriptions choose by themselves.
#[derive(Clone, Debug)]
pub struct Access {
    caller: Caller,
    collection: Arc<Collection>,
    operation: Operation,
}

impl Access {
    /// The access of a caller to a collection by an operation.
    pub fn of(caller: &Caller, collection: &Arc<Collection>, operation: Operation) -> Self {
        Self {
            caller: caller.clone(),
            collection: collection.clone(),
            operation,
        }
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The operation whose rule and field list decide.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Which of the account's records pass.
    pub fn gate(&self) -> Gate<'_> {
        Gate::of(self.collection.access.rule(self.operation), &self.caller)
    }

    /// The fields that the caller sees of a record that passes.
    pub fn field_view(&self) -> FieldView {
        FieldView::of(&self.caller, &self.collection, self.operation)
    }

    /// Equal keys let the same records of the same collection and operation pass.
    pub fn key(&self) -> GateKey {
        self.gate().key(&self.caller)
    }
}
