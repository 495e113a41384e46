//! A server in this process.

use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use snackbase::app::App;
use snackbase::config::Config;
use snackbase::hooks::Hooks;
use snackbase::secret::Secret;
use snackbase::{Builder, Snackbase};
use tokio::task::JoinHandle;

use super::backend::{Backend, Database};
use super::client::{Client, User};
use super::soon;

/// The superadmin's address.
pub const SUPERADMIN: &str = "root@example.com";
/// Everybody's password.
pub const PASSWORD: &str = "Correct-Horse-42";

/// All five rules are the same text.
pub fn open() -> Value {
    let rules = [
        "list_rule",
        "view_rule",
        "create_rule",
        "update_rule",
        "delete_rule",
    ];
    Value::Object(
        rules
            .iter()
            .map(|rule| ((*rule).to_owned(), json!("")))
            .collect(),
    )
}

/// No rule: everything is locked.
pub fn closed() -> Value {
    json!({})
}

/// A running server with a database of its own.
pub struct TestApp {
    pub base: String,
    pub admin: User,
    app: App,
    serving: Option<JoinHandle<()>>,
    http: reqwest::Client,
    next: AtomicU32,
    pub database: Database,
}

impl TestApp {
    /// A server with the usual configuration.
    pub async fn spawn(backend: Backend) -> Self {
        Self::spawn_with(backend, |_| {}).await
    }

    /// A server whose configuration differs from the usual one.
    pub async fn spawn_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Self {
        Self::spawn_hooked(backend, change, |hooks| hooks).await
    }

    /// A server with hooks.
    pub async fn spawn_hooked(
        backend: Backend,
        change: impl FnOnce(&mut Config),
        hooks: impl FnOnce(Hooks) -> Hooks,
    ) -> Self {
        Self::spawn_built(backend, change, |builder| builder.hooks(hooks)).await
    }

    /// A server that a program builds in its own way.
    pub async fn spawn_built(
        backend: Backend,
        change: impl FnOnce(&mut Config),
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let database = Database::create(backend).await;
        let mut config = database.config();
        config.auth.superadmin_email = SUPERADMIN.into();
        config.auth.superadmin_password = Secret::new(PASSWORD.into());
        change(&mut config);
        // On the heap: the futures of tests that start servers would be too large for the stack.
        let server = Box::pin(build(Snackbase::builder().config(config)).build())
            .await
            .unwrap();
        let base = format!("http://{}", server.address());
        let app = server.app().clone();
        let serving = tokio::spawn(async move { server.run().await.unwrap() });
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .unwrap();
        let anonymous = Client::new(http.clone(), base.clone());
        let admin = anonymous.login("system", SUPERADMIN, PASSWORD).await;
        let (serving, next) = (Some(serving), AtomicU32::new(1));
        Self {
            base,
            admin,
            app,
            serving,
            http,
            next,
            database,
        }
    }

    /// Somebody without credentials.
    pub fn anonymous(&self) -> Client {
        Client::new(self.http.clone(), self.base.clone())
    }

    /// Somebody without credentials who names an account.
    pub fn visitor_of(&self, user: &User) -> Client {
        self.anonymous()
            .with_header("x-account-id", &user.account_slug)
    }

    /// A new account and its first user, who may see personal data.
    pub async fn register(&self) -> User {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.register_as(
            &format!("user{number}@example.com"),
            &format!("account-{number}"),
        )
        .await
    }

    /// The same with a word in the address and in the account's name.
    pub async fn register_named(&self, word: &str) -> User {
        self.register_as(&format!("{word}@example.com"), word).await
    }

    async fn register_as(&self, email: &str, slug: &str) -> User {
        let body = json!({"email": email, "password": PASSWORD, "account_name": slug, "account_slug": slug});
        self.anonymous().post("/auth/register", &body).await.ok(201);
        self.anonymous().login(slug, email, PASSWORD).await
    }

    /// One more user of somebody's account, with the role `user` and in no group.
    pub async fn colleague_of(&self, user: &User) -> User {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let email = format!("colleague{number}@example.com");
        let body = json!({"email": email, "password": PASSWORD, "account_id": user.account_id, "role_id": 2,
            "email_verified": true});
        self.admin.post("/users", &body).await.ok(201);
        self.anonymous()
            .login(&user.account_slug, &email, PASSWORD)
            .await
    }

    /// A collection with fields and rules.
    pub async fn collection(&self, name: &str, fields: &Value, rules: &Value) -> Value {
        let mut body = rules.clone();
        body["name"] = name.into();
        body["fields"] = fields.clone();
        self.admin.post("/collections", &body).await.ok(201)
    }

    /// Changes rules.
    pub async fn rules(&self, name: &str, rules: &Value) -> Value {
        self.admin
            .put(&format!("/collections/{name}/rules"), rules)
            .await
            .ok(200)
    }

    /// The server's services, for what has no endpoint: mails that were not sent, the token of the
    /// first set-up.
    pub fn services(&self) -> &App {
        &self.app
    }

    /// Tells the server to stop, as a signal would.
    pub fn stop(&self) {
        self.app.lifecycle.stop();
    }

    /// Waits until the server has ended.
    pub async fn ended(&mut self) {
        if let Some(serving) = self.serving.take() {
            soon("the end of the server", serving).await.unwrap();
        }
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.app.lifecycle.stop();
    }
}
