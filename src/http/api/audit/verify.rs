//! Checking the chains of the trail.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::filter::read_text;
use crate::app::App;
use crate::audit::{ChainHead, ChainProblem, Verification};
use crate::error::Result;
use crate::http::extract::{QueryParams, Superadmin};

/// The chain to check.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct VerifyParams {
    /// The account whose chain is checked; all if it is left out.
    account_id: Option<String>,
}

/// Problem at one place of the trail.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ChainProblemView {
    /// The account whose chain it is in.
    account_id: String,
    /// The place in the chain, from 1.
    seq: i64,
    /// The id of the entry's first row, if there is an entry.
    id: Option<i64>,
    /// `changed`: the entry is not what was written. `missing`: there was another one before it, or
    /// behind the last. `inserted`: it was not written by this server.
    kind: &'static str,
}

impl From<ChainProblem> for ChainProblemView {
    fn from(problem: ChainProblem) -> Self {
        Self {
            account_id: problem.account_id,
            seq: problem.seq,
            id: problem.id,
            kind: problem.kind,
        }
    }
}

/// The chain of an account.
#[derive(Serialize, ToSchema)]
#[schema(as = Chain)]
pub struct ChainHeadView {
    /// The account.
    account_id: String,
    /// Number of its entries.
    entries: i64,
    /// The checksum of the last one. If it is kept elsewhere, it proves later that nothing before
    /// it was rewritten.
    checksum: Option<String>,
}

impl From<ChainHead> for ChainHeadView {
    fn from(chain: ChainHead) -> Self {
        Self {
            account_id: chain.account_id,
            entries: chain.entries,
            checksum: chain.checksum,
        }
    }
}

/// Result of a check.
#[derive(Serialize, ToSchema)]
pub struct Verified {
    /// True if everything is as it was written.
    valid: bool,
    /// Number of entries that were read.
    entries: i64,
    /// Problems at the first hundred places.
    problems: Vec<ChainProblemView>,
    /// The chains.
    chains: Vec<ChainHeadView>,
}

impl From<Verification> for Verified {
    fn from(verification: Verification) -> Self {
        Self {
            valid: verification.valid,
            entries: verification.entries,
            problems: verification.problems.into_iter().map(Into::into).collect(),
            chains: verification.chains.into_iter().map(Into::into).collect(),
        }
    }
}

/// Checks the chain of an account, or of all: whether an entry was changed, removed or inserted.
#[utoipa::path(
    get,
    path = "/api/v1/audit-logs/verify",
    tag = "audit",
    params(VerifyParams),
    responses((status = 200, body = Verified), (status = 422)),
)]
pub(super) async fn verify(
    State(app): State<App>,
    Superadmin(caller): Superadmin,
    QueryParams(params): QueryParams<VerifyParams>,
) -> Result<Json<Verified>> {
    let account = read_text("account_id", params.account_id)?;
    let verified = app.audit.verify(&caller, account.as_deref()).await?;
    Ok(Json(verified.into()))
}
