use super::*;

#[tokio::test]
async fn every_form_of_the_account_signs_in_and_every_failure_looks_alike() {
    let f = Fixture::new().await;
    let user = f.user("ann@example.com", "Acme").await;
    for account in ["acme", "ACME", "AA0001", "aa0001", &user.account.id] {
        let login = f.login(account, "ANN@example.com", PASSWORD).await.unwrap();
        assert_eq!(
            (login.user.account_id.as_str(), login.expires_in),
            (user.account.id.as_str(), 3600)
        );
    }
    for (account, email, password) in [
        ("acme", "ann@example.com", "wrong"),
        ("acme", "nobody@example.com", PASSWORD),
        ("nowhere", "ann@example.com", PASSWORD),
        ("system", "ann@example.com", PASSWORD),
    ] {
        let refused = f.login(account, email, password).await;
        assert!(
            matches!(&refused, Err(Error::SignInRefused(text)) if text == "Invalid credentials"),
            "{refused:?}"
        );
    }
    let no_account = SignIn {
        account: None,
        email: "ann@example.com".into(),
        password: PASSWORD.into(),
    };
    assert!(matches!(
        f.accounts.login(no_account, None).await,
        Err(Error::Invalid { .. })
    ));
}

#[tokio::test]
async fn tokens_are_for_one_use_and_expire_without_leeway() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let caller = f.caller(&login.token).await.unwrap();
    let me = f.accounts.me(&caller).unwrap();
    assert_eq!(
        (
            me.email.as_str(),
            me.account.slug.as_str(),
            me.user.groups.len()
        ),
        ("ann@example.com", "acme", 1)
    );
    assert_eq!(
        message(f.caller(&login.refresh_token).await),
        "Not an access token"
    );
    assert_eq!(message(f.caller("garbage").await), "Invalid token");
    assert_eq!(message(f.caller("sb_ak.x.y").await), "Invalid API key");
    assert!(f.refresh(&login.token).await.is_err());
    let mut forged = login.token.clone();
    forged.replace_range(forged.len() - 2.., "xx");
    assert_eq!(message(f.caller(&forged).await), "Invalid token");
    f.wait(3599);
    f.caller(&login.token).await.unwrap();
    f.wait(1);
    assert_eq!(
        message(f.caller(&login.token).await),
        "Token expired",
        "even while it is cached"
    );
}

#[tokio::test]
async fn within_the_grace_every_tab_gets_the_token_that_is_valid() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let first = f.refresh(&login.refresh_token).await.unwrap();
    f.wait(9);
    let again = f.refresh(&login.refresh_token).await.unwrap();
    assert_eq!(
        first.refresh_token, again.refresh_token,
        "two tabs go on with the same token"
    );
    let second = f.refresh(&first.refresh_token).await.unwrap();
    assert_ne!(first.refresh_token, second.refresh_token);
    // A third tab was slow: two others have refreshed meanwhile.
    let slow = f.refresh(&login.refresh_token).await.unwrap();
    assert_eq!(slow.refresh_token, second.refresh_token);
    let third = f.refresh(&slow.refresh_token).await.unwrap();
    assert_eq!(
        f.refresh(&first.refresh_token).await.unwrap().refresh_token,
        third.refresh_token
    );
    for token in [
        &login.token,
        &first.token,
        &second.token,
        &slow.token,
        &third.token,
    ] {
        f.caller(token).await.unwrap();
    }
    // Past the grace it is one that somebody has kept.
    f.wait(1);
    assert!(f.refresh(&login.refresh_token).await.is_err());
    assert!(
        f.refresh(&third.refresh_token).await.is_err(),
        "the session has ended"
    );
    for token in [
        &login.token,
        &first.token,
        &second.token,
        &slow.token,
        &third.token,
    ] {
        assert!(f.caller(token).await.is_err());
    }
    assert_eq!(f.access_entries().await.len(), 1);
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_however_late() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let mut lost = Vec::new();
    let mut shown = login.refresh_token;
    for pause in [11, 3600, 2 * 86_400] {
        lost.push(f.refresh(&shown).await.unwrap());
        f.wait(pause);
        let answer = f.refresh(&shown).await.unwrap();
        assert_ne!(
            answer.refresh_token,
            lost.last().unwrap().refresh_token,
            "another one: the lost one is void"
        );
        let again = f.refresh(&shown).await.unwrap();
        assert_eq!(
            answer.refresh_token, again.refresh_token,
            "another tab asks at the same time"
        );
        shown = answer.refresh_token;
    }
    let newest = f.refresh(&shown).await.unwrap();
    f.caller(&newest.token).await.unwrap();
    assert_eq!(f.access_entries().await, Vec::<String>::new());
    f.wait(7 * 86_400);
    assert!(
        f.refresh(&newest.refresh_token).await.is_err(),
        "refresh tokens expire"
    );
}

/// Two hold copies of a refresh token, and each goes on with it: whoever comes second ends the
/// session for both.
#[tokio::test]
async fn a_stolen_refresh_token_ends_the_session_whoever_is_first() {
    // In each round somebody shows the newest token of an own.
    for order in ["TV", "VT", "VVT", "TTV", "VTV", "TVT"] {
        let f = Fixture::new().await;
        let login = f.user("ann@example.com", "Acme").await;
        let mut held = std::collections::HashMap::from([
            ('V', login.refresh_token.clone()),
            ('T', login.refresh_token),
        ]);
        let mut refused = false;
        // Each shows a token once more than it takes to notice.
        for who in order.chars().chain("VTVT".chars()) {
            let Ok(pair) = f.refresh(&held[&who]).await else {
                refused = true;
                break;
            };
            held.insert(who, pair.refresh_token);
            f.wait(60);
        }
        assert!(refused, "{order}");
        for token in held.values() {
            assert!(
                f.refresh(token).await.is_err(),
                "{order}: the session has ended for both"
            );
        }
        assert_eq!(f.access_entries().await.len(), 1, "{order}");
    }
}

#[tokio::test]
async fn without_a_grace_a_refresh_token_is_good_for_one_request() {
    let f = Fixture::with(|config| config.auth.refresh_grace_seconds = 0).await;
    let login = f.user("ann@example.com", "Acme").await;
    let first = f.refresh(&login.refresh_token).await.unwrap();
    assert!(f.refresh(&login.refresh_token).await.is_err());
    assert!(f.refresh(&first.refresh_token).await.is_err());
}

#[tokio::test]
async fn many_refreshes_at_once_agree() {
    let f = Arc::new(Fixture::new().await);
    let login = f.user("ann@example.com", "Acme").await;
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (f, token) = (f.clone(), login.refresh_token.clone());
            tokio::spawn(async move { f.refresh(&token).await.unwrap().refresh_token })
        })
        .collect();
    let mut tokens = std::collections::BTreeSet::new();
    for task in tasks {
        tokens.insert(task.await.unwrap());
    }
    assert_eq!(tokens.len(), 1);
}

#[tokio::test]
async fn signing_out_ends_one_session_at_once() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let other = f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
    let caller = f.caller(&login.token).await.unwrap();
    f.accounts.logout(&caller, &[]).await.unwrap();
    assert!(f.caller(&login.token).await.is_err());
    assert!(f.refresh(&login.refresh_token).await.is_err());
    f.caller(&other.token).await.unwrap();
    let session = caller.principal().unwrap().session_id.unwrap();
    assert_eq!(
        f.access_entries().await,
        [format!(r#"{{"session":"{session}"}}"#)]
    );
    // Twice, with nothing, and with the refresh token alone.
    f.accounts.logout(&caller, &[]).await.unwrap();
    let anonymous = Caller::Anonymous { account: None };
    f.accounts.logout(&anonymous, &["garbage"]).await.unwrap();
    f.accounts
        .logout(&anonymous, &[&other.refresh_token])
        .await
        .unwrap();
    assert!(f.caller(&other.token).await.is_err());
    assert_eq!(f.access_entries().await.len(), 2);
}

#[tokio::test]
async fn a_new_password_ends_every_session() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let forgot = |email: &str| {
        let request = ForgottenPassword {
            email: email.into(),
            account: Some("acme".into()),
        };
        f.accounts.forgot_password(request, None)
    };
    let known = forgot("ann@example.com").await.unwrap();
    assert_eq!(known, forgot("nobody@example.com").await.unwrap());
    let mut mail = f.mail("ann@example.com").await;
    while mail.kind != crate::mail::Kind::ResetPassword {
        tokio::time::sleep(Duration::from_millis(5)).await;
        mail = f.mail("ann@example.com").await;
    }
    let status = f
        .accounts
        .reset_token_status(&mail.token, None)
        .await
        .unwrap();
    assert!(status.valid && status.expires_at.is_some());
    let reset = |password: &str| {
        let request = PasswordReset {
            token: mail.token.clone(),
            new_password: password.into(),
        };
        f.accounts.reset_password(request, None)
    };
    assert!(matches!(reset("short").await, Err(Error::Malformed { .. })));
    assert!(matches!(
        reset("longenough").await,
        Err(Error::WeakPassword { .. })
    ));
    reset("An0ther!Strong").await.unwrap();
    assert!(reset("An0ther!Strong2").await.is_err(), "a link works once");
    assert!(
        !f.accounts
            .reset_token_status(&mail.token, None)
            .await
            .unwrap()
            .valid
    );
    assert!(f.caller(&login.token).await.is_err());
    assert!(f.refresh(&login.refresh_token).await.is_err());
    assert!(f.login("acme", "ann@example.com", PASSWORD).await.is_err());
    f.login("acme", "ann@example.com", "An0ther!Strong")
        .await
        .unwrap();
    assert_eq!(
        f.access_entries().await,
        [format!(r#"{{"credentials":"{}"}}"#, login.user.id)]
    );
}

#[tokio::test]
async fn too_many_wrong_passwords_have_to_wait_right_ones_do_not_count() {
    let f = Fixture::with(|config| {
        config.limits.login_failures_per_identity = 3;
        config.limits.throttle_window_seconds = 60;
    })
    .await;
    f.user("ann@example.com", "Acme").await;
    for _ in 0..10 {
        f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
    }
    for _ in 0..3 {
        let refused = f.login("AA0001", "ann@example.com", "wrong").await;
        assert!(matches!(refused, Err(Error::SignInRefused(_))));
    }
    let limited = f.login("acme", "ann@example.com", PASSWORD).await;
    assert!(
        matches!(limited, Err(Error::RateLimited { retry_after: 20 })),
        "{limited:?}"
    );
    f.wait(20);
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn hashes_of_another_cost_are_renewed_at_sign_in() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let costly = crate::config::AuthConfig {
        argon2_memory_kib: 128,
        ..Config::for_tests("".as_ref()).auth
    };
    let old = Passwords::new(&costly).hash(PASSWORD.into()).await.unwrap();
    let update = "UPDATE users SET password_hash = $1 WHERE id = $2";
    f.db.execute(Stmt::fixed(
        update,
        vec![old.into(), login.user.id.as_str().into()],
    ))
    .await
    .unwrap();
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
    let select = "SELECT password_hash FROM users WHERE id = $1";
    let hash: (String,) =
        f.db.row(Stmt::fixed(select, vec![login.user.id.into()]))
            .await
            .unwrap()
            .unwrap();
    assert!(hash.0.contains("m=64,"), "{}", hash.0);
    f.login("acme", "ann@example.com", PASSWORD).await.unwrap();
}

#[tokio::test]
async fn what_was_read_before_an_invalidation_is_not_used_after_it() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let caller = f.caller(&login.token).await.unwrap();
    let principal = caller.principal().unwrap();
    let same = f.caller(&login.token).await.unwrap();
    assert!(
        Arc::ptr_eq(principal, same.principal().unwrap()),
        "a known token is not read again"
    );
    assert!(f.auth.is_current(principal));
    f.auth.invalidate_user(principal.user_id);
    assert!(!f.auth.is_current(principal));
    for invalidate in [
        &(|| f.auth.invalidate_session(principal.session_id.unwrap())) as &dyn Fn(),
        &|| f.auth.invalidate_account(principal.account.id),
        &|| f.auth.invalidate_all(),
    ] {
        let before = f.caller(&login.token).await.unwrap();
        invalidate();
        let after = f.caller(&login.token).await.unwrap();
        assert!(!Arc::ptr_eq(
            before.principal().unwrap(),
            after.principal().unwrap()
        ));
    }
}

#[tokio::test]
async fn callers_say_who_they_are() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let caller = f.caller(&login.token).await.unwrap();
    assert!(!caller.is_superadmin());
    assert_eq!(
        (caller.actor(), caller.account_id()),
        (login.user.id.as_str(), AccountId::parse(&login.account.id))
    );
    let attributes = caller.attributes();
    assert_eq!(
        (attributes.role, attributes.groups.len()),
        (Some("admin"), 1)
    );
    let account: Arc<AccountRef> = f.auth.resolve_account("ACME").await.unwrap().unwrap();
    let anonymous = Caller::Anonymous {
        account: Some(account),
    };
    assert_eq!(
        (anonymous.actor(), anonymous.account_id()),
        ("anonymous", caller.account_id())
    );
    assert!(f.auth.resolve_account("nobody\0").await.unwrap().is_none());
    assert_eq!(caller.principal().unwrap().token_type, TokenType::Jwt);
    assert_eq!(
        Some(caller.principal().unwrap().user_id),
        UserId::parse(&login.user.id)
    );
}
