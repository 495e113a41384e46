//! `[mail]`.

use serde::Deserialize;

use crate::secret::Secret;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailSecurity {
    /// Plain at first, then TLS; usual on port 587.
    Starttls,
    /// TLS from the start; usual on port 465.
    Tls,
    /// None: only for a mail server on the same machine.
    None,
}

/// How mails are sent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailConfig {
    /// The mail server; empty to send no mails.
    pub smtp_host: String,
    /// Its port.
    pub smtp_port: u16,
    /// The user; empty for none.
    pub smtp_username: String,
    /// The user's password.
    pub smtp_password: Secret<String>,
    /// How the connection is protected.
    pub smtp_security: MailSecurity,
    /// How long to wait for the mail server, in seconds.
    pub smtp_timeout_seconds: u64,
    /// The sender's address.
    pub from_email: String,
    /// The sender's name.
    pub from_name: String,
    /// Where answers go; empty for the sender.
    pub reply_to: String,
    /// Mails that may wait to be sent.
    pub queue_size: usize,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            smtp_host: String::new(),
            smtp_port: 587,
            smtp_username: String::new(),
            smtp_password: Secret::default(),
            smtp_security: MailSecurity::Starttls,
            smtp_timeout_seconds: 10,
            from_email: String::new(),
            from_name: "SnackBase".into(),
            reply_to: String::new(),
            queue_size: 1000,
        }
    }
}

impl MailConfig {
    /// Whether mails can be sent.
    pub fn has_transport(&self) -> bool {
        !self.smtp_host.is_empty()
    }

    pub(super) fn check(&self, problems: &mut super::Problems) {
        for (key, address) in [
            ("mail.from_email", &self.from_email),
            ("mail.reply_to", &self.reply_to),
        ] {
            if !address.is_empty() && address.parse::<lettre::Address>().is_err() {
                problems.add(key, format!("`{address}` is no e-mail address"));
            }
        }
        if self.has_transport() && self.from_email.is_empty() {
            problems.add(
                "mail.from_email",
                "is needed to send mails: the sender's address",
            );
        }
        if self.smtp_username.is_empty() != self.smtp_password.expose().is_empty() {
            problems.add(
                "mail.smtp_username",
                "and mail.smtp_password must be given together",
            );
        }
        problems.range(
            "mail.smtp_timeout_seconds",
            self.smtp_timeout_seconds,
            1..=300,
        );
        problems.range("mail.queue_size", self.queue_size, 1..=100_000);
    }
}
