//! Following on SQLite: one process writes, so positions have no gaps that could still be filled.

use std::sync::Arc;

use super::{CHUNK, ChangeLog, Consumer, RETRY, Row};

pub(super) async fn follow(log: &ChangeLog, consumer: &mut impl Consumer) {
    let mut committed = log.db.committed();
    let mut position = log.position();
    loop {
        // Marked as seen before reading: a commit during the read wakes us again.
        let commits = *committed.borrow_and_update();
        loop {
            let mut sql = log.select();
            sql.push(" WHERE position > ").arg(position).push(" ORDER BY position LIMIT ").number(CHUNK);
            let rows: Vec<Row> = match log.db.rows(sql.build()).await {
                Ok(rows) => rows,
                Err(crate::db::DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY).await;
                    continue;
                }
            };
            let full = rows.len() >= usize::try_from(CHUNK).unwrap_or(usize::MAX);
            let Some(last) = rows.last() else { break };
            position = last.position;
            let changes = rows.into_iter().filter_map(Row::into_change).map(Arc::new).collect();
            consumer.consume(changes, position).await;
            log.position.send_replace(position);
            log.settled.send_replace(position);
            if !full {
                break;
            }
        }
        log.followed.send_replace(commits);
        if committed.changed().await.is_err() {
            return;
        }
    }
}
