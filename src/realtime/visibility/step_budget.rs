//! The steps that accounts may take for judging their events in memory. A shard serves many
//! accounts: the ones with expensive filters must not delay the others.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::expr::steps_taken;
use crate::id::AccountId;

/// Upper limit of the steps for one event. A step takes about a nanosecond, and the other accounts
/// wait for so long.
const MAX_EVENT_STEPS: u64 = 128 << 20;
/// Upper limit of the steps that an account may save up.
const MAX_SAVED_STEPS: u64 = 256 << 20;
/// Steps that each account is given in a millisecond: about a quarter of the time.
const STEPS_PER_MILLISECOND: u64 = 256 << 10;
/// Events that took fewer steps are not counted.
const MIN_COUNTED_STEPS: u64 = 16 << 10;
/// Number of accounts from which on those that have saved up everything are forgotten.
const MAX_REMEMBERED_ACCOUNTS: usize = 1_000;

/// The steps that accounts have left. Only accounts whose events took many steps are in it.
#[derive(Debug, Default)]
pub(in crate::realtime) struct StepBudgets(HashMap<Option<AccountId>, SavedSteps>);

#[derive(Clone, Copy, Debug)]
struct SavedSteps {
    steps: u64,
    at: Instant,
}

impl SavedSteps {
    fn by(self, now: Instant) -> u64 {
        let passed = u64::try_from((now - self.at).as_millis()).unwrap_or(u64::MAX);
        self.steps
            .saturating_add(passed.saturating_mul(STEPS_PER_MILLISECOND))
            .min(MAX_SAVED_STEPS)
    }
}

/// The steps that may be taken for judging one event.
#[derive(Debug)]
pub(in crate::realtime) struct StepBudget {
    given: u64,
    left: u64,
}

impl StepBudget {
    /// A budget without a limit: for tasks that delay nobody else.
    pub(in crate::realtime) fn unlimited() -> Self {
        Self {
            given: u64::MAX,
            left: u64::MAX,
        }
    }

    /// Runs a judgement, or returns `None` if no steps are left. One judgement may take as many
    /// steps as an evaluation may.
    pub(in crate::realtime) fn run<T>(&mut self, judge: impl FnOnce() -> T) -> Option<T> {
        if self.left == 0 {
            return None;
        }
        let before = steps_taken();
        let judged = judge();
        self.left = self.left.saturating_sub(steps_taken().wrapping_sub(before));
        Some(judged)
    }
}

impl StepBudgets {
    /// The budget of an account for one event.
    pub(in crate::realtime) fn of(&self, account: Option<AccountId>, now: Instant) -> StepBudget {
        let saved = self
            .0
            .get(&account)
            .map_or(MAX_SAVED_STEPS, |saved| saved.by(now));
        let given = saved.min(MAX_EVENT_STEPS);
        StepBudget { given, left: given }
    }

    /// Takes the used steps from the account.
    pub(in crate::realtime) fn settle(
        &mut self,
        account: Option<AccountId>,
        budget: &StepBudget,
        now: Instant,
    ) {
        let used = budget.given - budget.left;
        if used < MIN_COUNTED_STEPS {
            return;
        }
        if self.0.len() >= MAX_REMEMBERED_ACCOUNTS {
            self.0.retain(|_, saved| saved.by(now) < MAX_SAVED_STEPS);
        }
        let saved = self
            .0
            .get(&account)
            .map_or(MAX_SAVED_STEPS, |saved| saved.by(now));
        self.0.insert(
            account,
            SavedSteps {
                steps: saved.saturating_sub(used),
                at: now,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::db::{ColumnKind, Ident};
    use crate::expr::{Auth, Column, Columns, Predicate, Purpose};

    struct OneText;

    impl Columns for OneText {
        fn column(&self, name: &str) -> Option<Column> {
            (name == "t").then(|| Column::stored(Ident::fixed("t"), ColumnKind::Text))
        }
    }

    #[test]
    fn an_account_that_takes_many_steps_waits_and_others_do_not() {
        let filter = Predicate::compile("trim(t) = 'y'", &OneText, Purpose::Filter).unwrap();
        let record = json!({"t": "x".repeat(4 << 20)});
        let judge = || filter.eval(record.as_object().unwrap(), &Auth::default(), None);
        let (greedy, other) = (Some(AccountId::new()), Some(AccountId::new()));
        let mut budgets = StepBudgets::default();
        let (mut events, mut judged, now) = (0, 0, Instant::now());
        loop {
            let mut budget = budgets.of(greedy, now);
            let before = judged;
            while budget.run(judge).is_some() {
                judged += 1;
            }
            budgets.settle(greedy, &budget, now);
            if judged == before {
                break;
            }
            events += 1;
        }
        // Two events with 128 Mi steps each, a little more than 4 Mi for each judgement.
        assert!(
            events == 2 && (40..=66).contains(&judged),
            "{events} events, {judged} judgements"
        );
        assert!(budgets.of(other, now).run(judge).is_some());
        let later = now + Duration::from_millis(100);
        assert!(budgets.of(greedy, later).run(judge).is_some());
    }
}
