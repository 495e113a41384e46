//! What mails say.

use super::Mail;
use crate::config::Config;

/// What a mail is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Confirms an address.
    VerifyEmail,
    /// Sets a new password.
    ResetPassword,
    /// Asks somebody to join an account.
    Invitation {
        /// The account's name.
        account_name: String,
        /// The address of the user who asks.
        invited_by: String,
    },
}

impl Kind {
    /// The name in the log of mails.
    pub fn name(&self) -> &'static str {
        match self {
            Self::VerifyEmail => "email_verification",
            Self::ResetPassword => "password_reset",
            Self::Invitation { .. } => "invitation",
        }
    }

    fn page(&self) -> &'static str {
        match self {
            Self::VerifyEmail => "verify-email",
            Self::ResetPassword => "reset-password",
            Self::Invitation { .. } => "accept-invitation",
        }
    }
}

/// A mail in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// The link in both.
    pub link: String,
}

pub(super) fn render(mail: &Mail, config: &Config) -> Rendered {
    let app = config.server.app_name.as_str();
    let link = format!("{}/{}?token={}", config.server.public_url(), mail.kind.page(), mail.token);
    let valid = duration(match mail.kind {
        Kind::Invitation { .. } => config.auth.invitation_seconds,
        _ => config.auth.link_seconds,
    });
    let (subject, ask, button, otherwise) = match &mail.kind {
        Kind::VerifyEmail => (
            format!("Confirm your address for {app}"),
            format!("Please confirm that {} is your address for {app}.", mail.to),
            "Confirm the address",
            "If you did not register, ignore this mail.",
        ),
        Kind::ResetPassword => (
            format!("Set a new password for {app}"),
            format!("Somebody, hopefully you, asked for a new password for {} at {app}.", mail.to),
            "Set a new password",
            "If it was not you, ignore this mail: your password stays as it is.",
        ),
        Kind::Invitation { account_name, invited_by } => (
            format!("Join {account_name} on {app}"),
            format!("{invited_by} asks you to join {account_name} on {app}, as {}.", mail.to),
            "Accept the invitation",
            "If you do not want to, ignore this mail.",
        ),
    };
    let text = format!("{ask}\n\n{button}:\n{link}\n\nThe link is valid for {valid} and works once.\n{otherwise}\n");
    let html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif;line-height:1.5\"><p>{}</p>\
         <p><a href=\"{}\">{button}</a></p><p>The link is valid for {valid} and works once.<br>{otherwise}</p>\
         </body></html>",
        escape(&ask),
        escape(&link),
    );
    Rendered { subject: subject.replace(['\r', '\n'], " "), text, html, link }
}

fn duration(seconds: i64) -> String {
    let (number, unit) = match seconds {
        s if s >= 172_800 => (s / 86_400, "day"),
        s if s >= 3600 => (s / 3600, "hour"),
        s => (s / 60, "minute"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SYSTEM_ACCOUNT;

    #[test]
    fn links_lead_to_the_public_url_and_html_is_escaped() {
        let mut config = Config::default();
        config.server.external_url = "https://api.example.com/".into();
        config.server.app_name = "Tom & <Jerry>\n".into();
        let mail = Mail {
            kind: Kind::ResetPassword,
            account: SYSTEM_ACCOUNT,
            to: "ann@example.com".into(),
            token: "t0-_".into(),
        };
        let rendered = render(&mail, &config);
        assert_eq!(rendered.link, "https://api.example.com/reset-password?token=t0-_");
        assert!(rendered.text.contains(&rendered.link) && rendered.text.contains("1 hour"));
        assert!(rendered.html.contains("Tom &amp; &lt;Jerry&gt;"));
        assert!(!rendered.subject.contains('\n'));
    }
}
