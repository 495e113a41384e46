//! `[auth]`.

use serde::Deserialize;

use crate::secret::Secret;
use crate::slug;

/// Texts that stand in examples; a server that signs with them signs for everyone.
const PLACEHOLDERS: [&str; 8] = [
    "change-me",
    "changeme",
    "change_me",
    "change-this",
    "your-secret",
    "placeholder",
    "secret-key",
    "example",
];
/// Fewer bytes can be guessed.
const SECRET_BYTES: usize = 32;

/// Whether an address must be confirmed before its user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmailVerification {
    /// If mails can be sent.
    Auto,
    /// Always.
    Required,
    /// Never.
    Off,
}

/// Secrets, tokens, passwords and who may sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuthConfig {
    /// Signs access and refresh tokens. Empty: made once and kept in the data folder.
    pub secret_key: Secret<String>,
    /// Signs API keys. Empty: made once and kept in the data folder.
    pub token_secret: Secret<String>,
    /// Encrypts stored settings and encrypted fields. Empty: made once and kept in the data folder.
    pub encryption_key: Secret<String>,
    /// Earlier encryption keys, which only decrypt.
    pub old_encryption_keys: Vec<Secret<String>>,
    /// How long an access token is valid, in seconds.
    pub access_token_seconds: i64,
    /// How long a refresh token is valid, in seconds.
    pub refresh_token_seconds: i64,
    /// How long a refresh token that was exchanged yields the one that is valid, in seconds; 0:
    /// each is good for one request, and one whose answer was lost cannot be sent again.
    pub refresh_grace_seconds: i64,
    /// How long links in mails are valid, in seconds.
    pub link_seconds: i64,
    /// How long an invitation can be accepted, in seconds.
    pub invitation_seconds: i64,
    /// How long what is known about a token is used without asking the database, in seconds.
    pub cache_seconds: u64,
    /// Whether an address must be confirmed before its user may sign in.
    pub email_verification: EmailVerification,
    /// The first superadmin's address; with `superadmin_password` it is created if there is none.
    pub superadmin_email: String,
    /// The first superadmin's password.
    pub superadmin_password: Secret<String>,
    /// Whether everyone who registers joins one account.
    pub single_tenant_mode: bool,
    /// The slug of that account.
    pub single_tenant_account: String,
    /// The name of that account; empty for the slug.
    pub single_tenant_account_name: String,
    /// Whether groups and invitations are changed by users with the role `admin` only.
    pub account_admin_required: bool,
    /// API keys a user may have.
    pub api_key_max_per_user: u32,
    /// Sessions a user may have; a sign-in beyond it ends the oldest.
    pub session_max_per_user: u32,
    /// Memory for hashing a password, in KiB.
    pub argon2_memory_kib: u32,
    /// Passes over it.
    pub argon2_iterations: u32,
    /// Lanes.
    pub argon2_parallelism: u32,
    /// Passwords hashed at once; 0 for one on each core but one, which is left for everything else.
    pub password_workers: usize,
    /// Whether users of the system account cannot be changed.
    pub is_demo: bool,
}

impl Default for AuthConfig {
    fn default() -> Self {
        Self {
            secret_key: Secret::default(),
            token_secret: Secret::default(),
            encryption_key: Secret::default(),
            old_encryption_keys: Vec::new(),
            access_token_seconds: 3600,
            refresh_token_seconds: 7 * 24 * 3600,
            refresh_grace_seconds: 10,
            link_seconds: 3600,
            invitation_seconds: 48 * 3600,
            cache_seconds: 5,
            email_verification: EmailVerification::Auto,
            superadmin_email: String::new(),
            superadmin_password: Secret::default(),
            single_tenant_mode: false,
            single_tenant_account: String::new(),
            single_tenant_account_name: String::new(),
            account_admin_required: true,
            api_key_max_per_user: 10,
            session_max_per_user: 100,
            argon2_memory_kib: 19_456,
            argon2_iterations: 2,
            argon2_parallelism: 1,
            password_workers: 0,
            is_demo: false,
        }
    }
}

impl AuthConfig {
    /// The encryption keys: the first one encrypts, all of them decrypt.
    pub fn encryption_keys(&self) -> impl Iterator<Item = &Secret<String>> {
        std::iter::once(&self.encryption_key).chain(&self.old_encryption_keys)
    }

    /// What is wrong with the account that everybody joins who registers.
    fn single_tenant_problem(&self) -> Option<String> {
        let account = self.single_tenant_account.trim();
        if !self.single_tenant_mode {
            return None;
        }
        if account.is_empty() {
            return Some("is needed in single-tenant mode: the slug of the account".into());
        }
        if account.eq_ignore_ascii_case(slug::SYSTEM_SLUG) {
            let told = "is the system account, whose users are superadmins: name the account of those who register";
            return Some(told.into());
        }
        let problem = slug::parse(account).err()?;
        Some(format!(
            "is `{account}`, which cannot be the slug of an account: {}",
            problem.message
        ))
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        let secrets = [
            ("auth.secret_key", &self.secret_key),
            ("auth.token_secret", &self.token_secret),
            ("auth.encryption_key", &self.encryption_key),
        ];
        for (key, secret) in secrets {
            if let Some(weakness) = weakness(secret.expose()) {
                problems.add(
                    key,
                    format!("{weakness}. Make one with `openssl rand -base64 48`"),
                );
            }
        }
        problems.range(
            "auth.access_token_seconds",
            self.access_token_seconds,
            1..=31_536_000,
        );
        problems.range(
            "auth.refresh_token_seconds",
            self.refresh_token_seconds,
            1..=315_360_000,
        );
        problems.range(
            "auth.refresh_grace_seconds",
            self.refresh_grace_seconds,
            0..=300,
        );
        problems.range(
            "auth.session_max_per_user",
            self.session_max_per_user,
            1..=10_000,
        );
        problems.range("auth.link_seconds", self.link_seconds, 60..=2_592_000);
        problems.range(
            "auth.invitation_seconds",
            self.invitation_seconds,
            1..=31_536_000,
        );
        problems.range("auth.cache_seconds", self.cache_seconds, 1..=60);
        problems.range(
            "auth.argon2_memory_kib",
            self.argon2_memory_kib,
            8 * self.argon2_parallelism..=4_194_304,
        );
        problems.range("auth.argon2_iterations", self.argon2_iterations, 1..=100);
        problems.range("auth.argon2_parallelism", self.argon2_parallelism, 1..=64);
        if let Some(problem) = self.single_tenant_problem() {
            problems.add("auth.single_tenant_account", problem);
        }
        if self.superadmin_email.is_empty() != self.superadmin_password.expose().is_empty() {
            problems.add(
                "auth.superadmin_email",
                "and auth.superadmin_password must be given together",
            );
        }
    }
}

/// What is wrong with a secret; nothing with an empty one, which is generated.
fn weakness(secret: &str) -> Option<String> {
    if secret.is_empty() {
        return None;
    }
    let lower = secret.to_ascii_lowercase();
    if PLACEHOLDERS
        .iter()
        .any(|placeholder| lower.contains(placeholder))
    {
        return Some("is a placeholder, which anybody could guess".into());
    }
    if secret.len() < SECRET_BYTES {
        return Some(format!(
            "has {} bytes; it needs at least {SECRET_BYTES}",
            secret.len()
        ));
    }
    let mut bytes = secret.as_bytes().to_vec();
    bytes.sort_unstable();
    bytes.dedup();
    (bytes.len() < 8).then(|| "repeats itself, which anybody could guess".into())
}
