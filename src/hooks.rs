//! Hooks: code of an embedding program that runs at events. Registered before the start, immutable
//! afterwards.
//!
//! A hook takes the event, may change it, and returns it; `Err(Abort)` stops what is going on where
//! the event comes *before* something. Hooks of higher priority run first, equal ones in the order
//! in which they were registered. An async closure (`async |event| …`) will do where nothing is
//! captured; with state of one's own it is `move |event| { let state = state.clone(); async move {
//! …; Ok(event) } }`.
//!
//! What the server itself does (time stamps, authorship, isolation of accounts) is no hook and
//! cannot be removed.

pub mod event;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use event::{AppEvent, AuthEvent, RealtimeEvent, RecordChanged, RecordWrite};

use crate::error::{Error, Result};

/// Stops what is going on.
#[derive(Clone, Debug)]
pub struct Abort {
    /// What the client is told.
    pub message: String,
    /// The status of the answer, 400 to 499.
    pub status: u16,
}

impl Abort {
    /// Refuses with status 400.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            status: 400,
        }
    }

    /// The same with another status; anything that is no client error becomes 400.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = if (400..500).contains(&status) {
            status
        } else {
            400
        };
        self
    }
}

impl From<Abort> for Error {
    fn from(abort: Abort) -> Self {
        Self::Aborted {
            message: abort.message,
            status: abort.status,
        }
    }
}

/// An event that hooks may be limited to some collections of.
pub trait HookEvent: Send + 'static {
    /// The collection it is about, if it is about one.
    fn collection(&self) -> Option<&str> {
        None
    }
}

/// When a hook runs.
#[derive(Clone, Debug, Default)]
pub struct HookOptions {
    /// Higher runs first.
    pub priority: i32,
    /// Only for these collections; empty for all.
    pub collections: Vec<String>,
}

impl HookOptions {
    /// Only for one collection.
    pub fn collection(name: impl Into<String>) -> Self {
        Self {
            priority: 0,
            collections: vec![name.into()],
        }
    }

    /// With a priority.
    #[must_use]
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }
}

type Run<E> = Arc<dyn Fn(E) -> BoxFuture<'static, Result<E, Abort>> + Send + Sync>;

struct Hook<E> {
    options: HookOptions,
    run: Run<E>,
}

/// The hooks of one event, in order.
pub struct Chain<E>(Vec<Hook<E>>);

impl<E> Default for Chain<E> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<E: HookEvent> Chain<E> {
    fn add<F, Fut>(&mut self, options: HookOptions, hook: F)
    where
        F: Fn(E) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<E, Abort>> + Send + 'static,
    {
        let at = self
            .0
            .partition_point(|other| other.options.priority >= options.priority);
        self.0.insert(
            at,
            Hook {
                options,
                run: Arc::new(move |event| Box::pin(hook(event))),
            },
        );
    }

    /// Whether no hook is registered: then the event need not be made.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Runs the hooks one after another; the first that aborts ends it.
    pub async fn run(&self, mut event: E) -> Result<E> {
        for hook in &self.0 {
            let wanted = &hook.options.collections;
            let applies = wanted.is_empty()
                || event
                    .collection()
                    .is_some_and(|name| wanted.iter().any(|w| w == name));
            if applies {
                event = (hook.run)(event).await?;
            }
        }
        Ok(event)
    }
}

macro_rules! hooks {
    ($($(#[$doc:meta])* $name:ident: $event:ty, $on:ident, $on_with:ident;)*) => {
        /// Every registered hook.
        #[derive(Default)]
        pub struct Hooks {
            $($(#[$doc])* pub $name: Chain<$event>,)*
        }

        impl Hooks {
            /// The names of all events.
            pub const EVENTS: &'static [&'static str] = &[$(concat!("on_", stringify!($name)),)*];

            $(
                $(#[$doc])*
                #[must_use]
                pub fn $on<F, Fut>(self, hook: F) -> Self
                where
                    F: Fn($event) -> Fut + Send + Sync + 'static,
                    Fut: Future<Output = Result<$event, Abort>> + Send + 'static,
                {
                    self.$on_with(HookOptions::default(), hook)
                }

                $(#[$doc])*
                /// With a priority, or for some collections only.
                #[must_use]
                pub fn $on_with<F, Fut>(mut self, options: HookOptions, hook: F) -> Self
                where
                    F: Fn($event) -> Fut + Send + Sync + 'static,
                    Fut: Future<Output = Result<$event, Abort>> + Send + 'static,
                {
                    self.$name.add(options, hook);
                    self
                }
            )*
        }
    };
}

hooks! {
    /// The services are built; nothing is served yet.
    bootstrap: AppEvent, on_bootstrap, on_bootstrap_with;
    /// The server listens.
    serve: AppEvent, on_serve, on_serve_with;
    /// The server stops.
    terminate: AppEvent, on_terminate, on_terminate_with;
    /// A record is about to be created; the data may be changed.
    record_before_create: RecordWrite, on_record_before_create, on_record_before_create_with;
    /// A record is about to be changed; the data may be changed.
    record_before_update: RecordWrite, on_record_before_update, on_record_before_update_with;
    /// A record is about to be deleted.
    record_before_delete: RecordWrite, on_record_before_delete, on_record_before_delete_with;
    /// A record was created, by whatever way; runs after the commit, from the change log.
    record_after_create: RecordChanged, on_record_after_create, on_record_after_create_with;
    /// A record was changed, by whatever way; runs after the commit, from the change log.
    record_after_update: RecordChanged, on_record_after_update, on_record_after_update_with;
    /// A record was deleted, by whatever way; runs after the commit, from the change log.
    record_after_delete: RecordChanged, on_record_after_delete, on_record_after_delete_with;
    /// Somebody is about to sign in.
    auth_before_login: AuthEvent, on_auth_before_login, on_auth_before_login_with;
    /// Somebody signed in.
    auth_after_login: AuthEvent, on_auth_after_login, on_auth_after_login_with;
    /// Somebody is about to sign out.
    auth_before_logout: AuthEvent, on_auth_before_logout, on_auth_before_logout_with;
    /// Somebody signed out.
    auth_after_logout: AuthEvent, on_auth_after_logout, on_auth_after_logout_with;
    /// Somebody is about to register.
    auth_before_register: AuthEvent, on_auth_before_register, on_auth_before_register_with;
    /// Somebody registered.
    auth_after_register: AuthEvent, on_auth_after_register, on_auth_after_register_with;
    /// A password is about to be reset.
    auth_before_password_reset: AuthEvent, on_auth_before_password_reset, on_auth_before_password_reset_with;
    /// A password was reset.
    auth_after_password_reset: AuthEvent, on_auth_after_password_reset, on_auth_after_password_reset_with;
    /// A realtime connection is about to be accepted.
    realtime_connect: RealtimeEvent, on_realtime_connect, on_realtime_connect_with;
    /// A realtime connection ended.
    realtime_disconnect: RealtimeEvent, on_realtime_disconnect, on_realtime_disconnect_with;
    /// A connection is about to subscribe to a collection.
    realtime_subscribe: RealtimeEvent, on_realtime_subscribe, on_realtime_subscribe_with;
    /// A connection unsubscribed from a collection.
    realtime_unsubscribe: RealtimeEvent, on_realtime_unsubscribe, on_realtime_unsubscribe_with;
    /// A connection sent a message.
    realtime_message: RealtimeEvent, on_realtime_message, on_realtime_message_with;
}

impl std::fmt::Debug for Hooks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
