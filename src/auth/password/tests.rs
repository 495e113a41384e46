use super::*;
use crate::secret::Secret;

fn codes(password: &str) -> Vec<String> {
    match check_policy(password) {
        Ok(()) => Vec::new(),
        Err(Error::Invalid { fields, .. }) => fields.into_iter().map(|field| field.code).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_policy_reports_everything_in_order() {
    let cases: [(&str, &[&str]); 8] = [
        (
            "short",
            &["too_short", "no_uppercase", "no_digit", "no_special"],
        ),
        ("NoSpecial1234", &["no_special"]),
        ("Valid Pass 123", &["no_special"]),
        ("ValidPass123!", &[]),
        ("Valid12345é§ab", &["no_special"]),
        ("ÀÉValid123!é", &[]),
        ("Aa1~ÄÖÜäöüß", &["too_short"]),
        (
            "",
            &[
                "too_short",
                "no_uppercase",
                "no_lowercase",
                "no_digit",
                "no_special",
            ],
        ),
    ];
    for (password, expected) in cases {
        let expected: Vec<String> = expected
            .iter()
            .map(|code| format!("password_{code}"))
            .collect();
        assert_eq!(codes(password), expected, "{password}");
    }
}

fn passwords() -> Passwords {
    Passwords::new(&AuthConfig {
        argon2_memory_kib: 64,
        argon2_iterations: 1,
        ..AuthConfig::default()
    })
}

async fn verify(passwords: &Passwords, password: &str, stored: Option<&str>) -> Verdict {
    passwords
        .verify(password.into(), stored.map(Into::into), || Ok(()))
        .await
        .unwrap()
}

#[tokio::test]
async fn hashes_verify_and_outdated_ones_are_told() {
    let passwords = passwords();
    let hash = passwords.hash("correct horse".into()).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
    assert_ne!(hash, passwords.hash("correct horse".into()).await.unwrap());
    assert_eq!(
        verify(&passwords, "correct horse", Some(&hash)).await,
        Verdict::Right
    );
    assert_eq!(
        verify(&passwords, "wrong horse", Some(&hash)).await,
        Verdict::Wrong
    );
    assert_eq!(verify(&passwords, "anything", None).await, Verdict::Wrong);
    let stronger = AuthConfig {
        argon2_memory_kib: 128,
        argon2_iterations: 2,
        ..AuthConfig::default()
    };
    assert_eq!(
        verify(&Passwords::new(&stronger), "correct horse", Some(&hash)).await,
        Verdict::Outdated
    );
}

#[tokio::test]
async fn a_password_is_the_same_however_its_letters_are_composed() {
    let passwords = passwords();
    let (composed, decomposed) = ("Zo\u{eb}-Stra\u{df}e-\u{fb01}", "Zoe\u{308}-Stra\u{df}e-fi");
    for (set, typed) in [
        (composed, decomposed),
        (decomposed, composed),
        (composed, composed),
    ] {
        let hash = passwords.hash(set.into()).await.unwrap();
        assert_eq!(verify(&passwords, typed, Some(&hash)).await, Verdict::Right);
        assert_eq!(
            verify(&passwords, "Zoe-Strase-fi", Some(&hash)).await,
            Verdict::Wrong
        );
    }
    // Hashes from when passwords were hashed as they came.
    let cost = passwords.cost;
    let old = passwords.buffers.hash(cost, decomposed, &[7; 16]).unwrap();
    assert_eq!(
        verify(&passwords, decomposed, Some(&old)).await,
        Verdict::Outdated
    );
    assert_eq!(
        verify(&passwords, "wrong", Some(&old)).await,
        Verdict::Wrong
    );
}

#[tokio::test]
async fn hashes_of_other_programs_verify() {
    // The reference implementation: echo -n password | argon2 somesalt -t 2 -m 8 -p 1 -id -e
    let reference =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    let passwords = passwords();
    // Twice, the second time in memory that was used before.
    for _ in 0..2 {
        assert_eq!(
            verify(&passwords, "password", Some(reference)).await,
            Verdict::Outdated
        );
    }
    let damaged = passwords
        .verify("x".into(), Some("$2b$12$abc".into()), || Ok(()))
        .await;
    assert!(matches!(damaged, Err(Error::Internal(_))));
}

#[tokio::test]
async fn whoever_is_not_allowed_any_more_is_turned_away_before_the_work() {
    let limited = || Err(Error::RateLimited { retry_after: 1 });
    let result = passwords().verify("x".into(), None, limited).await;
    assert!(matches!(result, Err(Error::RateLimited { .. })));
    // A place in the queue is given back.
    let config = AuthConfig {
        argon2_memory_kib: 64,
        password_workers: 1,
        secret_key: Secret::default(),
        ..AuthConfig::default()
    };
    let one = Passwords::new(&config);
    for _ in 0..3 {
        let _ = one.verify("x".into(), None, limited).await;
    }
    assert!(one.hash("y".into()).await.is_ok());
}

#[tokio::test]
async fn a_hash_keeps_its_place_when_its_request_goes_away() {
    let config = AuthConfig {
        argon2_memory_kib: 64 * 1024,
        password_workers: 1,
        ..AuthConfig::default()
    };
    let slow = Passwords::new(&config);
    let given_up = tokio::time::timeout(Duration::from_millis(1), slow.hash("x".into())).await;
    assert!(given_up.is_err());
    assert_eq!(slow.places.available_permits(), 0);
    while slow.places.available_permits() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
