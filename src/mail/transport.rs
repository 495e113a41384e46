//! How a mail leaves the server.

use std::io::IsTerminal as _;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use super::Rendered;
use crate::config::{Config, Environment, MailConfig, MailSecurity};
use crate::telemetry;

type Smtp = AsyncSmtpTransport<Tokio1Executor>;

pub(super) enum Transport {
    /// A mail server.
    Smtp {
        smtp: Box<Smtp>,
        from: Box<Mailbox>,
        reply_to: Option<Box<Mailbox>>,
    },
    /// None. On a developer's terminal the link is shown; it never goes into a log.
    Nowhere { show: bool },
    /// The mail server was configured in a way that only shows when it is used.
    Broken(String),
}

impl Transport {
    pub(super) fn new(config: &Config) -> Self {
        if !config.mail.has_transport() {
            let developing = config.server.environment == Environment::Development;
            return Self::Nowhere {
                show: developing && std::io::stderr().is_terminal(),
            };
        }
        smtp(&config.mail).unwrap_or_else(Self::Broken)
    }

    /// Whether anybody gets the mails, or is shown their links.
    pub(super) fn delivers(&self) -> bool {
        !matches!(self, Self::Nowhere { show: false })
    }

    /// The name in the log of mails.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Smtp { .. } | Self::Broken(_) => "smtp",
            Self::Nowhere { .. } => "log",
        }
    }

    pub(super) async fn send(&self, to: &str, mail: &Rendered) -> Result<(), String> {
        match self {
            Self::Broken(reason) => Err(reason.clone()),
            Self::Nowhere { show } => {
                tracing::warn!(
                    subject = mail.subject,
                    "no mail server is configured: a mail was not sent"
                );
                if *show {
                    telemetry::tell(format_args!(
                        "Mail to {to}: {}\n  {}",
                        mail.subject, mail.link
                    ));
                }
                Ok(())
            }
            Self::Smtp {
                smtp,
                from,
                reply_to,
            } => {
                let mut message = Message::builder()
                    .from((**from).clone())
                    .to(Mailbox::new(None, address(to)?))
                    .subject(mail.subject.as_str());
                if let Some(reply_to) = reply_to {
                    message = message.reply_to((**reply_to).clone());
                }
                let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
                let message = message.multipart(body).map_err(|error| error.to_string())?;
                smtp.send(message)
                    .await
                    .map(|_| ())
                    .map_err(|error| error.to_string())
            }
        }
    }
}

fn smtp(config: &MailConfig) -> Result<Transport, String> {
    let host = config.smtp_host.as_str();
    let builder = match config.smtp_security {
        MailSecurity::Starttls => Smtp::starttls_relay(host).map_err(|error| error.to_string())?,
        MailSecurity::Tls => Smtp::relay(host).map_err(|error| error.to_string())?,
        MailSecurity::None => Smtp::builder_dangerous(host),
    };
    let mut builder = builder
        .port(config.smtp_port)
        .timeout(Some(Duration::from_secs(config.smtp_timeout_seconds)));
    if !config.smtp_username.is_empty() {
        let password = config.smtp_password.expose().clone();
        builder = builder.credentials(Credentials::new(config.smtp_username.clone(), password));
    }
    let from = Mailbox::new(Some(config.from_name.clone()), address(&config.from_email)?);
    let reply_to = match config.reply_to.as_str() {
        "" => None,
        reply_to => Some(Box::new(Mailbox::new(None, address(reply_to)?))),
    };
    Ok(Transport::Smtp {
        smtp: Box::new(builder.build()),
        from: Box::new(from),
        reply_to,
    })
}

fn address(text: &str) -> Result<Address, String> {
    text.parse()
        .map_err(|error| format!("{text} is no e-mail address: {error}"))
}
