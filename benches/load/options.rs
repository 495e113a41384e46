//! The command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Puts a server under load and prints one JSON line per measurement.
#[derive(Debug, Clone, Parser)]
#[command(name = "load")]
pub struct Options {
    /// What to measure; nothing without it, so that a plain `cargo bench` passes
    pub scenario: Option<Scenario>,

    /// A running server; needs --email and --password of a superadmin
    #[arg(long, default_value = "http://127.0.0.1:8000")]
    pub url: String,
    /// Superadmin of the running server
    #[arg(long, env = "SNACKBASE_SUPERADMIN_EMAIL")]
    pub email: Option<String>,
    /// Password of that superadmin
    #[arg(long, env = "SNACKBASE_SUPERADMIN_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Process id of the running server, to report its CPU time and memory
    #[arg(long)]
    pub pid: Option<u32>,
    /// Start this command line (default sub-command `serve`) in an empty folder, measure it and
    /// stop it; `SNACKBASE_*` variables reach it
    #[arg(long, conflicts_with_all = ["pid"])]
    pub spawn: Option<String>,
    /// Where spawned servers keep their data; the default is the system's temporary folder
    #[arg(long)]
    pub scratch: Option<PathBuf>,

    /// Connections of a closed loop; one line is printed for each number
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64])]
    pub connections: Vec<usize>,
    /// Length of one run, without its warm-up
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    /// Each measurement is repeated this often; the line holds medians
    #[arg(long, default_value_t = 3)]
    pub runs: usize,
    /// Threads of the generator; more of them take more of the machine away from the server
    #[arg(long, default_value_t = 1)]
    pub threads: usize,

    /// Records that exist before `get`, `list` and `mixed`
    #[arg(long, default_value_t = 10_000)]
    pub records: usize,
    /// Kinds of list page to measure
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Total::Exact, Total::None, Total::Deep])]
    pub total: Vec<Total>,

    /// Subscribers of `fanout`, `slow-reader`, `resume` and `idle`; one line for each number
    #[arg(long, value_delimiter = ',', default_values_t = [1000])]
    pub subscribers: Vec<usize>,
    /// How subscribers are connected
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Transport::Ws])]
    pub transport: Vec<Transport>,
    /// List and view rule of the collection
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = [Rule::User])]
    pub rule: Vec<Rule>,
    /// Creates per second; without it the publishers write as fast as they are answered, and nobody
    /// writes in `idle`
    #[arg(long)]
    pub paced: Option<f64>,
    /// Connections that create records during `fanout`
    #[arg(long, default_value_t = 16)]
    pub publishers: usize,
    /// Records of one unpaced run; the default gives about half a million deliveries
    #[arg(long)]
    pub events: Option<usize>,
    /// Different users among the subscribers
    #[arg(long, default_value_t = 20)]
    pub users: usize,

    /// Attacks of `hostile`
    #[arg(long, value_delimiter = ',', value_enum, default_values_t = Attack::ALL)]
    pub attack: Vec<Attack>,

    /// `cargo bench` passes this to every benchmark
    #[arg(long, hide = true)]
    pub bench: bool,
}

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Scenario {
    /// POST a record of seven fields
    Create,
    /// GET a record by id
    Get,
    /// GET the newest 20 records
    List,
    /// Four reads for each create
    Mixed,
    /// Logins, and what other requests get meanwhile
    Login,
    /// Creates, delivered to many subscribers
    Fanout,
    /// `fanout` while one subscriber of a hundred does not read
    SlowReader,
    /// All subscribers come back at once and fetch what they missed
    Resume,
    /// Memory of subscribers that hear nothing, or now and then with --paced
    Idle,
    /// What it costs to find the subscribers of an event among many with a rule of their own
    Match,
    /// Time to the first answer, memory at rest, size of the program
    Start,
    /// What another account's list takes while one client does its worst
    Hostile,
    /// A sensible set of all of them
    All,
}

/// How a list page is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Total {
    /// `skip` and `limit`, which count all matching records
    Exact,
    /// The first page of a cursor walk, which does not count
    None,
    /// A cursor page from the middle of the collection
    Deep,
}

impl Total {
    /// The option's own spelling, for the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::None => "none",
            Self::Deep => "deep",
        }
    }
}

/// How subscribers are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Transport {
    /// WebSocket
    Ws,
    /// Server-sent events
    Sse,
}

impl Transport {
    /// The option's own spelling, for the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ws => "ws",
            Self::Sse => "sse",
        }
    }
}

/// The list and view rule. Every subscriber sees every record, so that figures compare, but for
/// `own`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Rule {
    /// Public
    None,
    /// Reads the caller's id and the record
    User,
    /// Reads the caller's role
    Role,
    /// Reads records of another collection, which only the database can do
    Relation,
    /// Only the caller's own records, so that subscribers with other users see nothing
    Own,
}

impl Rule {
    /// The option's own spelling, for the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::User => "user",
            Self::Role => "role",
            Self::Relation => "relation",
            Self::Own => "own",
        }
    }

    /// The rule as it is stored. `query` is a macro that counts the records a record refers to.
    pub fn text(self, query: &str) -> String {
        match self {
            Self::None => String::new(),
            Self::User => "created_by = @request.auth.id || is_public = true".to_owned(),
            Self::Role => "@request.auth.role = 'user' || @request.auth.role = 'admin'".to_owned(),
            Self::Relation => format!("@{query}(parent) > 0"),
            Self::Own => "created_by = @request.auth.id".to_owned(),
        }
    }
}

/// What the client of `hostile` does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Attack {
    /// Four lists whose filter searches a text of 1 MiB for a long pattern
    Filters,
    /// Twelve subscriptions with such a filter, and texts of 200 KiB
    Subscriptions,
    /// 10,000 made-up HTTP methods
    Methods,
    /// 3,000 refused writes with headers of 200 kB
    RefusedWrites,
    /// A list of twenty texts of 9 MiB, where the server takes them
    LargeList,
    /// A list, and groups, of a hundred texts of 1 MiB
    LargePage,
    /// A snapshot of a hundred texts of 1 MiB that nobody reads
    Snapshot,
}

impl Attack {
    /// Each of them.
    pub const ALL: [Self; 7] = [
        Self::Filters,
        Self::Subscriptions,
        Self::Methods,
        Self::RefusedWrites,
        Self::LargeList,
        Self::LargePage,
        Self::Snapshot,
    ];

    /// The option's own spelling, for the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Filters => "filters",
            Self::Subscriptions => "subscriptions",
            Self::Methods => "methods",
            Self::RefusedWrites => "refused-writes",
            Self::LargeList => "large-list",
            Self::LargePage => "large-page",
            Self::Snapshot => "snapshot",
        }
    }
}
