//! The service with a clock that stands still; on SQLite, or on the server in
//! `SNACKBASE_TEST_POSTGRES_URL`.

mod administration;
mod mails;
mod sessions;
mod sign_up;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use super::*;
use crate::auth::{AccountRef, Credential, TokenType};
use crate::config::{DatabaseTarget, EmailVerification};
use crate::db::{Ident, Postgres, PostgresOptions, Sqlite, Stmt};
use crate::id::{AccountId, UserId};
use crate::mail::Mail;

const PASSWORD: &str = "Passw0rd!Strong";

struct Fixture {
    accounts: Accounts,
    auth: Auth,
    db: Db,
    time: Arc<AtomicI64>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::for_tests(folder.path());
        config.auth.email_verification = EmailVerification::Required;
        configure(&mut config);
        let config = Arc::new(config);
        let db = database(&config).await;
        db.migrate().await.unwrap();
        let time = Arc::new(AtomicI64::new(1_800_000_000_000));
        let clock = Clock::Fixed(time.clone());
        let auth = Auth::new(db.clone(), clock.clone(), &config.auth);
        let accounts = Accounts::build(
            db.clone(),
            auth.clone(),
            Arc::default(),
            clock,
            &config,
            &Lifecycle::new(),
        );
        accounts.bootstrap().await.unwrap();
        Self {
            accounts,
            auth,
            db,
            time,
            _folder: folder,
        }
    }

    fn wait(&self, seconds: i64) {
        self.time.fetch_add(seconds * 1000, Ordering::Relaxed);
    }

    async fn register(&self, email: &str, account: &str) -> Result<Registration> {
        let request = NewRegistration {
            email: email.into(),
            password: PASSWORD.into(),
            account_name: Some(account.into()),
            account_slug: None,
        };
        self.accounts.register(request, None).await
    }

    async fn login(&self, account: &str, email: &str, password: &str) -> Result<OpenedSession> {
        let request = SignIn {
            account: Some(account.into()),
            email: email.into(),
            password: password.into(),
        };
        self.accounts.login(request, None).await
    }

    async fn refresh(&self, token: &str) -> Result<RefreshedTokens> {
        self.accounts.refresh(token.into(), None).await
    }

    async fn caller(&self, token: &str) -> Result<Caller> {
        self.auth
            .authenticate(Credential::Bearer(token))
            .await
            .map(Caller::User)
    }

    /// A registered user with a confirmed address, signed in.
    async fn user(&self, email: &str, account: &str) -> OpenedSession {
        let registered = self.register(email, account).await.unwrap();
        let mail = self.mail(email).await;
        self.accounts.verify_email(&mail.token, None).await.unwrap();
        self.login(&registered.account.slug, email, PASSWORD)
            .await
            .unwrap()
    }

    async fn superadmin(&self) -> Caller {
        self.accounts
            .create_superadmin("root@example.com", PASSWORD)
            .await
            .unwrap();
        let login = self
            .login("system", "root@example.com", PASSWORD)
            .await
            .unwrap();
        self.caller(&login.token).await.unwrap()
    }

    /// The newest mail to an address; what is sent in the background may take a moment.
    async fn mail(&self, address: &str) -> Mail {
        for _ in 0..200 {
            if let Some(mail) = self.accounts.mailer().newest_to(address) {
                return mail;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("no mail to {address}");
    }

    async fn access_entries(&self) -> Vec<String> {
        let select = "SELECT record FROM change_log WHERE operation = 'access' ORDER BY position";
        let rows: Vec<(String,)> = self.db.rows(Stmt::fixed(select, Vec::new())).await.unwrap();
        rows.into_iter().map(|(record,)| record).collect()
    }
}

async fn database(config: &Config) -> Db {
    let Ok(url) = std::env::var("SNACKBASE_TEST_POSTGRES_URL") else {
        let DatabaseTarget::Sqlite(options) = config.database.target(&config.server.data_dir)
        else {
            panic!()
        };
        return Db::Sqlite(Sqlite::open(options).await.unwrap());
    };
    let connect = async |url: String| {
        let options = PostgresOptions {
            url,
            max_connections: 8,
            acquire_timeout: Duration::from_mins(1),
        };
        Db::Postgres(Postgres::connect(&options).await.unwrap())
    };
    let name = format!("accounts_{}", crate::id::new_id().simple());
    let server = connect(url.clone()).await;
    let mut create = server.sql();
    create
        .push("CREATE DATABASE ")
        .ident(&Ident::of(&name).unwrap());
    server.docs(create.build()).await.unwrap();
    server.close().await;
    let (stem, _) = url.rsplit_once('/').unwrap();
    connect(format!("{stem}/{name}")).await
}

fn message<T>(result: Result<T>) -> String {
    result
        .err()
        .map_or_else(|| "no error".into(), |error| error.to_string())
}
