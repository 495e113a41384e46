//! What serves a world: a server in this process, or processes that crash and come back.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::world::Person;
use crate::harness::{Backend, Client, Database, PASSWORD, Process, TestApp, soon};

/// So small that many fall behind.
const QUEUE_FRAMES: usize = 5;
const QUEUE_BYTES: usize = 32 * 1024;
/// So small that much waits in the log to be handed out.
const BACKLOG: usize = 4;
/// Seconds. Whoever sleeps while three pings wait is sent away.
const HEARTBEAT: u64 = 2;
const CHECKPOINT: u64 = 1;
/// How long a request may take before something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);
/// Before an attempt after one that nobody answered.
const RETRY: Duration = Duration::from_millis(20);

/// One server, or several on one database.
pub struct Cluster {
    running: Running,
    /// Where each node is, while it runs.
    addresses: Mutex<Vec<Option<String>>>,
    http: reqwest::Client,
    /// The figures when it began; a server in this process shares them with others.
    before: [u64; 2],
}

enum Running {
    Here(Box<TestApp>),
    // In this order: a database goes when nobody uses it any more.
    Apart {
        processes: Mutex<Vec<Option<Process>>>,
        database: Arc<Database>,
    },
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// Where the log was when a list was read.
    pub cursor: Option<String>,
    pub body: Value,
}

impl Cluster {
    /// A server in this process.
    pub async fn here(backend: Backend) -> Self {
        let app = TestApp::spawn_with(backend, |config| {
            config.realtime.queue_frames = QUEUE_FRAMES;
            config.realtime.queue_bytes = QUEUE_BYTES;
            config.realtime.backlog_events = BACKLOG;
            config.realtime.heartbeat_seconds = HEARTBEAT;
            config.realtime.checkpoint_seconds = CHECKPOINT;
        })
        .await;
        let addresses = Mutex::new(vec![Some(app.base.clone())]);
        let mut cluster = Self {
            running: Running::Here(Box::new(app)),
            addresses,
            http: reqwest::Client::new(),
            before: [0; 2],
        };
        cluster.before = cluster.figures().await;
        cluster
    }

    /// Processes: one, or two on PostgreSQL.
    pub async fn apart(backend: Backend) -> Self {
        let nodes = if backend == Backend::Postgres { 2 } else { 1 };
        let database = Arc::new(Database::create(backend).await);
        let processes = Mutex::new((0..nodes).map(|_| None).collect());
        let running = Running::Apart {
            processes,
            database,
        };
        let addresses = Mutex::new(vec![None; nodes]);
        let cluster = Self {
            running,
            addresses,
            http: reqwest::Client::new(),
            before: [0; 2],
        };
        for node in 0..nodes {
            cluster.start(node).await;
        }
        cluster
    }

    /// How many nodes there are, running or not.
    pub fn nodes(&self) -> usize {
        self.addresses.lock().unwrap().len()
    }

    /// Whether its nodes can crash.
    pub fn can_crash(&self) -> bool {
        matches!(self.running, Running::Apart { .. })
    }

    pub fn database(&self) -> &Database {
        match &self.running {
            Running::Here(app) => &app.database,
            Running::Apart { database, .. } => database,
        }
    }

    /// Where a node is, or another one that runs.
    pub fn address(&self, wanted: usize) -> Option<String> {
        let addresses = self.addresses.lock().unwrap();
        let nodes = addresses.len();
        (0..nodes).find_map(|step| addresses[(wanted + step) % nodes].clone())
    }

    /// Starts a node that does not run.
    pub async fn start(&self, node: usize) {
        let Running::Apart {
            processes,
            database,
        } = &self.running
        else {
            return;
        };
        let database = database.clone();
        let serve = move || {
            let variables = [
                ("REALTIME_QUEUE_FRAMES", QUEUE_FRAMES.to_string()),
                ("REALTIME_QUEUE_BYTES", QUEUE_BYTES.to_string()),
                ("REALTIME_BACKLOG_EVENTS", BACKLOG.to_string()),
                ("REALTIME_HEARTBEAT_SECONDS", HEARTBEAT.to_string()),
                ("REALTIME_CHECKPOINT_SECONDS", CHECKPOINT.to_string()),
            ];
            let variables: Vec<(&str, &str)> = variables
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            Process::serve(&database, &variables)
        };
        let process = tokio::task::spawn_blocking(serve).await.unwrap();
        self.addresses.lock().unwrap()[node] = Some(process.base.clone());
        processes.lock().unwrap()[node] = Some(process);
    }

    /// `kill -9`, or an end in good order.
    pub async fn stop(&self, node: usize, good_order: bool) {
        let Running::Apart { processes, .. } = &self.running else {
            return;
        };
        self.addresses.lock().unwrap()[node] = None;
        let Some(mut process) = processes.lock().unwrap()[node].take() else {
            return;
        };
        let end = move || {
            if good_order {
                return process.terminate();
            }
            process.kill();
            true
        };
        assert!(
            tokio::task::spawn_blocking(end).await.unwrap(),
            "the server did not end well"
        );
    }

    /// Somebody's client at a node.
    pub fn client(&self, base: &str, person: &Person) -> Client {
        let bearer = format!("Bearer {}", person.token());
        Client::new(self.http.clone(), base.to_owned()).with_header("authorization", &bearer)
    }

    /// Asks a node. `None` if it went away before it answered, or is going.
    pub async fn ask_at(
        &self,
        base: &str,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let request = self
            .client(base, person)
            .request(method, path)
            .timeout(PATIENCE);
        let request = if let Some(body) = body {
            request.json(body)
        } else {
            request
        };
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                assert!(!error.is_timeout() && self.can_crash(), "{path}: {error:?}");
                return None;
            }
        };
        let status = response.status().as_u16();
        let cursor = response
            .headers()
            .get("x-realtime-cursor")
            .and_then(|cursor| cursor.to_str().ok());
        let cursor = cursor.map(str::to_owned);
        let text = response.text().await.ok()?;
        if status == 503 && self.can_crash() {
            return None;
        }
        assert!(status < 500, "{path}: {status} {text}");
        Some(Answer {
            status,
            cursor,
            body: serde_json::from_str(&text).unwrap_or_default(),
        })
    }

    /// Asks a node or another one. `None` if nobody answers: then it may have been done or not.
    pub async fn ask(
        &self,
        node: usize,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Option<Answer> {
        let Some(base) = self.address(node) else {
            tokio::time::sleep(RETRY).await;
            return None;
        };
        self.ask_at(&base, person, method, path, body).await
    }

    /// Asks until somebody answers.
    pub async fn insist(
        &self,
        person: &Person,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Answer {
        let asking = async {
            let mut node = 0;
            loop {
                if let Some(answer) = self.ask(node, person, method.clone(), path, body).await {
                    return answer;
                }
                node += 1;
                tokio::time::sleep(RETRY).await;
            }
        };
        tokio::time::timeout(PATIENCE * 2, asking)
            .await
            .unwrap_or_else(|_| panic!("nobody answers {path}"))
    }

    /// Signs somebody in, if the server lets them; says whether.
    pub async fn sign_in(&self, node: usize, person: &Person) -> bool {
        let body = json!({"account": person.account, "email": person.email, "password": PASSWORD});
        let answer = self
            .ask(node, person, Method::POST, "/auth/login", Some(&body))
            .await;
        let Some(answer) = answer.filter(|answer| answer.status == 200) else {
            return false;
        };
        person.take_token(answer.body["token"].as_str().unwrap());
        true
    }

    /// How many queues overflowed since it began, and how many connections joined the others again.
    /// What a node counted that has crashed is not in it.
    pub async fn counted(&self) -> [u64; 2] {
        let now = self.figures().await;
        [now[0] - self.before[0], now[1] - self.before[1]]
    }

    async fn figures(&self) -> [u64; 2] {
        let mut figures = [0; 2];
        let addresses = self.addresses.lock().unwrap().clone();
        for base in addresses.into_iter().flatten() {
            let nobody = Client::new(self.http.clone(), base);
            let text = soon("the figures", nobody.get("//metrics")).await.text;
            for (name, sum) in [
                "snackbase_realtime_overflows_total ",
                "snackbase_realtime_rejoins_total ",
            ]
            .into_iter()
            .zip(&mut figures)
            {
                let counted = text
                    .lines()
                    .find_map(|line| line.strip_prefix(name))
                    .and_then(|sum| sum.parse().ok());
                *sum += counted.unwrap_or(0);
            }
        }
        figures
    }
}
