//! Checking that nobody changed, removed or inserted an entry.

use std::collections::{BTreeMap, HashMap};

use super::Audit;
use super::entry::Entry;
use crate::access::account::superadmin;
use crate::auth::Caller;
use crate::db::{Db, DbError};
use crate::error::Result;

/// Entries read at once.
const CHUNK: i64 = 500;
/// Problems that are told of; there may be more.
const TOLD: usize = 100;

/// What is wrong at one place of the trail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainProblem {
    /// The account whose chain it is in.
    pub account_id: String,
    /// The place in the chain, from 1.
    pub seq: i64,
    /// The id of the entry's first row, if there is an entry.
    pub id: Option<i64>,
    /// `changed`: the entry is not what was written. `missing`: there was another one before it, or
    /// behind the last. `inserted`: it was not written by this server.
    pub kind: &'static str,
}

/// The chain of an account.
#[derive(Clone, Debug)]
pub struct ChainHead {
    /// The account.
    pub account_id: String,
    /// How many entries it has.
    pub entries: i64,
    /// The checksum of the last one. Whoever keeps it elsewhere can tell later that nothing before
    /// it was rewritten.
    pub checksum: Option<String>,
}

/// What became of a check.
#[derive(Clone, Debug)]
pub struct Verification {
    /// Whether everything is as it was written.
    pub valid: bool,
    /// How many entries were read.
    pub entries: i64,
    /// What is wrong: the first hundred places.
    pub problems: Vec<ChainProblem>,
    /// The chains.
    pub chains: Vec<ChainHead>,
}

impl Audit {
    /// Checks the chain of an account, or all.
    pub async fn verify(&self, caller: &Caller, account: Option<&str>) -> Result<Verification> {
        superadmin(caller)?;
        self.settle().await?;
        Ok(verify(&self.0.db, account).await?)
    }
}

/// Checks the chain of an account, or all. Entries that are written meanwhile do no harm.
pub async fn verify(db: &Db, account: Option<&str>) -> Result<Verification, DbError> {
    // What is the end now must be passed on the way; what is beyond it must not be beyond the end
    // of afterwards.
    let mut check = Check {
        ends: ends(db, account).await?,
        ..Check::default()
    };
    check.walk(db, account).await?;
    check.compare(&ends(db, account).await?);
    let chain = |(account_id, chain): (String, Running)| ChainHead {
        account_id,
        entries: chain.seq,
        checksum: chain.checksum,
    };
    Ok(Verification {
        valid: check.problems.is_empty(),
        entries: check.entries,
        problems: check.problems,
        chains: check.chains.into_iter().map(chain).collect(),
    })
}

/// Where chains must end, by account: how many entries, and the checksum of the last.
type Ends = HashMap<String, (i64, String)>;

async fn ends(db: &Db, account: Option<&str>) -> Result<Ends, DbError> {
    let mut sql = db.sql();
    sql.push("SELECT account_id, entries, checksum FROM audit_chains");
    if let Some(account) = account {
        sql.push(" WHERE account_id = ").arg(account);
    }
    let rows: Vec<(String, i64, String)> = db.rows(sql.build()).await?;
    Ok(rows
        .into_iter()
        .map(|(account, entries, checksum)| (account, (entries, checksum)))
        .collect())
}

/// The chain so far.
#[derive(Default)]
struct Running {
    seq: i64,
    checksum: Option<String>,
}

#[derive(Default)]
struct Check {
    ends: Ends,
    chains: BTreeMap<String, Running>,
    problems: Vec<ChainProblem>,
    entries: i64,
    /// The last entry's id, and the id that must follow.
    last: i64,
    next: i64,
}

impl Check {
    /// Reads on to the end.
    async fn walk(&mut self, db: &Db, account: Option<&str>) -> Result<(), DbError> {
        loop {
            let mut sql = db.sql();
            sql.push("SELECT * FROM audit_log WHERE ");
            match account {
                Some(account) => {
                    let seq = self.chains.get(account).map_or(0, |chain| chain.seq);
                    sql.push("account_id = ")
                        .arg(account)
                        .push(" AND seq > ")
                        .arg(seq)
                        .push(" ORDER BY seq");
                }
                None => {
                    sql.push("id > ").arg(self.last).push(" ORDER BY id");
                }
            }
            sql.push(" LIMIT ").number(CHUNK);
            let entries: Vec<Entry> = db.rows(sql.build()).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                self.entry(entry, account.is_none());
            }
        }
    }

    fn entry(&mut self, entry: Entry, all: bool) {
        let chain = self.chains.entry(entry.account_id.clone()).or_default();
        let unbroken = entry.seq == chain.seq + 1 && entry.previous_hash == chain.checksum;
        let end = self
            .ends
            .get(&entry.account_id)
            .filter(|(entries, _)| *entries == entry.seq);
        let is_end = end.is_none_or(|(_, checksum)| *checksum == entry.checksum);
        let kind = if entry.checksum != entry.seal() || !is_end {
            Some("changed")
        } else if entry.seq <= chain.seq {
            Some("inserted")
        } else if !unbroken || all && entry.id != self.next.max(1) {
            // A whole chain that is gone leaves a gap in the ids.
            Some("missing")
        } else {
            None
        };
        chain.seq = entry.seq.max(chain.seq);
        chain.checksum = Some(entry.checksum);
        self.entries += 1;
        self.last = entry.id;
        self.next = entry.id + i64::from(entry.row_count);
        if let Some(kind) = kind {
            self.tell(ChainProblem {
                account_id: entry.account_id,
                seq: entry.seq,
                id: Some(entry.id),
                kind,
            });
        }
    }

    /// Compares the chains with where they end afterwards, and with where they ended before.
    fn compare(&mut self, after: &Ends) {
        let mut problems = Vec::new();
        for (account_id, chain) in &self.chains {
            if after
                .get(account_id)
                .is_none_or(|(entries, _)| *entries < chain.seq)
            {
                let (account_id, seq) = (account_id.clone(), chain.seq);
                problems.push(ChainProblem {
                    account_id,
                    seq,
                    id: None,
                    kind: "inserted",
                });
            }
        }
        for (account_id, (entries, _)) in &self.ends {
            if self
                .chains
                .get(account_id)
                .is_none_or(|chain| chain.seq < *entries)
            {
                let (account_id, seq) = (account_id.clone(), *entries);
                problems.push(ChainProblem {
                    account_id,
                    seq,
                    id: None,
                    kind: "missing",
                });
            }
        }
        problems.sort_by(|a, b| (&a.account_id, a.seq).cmp(&(&b.account_id, b.seq)));
        for problem in problems {
            self.tell(problem);
        }
    }

    fn tell(&mut self, problem: ChainProblem) {
        if self.problems.len() < TOLD {
            self.problems.push(problem);
        }
    }
}
