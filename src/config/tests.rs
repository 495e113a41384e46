use std::path::PathBuf;

use super::*;

/// Variables, and what the complaint about them must mention.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

fn variables(pairs: &[(&str, &str)]) -> Sources {
    let variables = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    Sources {
        file: None,
        variables,
        ..Sources::default()
    }
}

fn with_file(text: &str) -> (tempfile::TempDir, Sources) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my.toml");
    std::fs::write(&file, text).unwrap();
    (
        folder,
        Sources {
            file: Some(file),
            ..Sources::default()
        },
    )
}

fn complaint(sources: &Sources) -> String {
    Config::read(sources).unwrap_err().to_string()
}

#[test]
fn the_example_is_complete_and_says_the_defaults() {
    let (_folder, sources) = with_file(EXAMPLE);
    let mut config = Config::read(&sources).unwrap().config;
    // These tell of the file, too.
    config.settings = Config::default().settings;
    assert_eq!(config, Config::default());
    let example: toml::Table = toml::from_str(EXAMPLE).unwrap();
    let mut in_file: Vec<String> = Vec::new();
    for (section, keys) in &example {
        in_file.extend(
            keys.as_table()
                .unwrap()
                .keys()
                .map(|key| format!("{section}.{key}")),
        );
    }
    let mut in_table: Vec<String> = env::keys().map(Into::into).collect();
    in_file.sort();
    in_table.sort();
    in_table.dedup();
    assert_eq!(
        in_file, in_table,
        "every key needs a line in the example and a variable"
    );
    for key in &in_table {
        // A key that the sections do not know would have been refused above; each variable is named
        // beside its key.
        let name = env::name_of(key).unwrap();
        assert!(EXAMPLE.contains(&name), "{name} is not in the example");
    }
}

#[test]
fn flags_override_variables_which_override_the_file() {
    let (_folder, mut sources) = with_file("[server]\nport = 1\nhost = \"a\"\napp_name = \"x\"\n");
    sources.variables = vec![
        ("SNACKBASE_PORT".into(), "2".into()),
        ("SNACKBASE_HOST".into(), "b".into()),
    ];
    sources.port = Some(3);
    let config = Config::read(&sources).unwrap().config;
    assert_eq!((config.server.port, config.server.host.as_str()), (3, "b"));
    assert_eq!(config.server.app_name, "x");
}

#[test]
fn variables_of_other_servers_keep_working() {
    let sources = variables(&[
        (
            "SNACKBASE_DATABASE_URL",
            "sqlite+aiosqlite:///./sb_data/other.db",
        ),
        ("SNACKBASE_ACCESS_TOKEN_EXPIRE_MINUTES", "5"),
        ("SNACKBASE_REFRESH_TOKEN_EXPIRE_DAYS", "2"),
        (
            "SNACKBASE_CORS_ORIGINS",
            r#"["https://a.example", "https://b.example"]"#,
        ),
        ("SNACKBASE_DB_SQLITE_SYNCHRONOUS", "NORMAL"),
        ("SNACKBASE_DB_SQLITE_CACHE_SIZE", "-64000"),
        ("SNACKBASE_SINGLE_TENANT_MODE", "1"),
        ("SNACKBASE_SINGLE_TENANT_ACCOUNT", "acme"),
        (
            "SNACKBASE_RATE_LIMIT_ENDPOINTS",
            r#"{"/api/v1/auth/login": 5}"#,
        ),
        ("SNACKBASE_LOG_LEVEL", "WARNING"),
        ("SNACKBASE_WORKERS", "1"),
        ("SNACKBASE_SMTP_HOST", ""),
        ("PATH", "/bin"),
    ]);
    let loaded = Config::read(&sources).unwrap();
    let config = loaded.config;
    assert_eq!(
        (
            config.auth.access_token_seconds,
            config.auth.refresh_token_seconds
        ),
        (300, 172_800)
    );
    assert_eq!(
        config.cors.origins,
        ["https://a.example", "https://b.example"]
    );
    assert_eq!(config.database.sqlite_cache_kib, 64_000);
    assert!(config.auth.single_tenant_mode && !config.mail.has_transport());
    assert_eq!(config.limits.rate_limit_endpoints["/api/v1/auth/login"], 5);
    assert_eq!(config.log.directives(), "warn");
    assert_eq!(loaded.notices.len(), 1);
    let DatabaseTarget::Sqlite(options) = config.database.target(&PathBuf::from("x")) else {
        panic!()
    };
    assert_eq!(options.path, PathBuf::from("./sb_data/other.db"));
}

#[test]
fn seconds_win_over_minutes_and_lists_may_have_commas() {
    let config = Config::read(&variables(&[
        ("SNACKBASE_ACCESS_TOKEN_EXPIRE_SECONDS", "2"),
        ("SNACKBASE_ACCESS_TOKEN_EXPIRE_MINUTES", "5"),
        (
            "SNACKBASE_CORS_ORIGINS",
            "https://a.example, https://b.example",
        ),
    ]));
    let config = config.unwrap().config;
    assert_eq!(config.auth.access_token_seconds, 2);
    assert_eq!(config.cors.origins.len(), 2);
}

#[test]
fn database_urls() {
    let target = |url: &str| {
        let config = Config::read(&variables(&[
            ("SNACKBASE_DATABASE_URL", url),
            (
                "SNACKBASE_SECRET_KEY",
                "b3Blbi1zZXNhbWUtb3Blbi1zZXNhbWUtb3Blbg",
            ),
        ]));
        config
            .unwrap()
            .config
            .database
            .target(&PathBuf::from("data"))
    };
    for (url, path) in [
        ("", "data/snackbase.db"),
        ("sqlite:///rel.db", "rel.db"),
        ("sqlite:////abs.db", "/abs.db"),
        ("sqlite://rel.db", "rel.db"),
        ("sqlite:rel.db", "rel.db"),
    ] {
        let DatabaseTarget::Sqlite(options) = target(url) else {
            panic!("{url}")
        };
        assert_eq!(options.path, PathBuf::from(path), "{url}");
    }
    for url in [
        "postgres://u:p@h/d",
        "postgresql://u:p@h/d",
        "postgresql+asyncpg://u:p@h/d",
    ] {
        let DatabaseTarget::Postgres(options) = target(url) else {
            panic!("{url}")
        };
        assert_eq!(options.url, "postgres://u:p@h/d");
    }
}

#[test]
fn complaints_name_the_key_the_place_and_the_remedy() {
    let (_folder, sources) = with_file("[server]\nprot = 1\n");
    let text = complaint(&sources);
    for part in ["server.prot", "did you mean `port`?", "my.toml"] {
        assert!(text.contains(part), "{text}");
    }
    let cases: &[Case<'_>] = &[
        (
            &[("SNACKBASE_PORT", "http")],
            &["server.port", "SNACKBASE_PORT", "whole number"],
        ),
        (
            &[("SNACKBASE_PORT", "70000")],
            &["server.port", "SNACKBASE_PORT", "u16"],
        ),
        (
            &[("SNACKBASE_ENVIRONMENT", "prod")],
            &["server.environment", "development", "production"],
        ),
        (
            &[("SNACKBASE_API_PREFIX", "/v2")],
            &["server.api_prefix", "/api/v1"],
        ),
        (
            &[("SNACKBASE_SECRET_KEY", "short")],
            &["auth.secret_key", "32", "openssl"],
        ),
        (
            &[(
                "SNACKBASE_SECRET_KEY",
                "please-change-me-please-change-me-please",
            )],
            &["auth.secret_key", "placeholder"],
        ),
        (
            &[("SNACKBASE_DATABASE_URL", "postgres://u:p@h/d")],
            &["auth.secret_key", "openssl"],
        ),
        (
            &[("SNACKBASE_DATABASE_URL", "mysql://u:p@h/d")],
            &["database.url", "postgres://"],
        ),
        (
            &[("SNACKBASE_SINGLE_TENANT_MODE", "true")],
            &["auth.single_tenant_account", "slug"],
        ),
        (
            &[
                ("SNACKBASE_SINGLE_TENANT_MODE", "true"),
                ("SNACKBASE_SINGLE_TENANT_ACCOUNT", " System "),
            ],
            &[
                "auth.single_tenant_account",
                "SNACKBASE_SINGLE_TENANT_ACCOUNT",
                "superadmins",
            ],
        ),
        (
            &[
                ("SNACKBASE_SINGLE_TENANT_MODE", "true"),
                ("SNACKBASE_SINGLE_TENANT_ACCOUNT", "sy0000"),
            ],
            &[
                "auth.single_tenant_account",
                "SNACKBASE_SINGLE_TENANT_ACCOUNT",
                "account code",
            ],
        ),
        (
            &[
                ("SNACKBASE_SINGLE_TENANT_MODE", "true"),
                ("SNACKBASE_SINGLE_TENANT_ACCOUNT", "AA0001"),
            ],
            &["auth.single_tenant_account", "account code"],
        ),
        (
            &[
                ("SNACKBASE_SINGLE_TENANT_MODE", "true"),
                ("SNACKBASE_SINGLE_TENANT_ACCOUNT", "my account"),
            ],
            &["auth.single_tenant_account", "my account", "slug"],
        ),
        (
            &[("SNACKBASE_REALTIME_HEARTBEAT_SECONDS", "0")],
            &["realtime.heartbeat_seconds", "between 1 and 3600"],
        ),
        (
            &[("SNACKBASE_CORS_ORIGINS", "app.example.com")],
            &["cors.origins", "https://"],
        ),
        (
            &[("SNACKBASE_LOG_LEVEL", "verbose")],
            &["log.level", "SNACKBASE_LOG_LEVEL", "debug"],
        ),
        (
            &[("SNACKBASE_SMTP_HOST", "mail.example.com")],
            &["mail.from_email", "SNACKBASE_MAIL_FROM_EMAIL"],
        ),
    ];
    for (pairs, parts) in cases {
        let text = complaint(&variables(pairs));
        for part in *parts {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
    }
    let text = complaint(&Sources {
        file: Some("/nowhere.toml".into()),
        ..Sources::default()
    });
    assert!(text.contains("/nowhere.toml"), "{text}");
}

#[test]
fn variables_that_are_not_ours_are_told_and_never_stop_the_start() {
    let cases: &[(&str, &str)] = &[
        ("SNACKBASE_URL", "SNACKBASE_EXTERNAL_URL?"),
        ("SNACKBASE_PROT", "SNACKBASE_PORT?"),
        ("SNACKBASE_TOKEN", "has no effect"),
        ("SNACKBASE_API_PREFIXX", "SNACKBASE_API_PREFIX?"),
        ("SNACKBASE_", "has no effect"),
        ("SNACKBASE_Ünïcode", "snackbase.toml.example"),
        ("SNACKBASE_TRUSTED_PROXIES", "SNACKBASE_TRUST_PROXY"),
        (
            "SNACKBASE_LOGIN_LOCKOUT_THRESHOLD",
            "SNACKBASE_LOGIN_FAILURES_PER_IDENTITY",
        ),
        ("SNACKBASE_FUNCTION_SANDBOX_MODE", "has no effect"),
        (
            "SNACKBASE_MAX_CONCURRENT_FUNCTION_INVOKES_GLOBAL",
            "has no effect",
        ),
    ];
    for (name, part) in cases {
        let notices = Config::read(&variables(&[(*name, "http://x")]))
            .unwrap()
            .notices;
        assert_eq!(notices.len(), 1, "{notices:?}");
        assert!(
            notices[0].starts_with(name) && notices[0].contains(part),
            "{notices:?}"
        );
    }
    for near in env::nearest_of_others() {
        assert!(env::key_of_variable(near).is_some(), "{near}");
    }
}

#[test]
fn a_program_that_makes_its_own_configuration_gets_secrets_too() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.server.data_dir = folder.path().into();
    let prepared = config.clone().prepare().unwrap();
    assert!(prepared.auth.secret_key.expose().len() >= 32);
    config.server.api_prefix = "/v2".into();
    assert!(config.prepare().is_err());
}

#[test]
fn secrets_are_made_once_and_only_their_owner_reads_them() {
    let folder = tempfile::tempdir().unwrap();
    let data_dir = folder.path().join("data");
    let sources = Sources {
        data_dir: Some(data_dir.clone()),
        ..Sources::default()
    };
    let first = Config::load(&sources).unwrap().config.auth;
    let second = Config::load(&sources).unwrap().config.auth;
    assert!(first.secret_key.expose().len() >= 32);
    assert_ne!(first.secret_key, first.token_secret);
    assert_eq!(first, second);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(data_dir.join("secrets.toml"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    assert!(!format!("{first:?}").contains(first.secret_key.expose()));
}
