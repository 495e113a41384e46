//! A backend with rules of its own: `cargo run --example hooks`.
//!
//! The configuration comes from `snackbase.toml` and the environment, as for the `snackbase`
//! program. In a collection `articles` with the fields `title` and `slug`, a title must not shout,
//! and the slug follows from it; whoever connects to realtime is noted on the standard error.

use serde_json::Value;
use snackbase::Snackbase;
use snackbase::config::{Config, Sources};
use snackbase::error::Error;
use snackbase::hooks::{Abort, HookOptions, Hooks, RealtimeEvent, RecordWrite};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let loaded = Config::load(&Sources::process()).map_err(Error::internal)?;
    snackbase::telemetry::start(&loaded.config.log);
    Snackbase::builder()
        .config(loaded.config)
        .hooks(register)
        .serve()
        .await
}

fn register(hooks: Hooks) -> Hooks {
    let articles = || HookOptions::collection("articles");
    hooks
        // Higher runs first: what is refused needs no slug.
        .on_record_before_create_with(articles().priority(10), refuse_shouting)
        .on_record_before_create_with(articles(), fill_slug)
        .on_realtime_connect(note_connection)
        .on_serve(async |event| {
            if let Some(address) = event.address {
                eprintln!("Serving at http://{address}/");
            }
            Ok(event)
        })
}

/// Stops the request: nothing is stored, and the client is told why.
async fn refuse_shouting(event: RecordWrite) -> Result<RecordWrite, Abort> {
    let title = event
        .data
        .get("title")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let shouts = title.chars().any(char::is_alphabetic) && title.to_uppercase() == title;
    if shouts {
        Err(Abort::new("Please do not shout").with_status(418))
    } else {
        Ok(event)
    }
}

/// Changes what is stored.
async fn fill_slug(mut event: RecordWrite) -> Result<RecordWrite, Abort> {
    let title = event.data.get("title").and_then(Value::as_str);
    if let (Some(title), false) = (title, event.data.contains_key("slug")) {
        let slug = slug_of(title);
        event.data.insert("slug".to_owned(), slug.into());
    }
    Ok(event)
}

/// Only looks on.
async fn note_connection(event: RealtimeEvent) -> Result<RealtimeEvent, Abort> {
    eprintln!(
        "{} is connected as {}",
        event.caller.actor(),
        event.connection_id
    );
    Ok(event)
}

/// `Hello, World!` becomes `hello-world`.
fn slug_of(title: &str) -> String {
    let lower = title.to_lowercase();
    let words = lower
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
