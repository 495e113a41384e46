use super::*;

fn codes<T>(result: Result<T>) -> Vec<String> {
    match result {
        Err(Error::Invalid { fields, .. }) => fields
            .into_iter()
            .map(|field| format!("{} {}", field.field, field.code))
            .collect(),
        Err(other) => vec![other.to_string()],
        Ok(_) => Vec::new(),
    }
}

#[tokio::test]
async fn registering_makes_an_account_with_its_first_user() {
    let f = Fixture::new().await;
    let first = f.register("Ann@Example.com", "Acme Corp").await.unwrap();
    assert_eq!(
        (
            first.account.slug.as_str(),
            first.account.account_code.as_str()
        ),
        ("acme-corp", "AA0001")
    );
    assert_eq!(
        (first.user.email.as_str(), first.user.role.as_str()),
        ("ann@example.com", "admin")
    );
    assert_eq!(first.user.groups, ["pii_access"]);
    assert!(first.must_verify);
    let second = f.register("ann@example.com", "Other").await.unwrap();
    assert_eq!(second.account.account_code, "AA0002");
    let clash = f.register("bob@example.com", "acme corp").await;
    assert!(
        matches!(&clash, Err(Error::Conflict { field: Some(field), .. }) if field == "account_slug"),
        "{clash:?}"
    );
}

#[tokio::test]
async fn registrations_at_once_get_codes_of_their_own() {
    let f = Arc::new(Fixture::new().await);
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let f = f.clone();
            tokio::spawn(async move {
                f.register("ann@example.com", &format!("Account {i}"))
                    .await
                    .unwrap()
            })
        })
        .collect();
    let mut codes = std::collections::BTreeSet::new();
    for task in tasks {
        codes.insert(task.await.unwrap().account.account_code);
    }
    assert_eq!(codes.len(), 20);
    assert_eq!(codes.last().unwrap(), "AA0020");
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_told_in_order() {
    let f = Fixture::new().await;
    let register = |password: &str, name: Option<&str>, slug: Option<&str>| {
        let request = NewRegistration {
            email: "ann@example.com".into(),
            password: password.into(),
            account_name: name.map(Into::into),
            account_slug: slug.map(Into::into),
        };
        f.accounts.register(request, None)
    };
    assert_eq!(
        codes(register("NoSpecial1234", None, None).await),
        ["password password_no_special"]
    );
    assert_eq!(
        codes(register(PASSWORD, None, None).await),
        ["account_name required"]
    );
    assert_eq!(
        codes(register(PASSWORD, Some("A"), Some("Bad_Slug!")).await),
        ["account_slug slug_invalid_chars"]
    );
    assert!(matches!(
        register(PASSWORD, Some("A"), Some("ab")).await,
        Err(Error::Malformed { .. })
    ));
}

#[tokio::test]
async fn an_address_is_confirmed_once_with_the_token_that_was_mailed() {
    let f = Fixture::new().await;
    f.register("ann@example.com", "Acme").await.unwrap();
    let refused = message(f.login("acme", "ann@example.com", PASSWORD).await);
    assert!(refused.contains("email"), "{refused}");
    // A wrong password says nothing of the address.
    assert_eq!(
        message(f.login("acme", "ann@example.com", "wrong").await),
        "Invalid credentials"
    );
    let first = f.mail("ann@example.com").await;
    let request = VerificationTarget {
        email: Some("ann@example.com".into()),
        account: Some("acme".into()),
    };
    let anonymous = Caller::Anonymous { account: None };
    let known = f
        .accounts
        .resend_verification(&anonymous, request, None)
        .await
        .unwrap();
    let unknown = VerificationTarget {
        email: Some("nobody@example.com".into()),
        account: Some("nowhere".into()),
    };
    let unknown = f
        .accounts
        .resend_verification(&anonymous, unknown, None)
        .await
        .unwrap();
    assert_eq!(known, unknown);
    let mut second = f.mail("ann@example.com").await;
    while second.token == first.token {
        tokio::time::sleep(Duration::from_millis(5)).await;
        second = f.mail("ann@example.com").await;
    }
    let verify = |token: &str| {
        let (accounts, token) = (f.accounts.clone(), token.to_owned());
        async move { accounts.verify_email(&token, None).await }
    };
    assert!(
        verify(&first.token).await.is_err(),
        "an older token is replaced"
    );
    assert!(verify("nope").await.is_err());
    assert_eq!(
        verify(&second.token).await.unwrap().email,
        "ann@example.com"
    );
    assert!(verify(&second.token).await.is_err(), "a token works once");
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn links_expire() {
    let f = Fixture::new().await;
    f.register("ann@example.com", "Acme").await.unwrap();
    let token = f.mail("ann@example.com").await.token;
    f.wait(3600);
    assert!(f.accounts.verify_email(&token, None).await.is_err());
}

#[tokio::test]
async fn without_mails_nobody_must_confirm_an_address() {
    let f = Fixture::with(|config| config.auth.email_verification = EmailVerification::Auto).await;
    f.register("ann@example.com", "Acme").await.unwrap();
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn with_one_account_everyone_joins_it() {
    let f = Fixture::with(|config| {
        config.auth.single_tenant_mode = true;
        config.auth.single_tenant_account = "acme".into();
        config.auth.email_verification = EmailVerification::Off;
    })
    .await;
    let request = || NewRegistration {
        email: "ann@example.com".into(),
        password: PASSWORD.into(),
        account_name: None,
        account_slug: None,
    };
    let first = f.accounts.register(request(), None).await.unwrap();
    assert_eq!(
        (first.account.slug.as_str(), first.user.role.as_str()),
        ("acme", "user")
    );
    assert!(first.user.groups.is_empty());
    let again = f.accounts.register(request(), None).await;
    assert!(
        matches!(&again, Err(Error::Conflict { field: Some(field), .. }) if field == "email"),
        "{again:?}"
    );
    let login = SignIn {
        account: None,
        email: "ann@example.com".into(),
        password: PASSWORD.into(),
    };
    assert_eq!(
        f.accounts.login(login, None).await.unwrap().account.slug,
        "acme"
    );
}

#[tokio::test]
async fn nobody_who_registers_joins_the_system_account() {
    let f = Fixture::with(|config| {
        config.auth.single_tenant_mode = true;
        config.auth.single_tenant_account = "system".into();
    })
    .await;
    assert!(f.register("ann@example.com", "Acme").await.is_err());
    assert!(f.accounts.needs_setup().await.unwrap());
}

#[tokio::test]
async fn the_first_superadmin_is_made_with_the_printed_token_once() {
    let f = Fixture::new().await;
    assert!(f.accounts.needs_setup().await.unwrap());
    let old = f.accounts.setup_token().await.unwrap().unwrap();
    let token = f.accounts.setup_token().await.unwrap().unwrap();
    let setup = |token: &str| {
        let request = FirstSuperadmin {
            token: token.into(),
            email: "root@example.com".into(),
            password: PASSWORD.into(),
        };
        f.accounts.setup(request, None)
    };
    assert!(setup("guess").await.is_err());
    assert!(setup(&old).await.is_err());
    let login = setup(&token).await.unwrap();
    assert!(f.caller(&login.token).await.unwrap().is_superadmin());
    assert!(!f.accounts.needs_setup().await.unwrap());
    assert!(f.accounts.setup_token().await.unwrap().is_none());
    assert!(matches!(setup(&token).await, Err(Error::Conflict { .. })));
}

#[tokio::test]
async fn addresses_are_composed_however_they_are_typed() {
    let f = Fixture::with(|config| config.auth.email_verification = EmailVerification::Off).await;
    let (composed, decomposed) = (
        "j\u{fc}rgen@m\u{fc}ller.example",
        "Ju\u{308}rgen@mu\u{308}ller.example",
    );
    let made = f.register(decomposed, "Acme").await.unwrap();
    assert_eq!(made.user.email, composed);
    for typed in [composed, decomposed] {
        f.login("acme", typed, PASSWORD).await.unwrap();
    }
    // One from before, when addresses were kept as they came.
    let old = "UPDATE users SET email = $1 WHERE id = $2";
    let args = vec![
        decomposed.to_lowercase().into(),
        made.user.id.as_str().into(),
    ];
    f.db.execute(Stmt::fixed(old, args)).await.unwrap();
    f.db.execute(Stmt::fixed(
        "DELETE FROM meta WHERE key = 'addresses_normalized'",
        Vec::new(),
    ))
    .await
    .unwrap();
    assert!(f.login("acme", decomposed, PASSWORD).await.is_err());
    f.accounts.bootstrap().await.unwrap();
    f.login("acme", decomposed, PASSWORD).await.unwrap();
}
