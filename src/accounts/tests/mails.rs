//! What mails are sent to whom, and what follows from having read one.

use super::*;
use crate::config::Environment;
use crate::mail::Kind;

/// Mails are kept for the test; whether they reach the mail server does not matter.
fn with_transport(config: &mut Config) {
    config.mail.smtp_host = "127.0.0.1".into();
    config.mail.smtp_port = 1;
    config.mail.from_email = "server@example.com".into();
}

async fn invite(f: &Fixture, caller: &Caller, email: &str) -> Result<Invitation> {
    let request = NewInvitation {
        email: email.into(),
        role_id: None,
        role: None,
        groups: Vec::new(),
        account_id: None,
    };
    f.accounts.invite(caller, request, None).await
}

async fn accept(f: &Fixture, token: &str) -> Result<OpenedSession> {
    f.accounts
        .accept_invitation(token, PASSWORD.into(), None)
        .await
}

#[tokio::test]
async fn only_the_mail_of_an_invitation_confirms_the_address() {
    let f = Fixture::with(with_transport).await;
    let ann = f.user("ann@example.com", "Acme").await;
    let ann = f.caller(&ann.token).await.unwrap();
    // Whoever invites cannot become somebody with a confirmed address of somebody else.
    let token = invite(&f, &ann, "bob@example.com")
        .await
        .unwrap()
        .token
        .unwrap();
    assert!(message(accept(&f, &token).await).contains("Email not verified"));
    assert!(
        message(f.login("acme", "bob@example.com", PASSWORD).await).contains("Email not verified")
    );
    let mail = f.mail("bob@example.com").await;
    assert_eq!(mail.kind, Kind::VerifyEmail);
    f.accounts.verify_email(&mail.token, None).await.unwrap();
    f.login("acme", "bob@example.com", PASSWORD).await.unwrap();
    // Whoever reads the mail is in at once.
    let token = invite(&f, &ann, "cid@example.com")
        .await
        .unwrap()
        .token
        .unwrap();
    let mailed = f.mail("cid@example.com").await.token;
    assert!(mailed.starts_with(&token) && mailed.len() > token.len() + 40);
    f.accounts.invitation_details(&mailed, None).await.unwrap();
    assert!(accept(&f, &mailed).await.unwrap().user.email_verified);
    // A proof that was made up proves nothing.
    let token = invite(&f, &ann, "dan@example.com")
        .await
        .unwrap()
        .token
        .unwrap();
    assert!(
        accept(&f, &format!("{token}-{}", "A".repeat(43)))
            .await
            .is_err()
    );
    let dan = f.accounts.login(
        SignIn {
            account: Some("acme".into()),
            email: "dan@example.com".into(),
            password: PASSWORD.into(),
        },
        None,
    );
    assert!(dan.await.is_err());
}

#[tokio::test]
async fn registrations_and_invitations_count_as_mails_to_one_person() {
    let f = Fixture::with(with_transport).await;
    let ann = f.user("ann@example.com", "Acme").await;
    let ann = f.caller(&ann.token).await.unwrap();
    for account in ["One", "Two", "Three", "Four"] {
        f.register("victim@example.com", account).await.unwrap();
    }
    invite(&f, &ann, "victim@example.com").await.unwrap();
    for refused in [
        f.register("Victim@Example.com", "Five").await.map(|_| ()),
        invite(&f, &ann, "victim@example.com").await.map(|_| ()),
    ] {
        assert!(
            matches!(refused, Err(Error::RateLimited { .. })),
            "{refused:?}"
        );
    }
    let five =
        f.db.count(Stmt::fixed(
            "SELECT count(*) FROM accounts WHERE name = 'Five'",
            Vec::new(),
        ))
        .await
        .unwrap();
    assert_eq!(five, 0, "a registration that is refused leaves nothing");
    f.register("somebody.else@example.com", "Six")
        .await
        .unwrap();
    // Links that people ask for are counted apart: nobody can keep others from them by registering.
    let request = ForgottenPassword {
        email: "victim@example.com".into(),
        account: Some("one".into()),
    };
    f.accounts.forgot_password(request, None).await.unwrap();
}

#[tokio::test]
async fn names_of_accounts_are_in_one_line() {
    let f = Fixture::with(|config| config.auth.email_verification = EmailVerification::Off).await;
    let made = f
        .register(
            "ann@example.com",
            "Acme\n\n Your mailbox\tis full \u{2028} ",
        )
        .await
        .unwrap();
    assert_eq!(made.account.name, "Acme Your mailbox is full");
    for name in ["a\u{1b}[2Jb", "a\u{202e}b", "a\0b"] {
        assert!(
            matches!(
                f.register("bob@example.com", name).await,
                Err(Error::Malformed { .. })
            ),
            "{name:?}"
        );
    }
    let root = f.superadmin().await;
    let create = |name: &str| {
        f.accounts.create_account(
            &root,
            NewAccount {
                name: name.into(),
                slug: None,
            },
        )
    };
    let made = create("Line\nbreak").await.unwrap();
    assert_eq!(made.account.name, "Line break");
    assert!(create("a\u{202e}b").await.is_err());
    let renamed = f
        .accounts
        .update_account(&root, &made.account.id, "Other\r\nline")
        .await
        .unwrap();
    assert_eq!(renamed.account.name, "Other line");
}

#[tokio::test]
async fn a_mail_that_nobody_can_send_is_not_announced() {
    let f = Fixture::with(|config| {
        config.server.environment = Environment::Production;
        config.auth.email_verification = EmailVerification::Off;
    })
    .await;
    let ann = f.register("ann@example.com", "Acme").await.unwrap();
    let root = f.superadmin().await;
    let ann_signed_in = f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
    let ann_signed_in = f.caller(&ann_signed_in.token).await.unwrap();
    let request = || VerificationTarget {
        email: None,
        account: None,
    };
    let named = VerificationTarget {
        email: Some("ann@example.com".into()),
        account: Some("acme".into()),
    };
    let link = PasswordChange {
        new_password: None,
        send_reset_link: true,
    };
    for answer in [
        f.accounts
            .resend_user_verification(&root, &ann.user.id)
            .await,
        f.accounts
            .send_verification(&ann_signed_in, &request(), None)
            .await,
        f.accounts
            .resend_verification(&Caller::Anonymous { account: None }, named, None)
            .await,
        f.accounts.set_password(&root, &ann.user.id, link).await,
    ] {
        assert!(message(answer).contains("mail server"));
    }
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
}
