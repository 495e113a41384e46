use super::*;

fn new_user(email: &str, account: &str) -> UserDraft {
    UserDraft {
        email: email.into(),
        password: Some(PASSWORD.into()),
        account_id: account.into(),
        role_id: Some(2),
        is_active: true,
        email_verified: true,
        ..UserDraft::default()
    }
}

#[tokio::test]
async fn only_superadmins_administer() {
    let f = Fixture::new().await;
    let login = f.user("ann@example.com", "Acme").await;
    let caller = f.caller(&login.token).await.unwrap();
    let refused = f
        .accounts
        .users(
            &caller,
            &UserFilter {
                limit: 10,
                ..UserFilter::default()
            },
        )
        .await;
    assert!(
        matches!(&refused, Err(Error::Forbidden(text)) if text == "Superadmin access required"),
        "{refused:?}"
    );
    let refused = f
        .accounts
        .user(&Caller::Anonymous { account: None }, &login.user.id)
        .await;
    assert!(matches!(refused, Err(Error::Unauthenticated(_))));
}

#[tokio::test]
async fn users_are_created_changed_and_deactivated() {
    let f = Fixture::new().await;
    let root = f.superadmin().await;
    let account = f.register("ann@example.com", "Acme").await.unwrap().account;
    let bob = f
        .accounts
        .create_user(&root, new_user("Bob@Example.com", &account.id))
        .await
        .unwrap();
    assert_eq!(
        (bob.user.email.as_str(), bob.role_name.as_str()),
        ("bob@example.com", "user")
    );
    assert_eq!((bob.role_id, &*bob.account_name), (2, "Acme"));
    assert_eq!(bob.auth_provider, "password");
    assert!(bob.user.is_active && bob.user.email_verified && !bob.is_superadmin);
    let again = f
        .accounts
        .create_user(&root, new_user("bob@example.com", &account.id))
        .await;
    assert!(matches!(again, Err(Error::Conflict { .. })));
    let nowhere = f
        .accounts
        .create_user(&root, new_user("x@example.com", &UserId::new().to_string()))
        .await;
    assert!(matches!(nowhere, Err(Error::NotFound(_))));

    let login = f.login("acme", "bob@example.com", PASSWORD).await.unwrap();
    assert_eq!(
        f.caller(&login.token)
            .await
            .unwrap()
            .principal()
            .unwrap()
            .role,
        "user"
    );
    let promote = UserChange {
        role: Some("admin".into()),
        ..UserChange::default()
    };
    f.accounts
        .update_user(&root, &bob.user.id, promote)
        .await
        .unwrap();
    assert_eq!(
        f.caller(&login.token)
            .await
            .unwrap()
            .principal()
            .unwrap()
            .role,
        "admin",
        "at once"
    );
    f.accounts
        .deactivate_user(&root, &bob.user.id)
        .await
        .unwrap();
    assert!(f.caller(&login.token).await.is_err(), "at once");
    assert!(f.refresh(&login.refresh_token).await.is_err());
    assert_eq!(
        message(f.login("acme", "bob@example.com", PASSWORD).await),
        "Invalid credentials"
    );
    let activate = UserChange {
        is_active: Some(true),
        ..UserChange::default()
    };
    f.accounts
        .update_user(&root, &bob.user.id, activate)
        .await
        .unwrap();
    assert!(
        f.caller(&login.token).await.is_err(),
        "its sessions have ended"
    );
    f.login("acme", "bob@example.com", PASSWORD).await.unwrap();
    assert_eq!(f.access_entries().await.len(), 3);

    let own = root.actor().to_owned();
    assert!(matches!(
        f.accounts.deactivate_user(&root, &own).await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        f.accounts
            .update_user(&root, &own, UserChange::default())
            .await,
        Err(Error::Forbidden(_))
    ));
    assert!(matches!(
        f.accounts.deactivate_user(&root, "nosuch").await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn users_are_found() {
    let f = Fixture::new().await;
    let root = f.superadmin().await;
    let account = f.register("ann@example.com", "Acme").await.unwrap().account;
    for name in ["bob", "b_b", "cid"] {
        f.wait(1);
        f.accounts
            .create_user(&root, new_user(&format!("{name}@example.com"), &account.id))
            .await
            .unwrap();
    }
    let find = async |filter: UserFilter| {
        let list = f
            .accounts
            .users(
                &root,
                &UserFilter {
                    limit: 30,
                    ..filter
                },
            )
            .await
            .unwrap();
        let names = list
            .items
            .iter()
            .map(|user| user.user.email.split('@').next().unwrap().to_owned());
        (list.total, names.collect::<Vec<_>>().join(" "))
    };
    assert_eq!(
        find(UserFilter::default()).await.1.split(' ').next(),
        Some("cid"),
        "the newest first"
    );
    let sorted = UserFilter {
        sort: Some("email".into()),
        ..UserFilter::default()
    };
    assert_eq!(find(sorted).await, (5, "ann b_b bob cid root".into()));
    let search = UserFilter {
        search: Some("B_B".into()),
        ..UserFilter::default()
    };
    assert_eq!(find(search).await, (1, "b_b".into()));
    let admins = UserFilter {
        account_id: Some(account.id.clone()),
        role_id: Some(1),
        is_active: Some(true),
        ..UserFilter::default()
    };
    assert_eq!(find(admins).await, (1, "ann".into()));
    let unknown = UserFilter {
        sort: Some("password_hash".into()),
        ..UserFilter::default()
    };
    assert_eq!(find(unknown).await.0, 5);
}

#[tokio::test]
async fn superadmins_set_passwords_and_confirm_addresses() {
    let f = Fixture::new().await;
    let root = f.superadmin().await;
    let login = f.user("ann@example.com", "Acme").await;
    let id = login.user.id.as_str();
    let set = |request: PasswordChange| f.accounts.set_password(&root, id, request);
    assert!(matches!(
        set(PasswordChange::default()).await,
        Err(Error::Malformed { .. })
    ));
    let weak = PasswordChange {
        new_password: Some("weak".into()),
        send_reset_link: false,
    };
    assert!(matches!(set(weak).await, Err(Error::WeakPassword { .. })));
    let strong = PasswordChange {
        new_password: Some("An0ther!Strong".into()),
        send_reset_link: false,
    };
    set(strong).await.unwrap();
    assert!(f.caller(&login.token).await.is_err());
    f.login("acme", "ann@example.com", "An0ther!Strong")
        .await
        .unwrap();
    let bob = f.register("bob@example.com", "Bobs").await.unwrap();
    f.accounts.verify_user(&root, &bob.user.id).await.unwrap();
    f.login("bobs", "bob@example.com", PASSWORD).await.unwrap();
    assert!(matches!(
        f.accounts
            .resend_user_verification(&root, &bob.user.id)
            .await,
        Err(Error::Refused { .. })
    ));
}

#[tokio::test]
async fn accounts_are_administered() {
    let f = Fixture::new().await;
    let root = f.superadmin().await;
    let login = f.user("ann@example.com", "Acme").await;
    let create = |name: &str, slug: Option<&str>| {
        f.accounts.create_account(
            &root,
            NewAccount {
                name: name.into(),
                slug: slug.map(Into::into),
            },
        )
    };
    let globex = create("Globex", None).await.unwrap();
    assert_eq!(
        (globex.account.slug.as_str(), globex.user_count),
        ("globex", 0)
    );
    assert_eq!(
        create("Globex", None).await.unwrap().account.slug,
        "globex-1"
    );
    assert!(matches!(
        create("X", Some("acme")).await,
        Err(Error::Unprocessable { field: "slug", .. })
    ));
    let filter = |search: Option<&str>| AccountFilter {
        search: search.map(Into::into),
        sort_by: "name".into(),
        ascending: true,
        page: 1,
        page_size: 2,
    };
    let page = f.accounts.accounts(&root, &filter(None)).await.unwrap();
    assert_eq!(
        (
            page.total,
            page.total_pages,
            page.items[0].account.slug.as_str()
        ),
        (4, 2, "acme")
    );
    assert_eq!(
        f.accounts
            .accounts(&root, &filter(Some("GLOB")))
            .await
            .unwrap()
            .total,
        2
    );
    assert_eq!(
        f.accounts
            .accounts(&root, &filter(Some("%")))
            .await
            .unwrap()
            .total_pages,
        1
    );
    let users = f
        .accounts
        .account_users(&root, &login.account.id, 1, 25)
        .await
        .unwrap();
    assert_eq!(
        (users.total, users.items[0].email.as_str()),
        (1, "ann@example.com")
    );

    f.accounts
        .update_account(&root, &login.account.id, "Acme 2")
        .await
        .unwrap();
    assert_eq!(
        f.caller(&login.token)
            .await
            .unwrap()
            .account()
            .unwrap()
            .name,
        "Acme 2",
        "at once"
    );
    assert_eq!(
        f.auth.resolve_account("acme").await.unwrap().unwrap().name,
        "Acme 2"
    );
    f.accounts
        .delete_account(&root, &login.account.id)
        .await
        .unwrap();
    assert!(f.caller(&login.token).await.is_err());
    assert!(f.auth.resolve_account("acme").await.unwrap().is_none());
    let entries = f.access_entries().await;
    assert!(
        entries.contains(&format!(r#"{{"account":"{}"}}"#, login.account.id)),
        "{entries:?}"
    );
    let system = root.account_id().unwrap().to_string();
    assert!(matches!(
        f.accounts.delete_account(&root, &system).await,
        Err(Error::Unprocessable { field: "id", .. })
    ));
    assert!(matches!(
        f.accounts.account(&root, "nosuch").await,
        Err(Error::NotFound(_))
    ));
}

#[tokio::test]
async fn in_a_demonstration_superadmins_stay_as_they_are() {
    let f = Fixture::with(|config| config.auth.is_demo = true).await;
    let root = f.superadmin().await;
    f.accounts
        .create_superadmin("other@example.com", PASSWORD)
        .await
        .unwrap();
    let filter = UserFilter {
        limit: 10,
        search: Some("other".into()),
        ..UserFilter::default()
    };
    let other = f
        .accounts
        .users(&root, &filter)
        .await
        .unwrap()
        .items
        .remove(0)
        .user
        .id;
    assert!(matches!(
        f.accounts.deactivate_user(&root, &other).await,
        Err(Error::Forbidden(_))
    ));
}
