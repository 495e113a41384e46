//! What mails say. Words of strangers stand in them as short names only: nothing that looks like a
//! paragraph, a web address or an e-mail address of its own.

use unicode_normalization::UnicodeNormalization as _;

use super::Mail;
use crate::config::Config;

/// Characters of a name in a mail.
const MAX_NAME_CHARS: usize = 40;
/// Characters of somebody's address in a mail to somebody else.
const MAX_ADDRESS_CHARS: usize = 100;

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
    let link = format!(
        "{}/{}?token={}",
        config.server.public_url(),
        mail.kind.page(),
        mail.token
    );
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
            format!(
                "Somebody, hopefully you, asked for a new password for {} at {app}.",
                mail.to
            ),
            "Set a new password",
            "If it was not you, ignore this mail: your password stays as it is.",
        ),
        Kind::Invitation {
            account_name,
            invited_by,
        } => {
            let (account, inviter) = (plain_name(account_name), plain_address(invited_by));
            (
                format!("Join {account} on {app}"),
                format!(
                    "{inviter} asks you to join \u{201c}{account}\u{201d} on {app}, as {}.",
                    mail.to
                ),
                "Accept the invitation",
                "If you do not want to, ignore this mail.",
            )
        }
    };
    let text = format!(
        "{ask}\n\n{button}:\n{link}\n\nThe link is valid for {valid} and works once.\n{otherwise}\n"
    );
    let html = format!(
        "<!doctype html><html><body style=\"font-family:sans-serif;line-height:1.5\"><p>{}</p>\
         <p><a href=\"{}\">{button}</a></p><p>The link is valid for {valid} and works once.<br>{otherwise}</p>\
         </body></html>",
        escape(&ask),
        escape(&link),
    );
    Rendered {
        subject: subject.replace(['\r', '\n'], " "),
        text,
        html,
        link,
    }
}

/// A name that somebody chose, as a mail to somebody else shows it: short, in one line, and without
/// what programs take for an address.
fn plain_name(name: &str) -> String {
    let compatible: Vec<char> = name.nfkc().collect();
    let mut plain = String::new();
    for (index, &letter) in compatible.iter().enumerate() {
        let is_last = compatible
            .get(index + 1)
            .is_none_or(|next| next.is_whitespace());
        plain.push(match letter {
            c if c.is_whitespace() || c.is_control() => ' ',
            // Inside a word these make an address of it.
            '.' | ':' | '/' | '\\' | '@' | '\u{3002}' | '\u{2024}' | '\u{2044}' | '\u{2215}'
                if !is_last =>
            {
                ' '
            }
            '@' | '/' | '\\' | '"' | '\u{201c}' | '\u{201d}' => ' ',
            c => c,
        });
    }
    let plain: String = plain.chars().filter(|c| !is_invisible(*c)).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(MAX_NAME_CHARS) {
        Some((end, _)) => format!("{}\u{2026}", line[..end].trim_end()),
        None if line.is_empty() => "an account".to_owned(),
        None => line,
    }
}

/// The address of the user who invites, if it is a plain one.
fn plain_address(address: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "@.+-_'".contains(c);
    let is_short = address.chars().count() <= MAX_ADDRESS_CHARS;
    if is_short && address.chars().all(is_plain) {
        address.to_owned()
    } else {
        "Somebody".to_owned()
    }
}

/// Characters that nobody sees, or that turn the order of others around.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn duration(seconds: i64) -> String {
    let (number, unit) = match seconds {
        s if s >= 172_800 => (s / 86_400, "day"),
        s if s >= 3600 => (s / 3600, "hour"),
        s => (s / 60, "minute"),
    };
    if number == 1 {
        format!("1 {unit}")
    } else {
        format!("{number} {unit}s")
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
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
        assert_eq!(
            rendered.link,
            "https://api.example.com/reset-password?token=t0-_"
        );
        assert!(rendered.text.contains(&rendered.link) && rendered.text.contains("1 hour"));
        assert!(rendered.html.contains("Tom &amp; &lt;Jerry&gt;"));
        assert!(!rendered.subject.contains('\n'));
    }
    #[test]
    fn names_of_strangers_are_short_and_never_addresses() {
        let cases = [
            ("Acme Inc.", "Acme Inc."),
            ("Dr. Smith & Söhne: Café", "Dr. Smith & Söhne: Café"),
            ("Booking.com", "Booking com"),
            (
                "Acme\n\nYour mailbox is full: https://evil.example/login\r\n.",
                "Acme Your mailbox is full: https evil ex…",
            ),
            ("www.evil.example", "www evil example"),
            ("evil\u{ff0e}example\u{ff0f}x", "evil example x"),
            ("evil\u{3002}example", "evil example"),
            ("evil\u{200b}.example", "evil example"),
            ("support@evil.example", "support evil example"),
            ("a\u{202e}b\u{0}c", "ab c"),
            ("\" <b>", "<b>"),
            ("\n\u{200b}", "an account"),
        ];
        for (name, plain) in cases {
            assert_eq!(plain_name(name), plain, "{name:?}");
        }
        let long = plain_name(&"word ".repeat(50));
        assert!(
            long.chars().count() <= MAX_NAME_CHARS + 1 && long.ends_with('…'),
            "{long}"
        );
        assert_eq!(
            plain_address("o'brien+x@müller.example"),
            "o'brien+x@müller.example"
        );
        for strange in [
            "evil.example/login@evil.example",
            "a&b@evil.example",
            &format!("{}@evil.example", "a".repeat(90)),
        ] {
            assert_eq!(plain_address(strange), "Somebody", "{strange}");
        }
    }

    #[test]
    fn an_invitation_has_no_paragraphs_of_strangers() {
        let words =
            "Acme\n\nSign in within 24 hours at\nhttps://evil.example/login\n\n.\nPS <script>";
        let kind = Kind::Invitation {
            account_name: words.into(),
            invited_by: "eve@evil.example".into(),
        };
        let mail = Mail {
            kind,
            account: SYSTEM_ACCOUNT,
            to: "ann@example.com".into(),
            token: "t".into(),
        };
        let rendered = render(&mail, &Config::default());
        assert_eq!(
            rendered.text.matches("\n\n").count(),
            2,
            "{}",
            rendered.text
        );
        for text in [&rendered.text, &rendered.html, &rendered.subject] {
            assert!(
                !text.contains("evil.example/") && !text.contains("<script"),
                "{text}"
            );
        }
        assert!(!rendered.subject.contains(['\n', '\r']) && rendered.subject.chars().count() < 120);
    }
}
