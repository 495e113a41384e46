//! `[audit]`.

use serde::Deserialize;

/// The audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Whether changes are written into it.
    pub logging_enabled: bool,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { logging_enabled: true }
    }
}
