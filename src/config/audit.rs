//! `[audit]`.

use serde::Deserialize;

/// The audit trail.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// Whether changes are written into it.
    pub logging_enabled: bool,
    /// The longest value of a record that is kept whole, in bytes; of a longer one the length and
    /// the SHA-256.
    pub value_bytes: usize,
}

impl AuditConfig {
    pub(super) fn check(&self, problems: &mut super::Problems) {
        problems.range("audit.value_bytes", self.value_bytes, 256..=1 << 30);
    }
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self {
            logging_enabled: true,
            value_bytes: 64 * 1024,
        }
    }
}
