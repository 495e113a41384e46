//! How many files and sockets the process may have open at once.

/// The limit where the system has none, or does not tell.
const UNKNOWN_LIMIT: usize = 1 << 20;

/// Raises the limit as far as the process may, and returns it. Systems start programs with about a
/// thousand, for the sake of very old ones, and let them have many more.
#[cfg(unix)]
pub fn raise_limit() -> usize {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => usize::try_from(limit).unwrap_or(UNKNOWN_LIMIT),
        Err(error) => {
            tracing::warn!(%error, "the limit of open files could not be raised");
            limit()
        }
    }
}

/// The limit now.
#[cfg(unix)]
pub fn limit() -> usize {
    let soft = rlimit::getrlimit(rlimit::Resource::NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    usize::try_from(soft)
        .unwrap_or(UNKNOWN_LIMIT)
        .min(UNKNOWN_LIMIT)
}

/// There is nothing to raise.
#[cfg(not(unix))]
pub fn raise_limit() -> usize {
    limit()
}

/// Sockets are not limited.
#[cfg(not(unix))]
pub fn limit() -> usize {
    UNKNOWN_LIMIT
}
