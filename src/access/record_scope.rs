//! The records that a statement may read or change: those of the caller's account that pass the
//! gate of the operation.
//!
//! Every statement over records gets its conditions here, so none can forget the account.

use std::sync::Arc;

use super::{Denied, FieldView, Gate};
use crate::auth::Caller;
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::expr::{Predicate, Sent};
use crate::id::AccountId;
use crate::schema::{Collection, Operation};

/// An operation that the caller may try, and the records that it may try it on.
pub struct RecordScope<'a> {
    /// Who asks.
    pub caller: &'a Caller,
    /// The collection whose records are meant.
    pub collection: &'a Arc<Collection>,
    /// The operation.
    pub operation: Operation,
    /// The account whose records are in reach; `None` reaches all, which superadmins only get.
    pub account: Option<AccountId>,
    /// The rule that a record must satisfy besides.
    pub rule: Option<&'a Predicate>,
}

impl<'a> RecordScope<'a> {
    /// Checks what can be checked without a record: the gate of the rule, and whose records are
    /// meant.
    ///
    /// # Errors
    ///
    /// Forbidden where the rule is locked, unauthenticated where an anonymous caller meets an
    /// expression, refused where an anonymous caller names no account. Those who read learn of the
    /// rule first, those who write of the account.
    pub fn open(
        caller: &'a Caller,
        collection: &'a Arc<Collection>,
        operation: Operation,
    ) -> Result<Self> {
        let account = || {
            if caller.is_superadmin() {
                Ok(None)
            } else {
                own_account(caller).map(Some)
            }
        };
        if !matches!(operation, Operation::List | Operation::View) {
            account()?;
        }
        let gate = Gate::of(collection.access.rule(operation), caller);
        if let Gate::Nothing(denied) = gate {
            return Err(refusal(denied, operation));
        }
        Ok(Self {
            caller,
            collection,
            operation,
            account: account()?,
            rule: gate.predicate(),
        })
    }

    /// The fields that the caller sees of the records.
    pub fn view(&self) -> FieldView {
        FieldView::of(self.caller, self.collection, self.operation)
    }

    /// The account in whose name the database is read.
    pub fn reader(&self) -> Option<AccountId> {
        self.account.or_else(|| self.caller.account_id())
    }

    /// Whether the caller may write a field in this operation.
    pub fn may_write(&self, field: &str) -> bool {
        self.caller.is_superadmin() || self.collection.access.fields(self.operation).allows(field)
    }

    /// Appends `AND …` for the account and the rule, over the alias `r`.
    pub fn write_conditions(&self, sql: &mut Sql, data: Option<Sent<'_>>) {
        if let Some(account) = self.account {
            sql.push(" AND r.account_id = ").arg(account);
        }
        if let Some(rule) = self.rule {
            sql.push(" AND (");
            rule.write_sql(sql, "r", &self.caller.attributes(), data);
            sql.push(")");
        }
    }
}

fn refusal(denied: Denied, operation: Operation) -> Error {
    match denied {
        Denied::Locked => {
            let what = operation.name();
            Error::Forbidden(format!("The {what} operation of this collection is locked"))
        }
        Denied::Anonymous => Error::Unauthenticated("This operation needs credentials".into()),
    }
}

fn own_account(caller: &Caller) -> Result<AccountId> {
    caller.account_id().ok_or_else(|| {
        Error::refused(
            "Account required",
            "Without credentials the header X-Account-ID must name an account",
        )
    })
}
