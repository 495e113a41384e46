//! What a caller may do on a collection: the rule that applies, and the account whose records are in reach.
//!
//! Every statement over records gets its conditions here, so none can forget the account.

use std::sync::Arc;

use crate::auth::Caller;
use crate::db::Sql;
use crate::error::{Error, Result};
use crate::expr::Predicate;
use crate::id::AccountId;
use crate::schema::{Body, Collection, Operation, Rule, View};

/// An operation that the caller may try.
pub struct Scope<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// The records of what.
    pub collection: &'a Arc<Collection>,
    /// What is to be done with them.
    pub operation: Operation,
    /// The account whose records are in reach; `None` reaches all, which superadmins only get.
    pub account: Option<AccountId>,
    /// The rule that a record must satisfy besides.
    pub rule: Option<&'a Predicate>,
}

impl<'a> Scope<'a> {
    /// Checks what can be checked without a record: the rule's state, and whose records are meant.
    /// Those who read learn of the rule first, those who write that an account is missing.
    pub fn open(caller: &'a Caller, collection: &'a Arc<Collection>, operation: Operation) -> Result<Self> {
        let account = || if caller.is_superadmin() { Ok(None) } else { own_account(caller).map(Some) };
        if !matches!(operation, Operation::List | Operation::View) {
            account()?;
        }
        let rule = if caller.is_superadmin() {
            None
        } else {
            match collection.access.rule(operation) {
                Rule::Public => None,
                Rule::Locked => {
                    let what = operation.name();
                    return Err(Error::Forbidden(format!("The {what} operation of this collection is locked")));
                }
                Rule::When(_) if matches!(caller, Caller::Anonymous { .. }) => {
                    return Err(Error::Unauthenticated("This operation needs credentials".into()));
                }
                Rule::When(predicate) => Some(predicate),
            }
        };
        Ok(Self { caller, collection, operation, account: account()?, rule })
    }

    /// What the caller sees of a record in the answer.
    pub fn view(&self) -> View {
        View::new(self.collection.clone(), self.operation, self.caller.is_superadmin(), self.caller.sees_pii())
    }

    /// Appends `AND …` for the account and the rule, over the alias `r`.
    pub fn write_conditions(&self, sql: &mut Sql, data: Option<&Body>) {
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

fn own_account(caller: &Caller) -> Result<AccountId> {
    caller.account_id().ok_or_else(|| {
        Error::refused("Account required", "Without credentials the header X-Account-ID must name an account")
    })
}
