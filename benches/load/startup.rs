//! The `start` scenario.

use std::time::{Duration, Instant};

use crate::options::Options;
use crate::report::{Line, Run};
use crate::server::Server;
use crate::wire::Fallible;

/// Time for a started server to come to rest.
const REST: Duration = Duration::from_secs(1);

/// First start on an empty folder (with the migrations), second start on the same data, memory at
/// rest, program size.
pub async fn measure(options: &Options) -> Fallible<()> {
    if options.spawn.is_none() {
        return Err("`start` needs --spawn".into());
    }
    let mut line = Line::new("start", 0);
    for _ in 0..options.runs {
        let begin = Instant::now();
        let mut server = Server::of(options).await?;
        let first = begin.elapsed();
        let again = server.restart().await?;
        tokio::time::sleep(REST).await;
        let usage = server.usage().ok_or("the server is gone")?;
        let mut run = Run::default();
        run.set("first_start_ms", first.as_secs_f64() * 1e3);
        run.set("start_ms", again.as_secs_f64() * 1e3);
        run.set("server_cpu_s", usage.cpu_s);
        run.set("server_rss_mib", usage.rss_kib / 1024.0);
        line.push(run);
        line.label("program_bytes", server.program_size()?);
    }
    line.print();
    Ok(())
}
