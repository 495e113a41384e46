//! Following on SQLite: one process writes, so positions have no gaps that could still be filled.

use std::collections::VecDeque;

use super::completion::Completion;
use super::read_limit::AdaptiveReadLimit;
use super::{ChangeConsumer, ChangeLog, LogRow, RETRY_DELAY};

pub(super) async fn follow(log: &ChangeLog, consumer: &mut impl ChangeConsumer) {
    let mut committed = log.db.committed();
    let (mut position, mut limit) = (log.position(), AdaptiveReadLimit::default());
    loop {
        // Marked as seen before reading: a commit during the read wakes us again.
        let commits = *committed.borrow_and_update();
        loop {
            let mut sql = log.select();
            sql.push(" WHERE position > ")
                .arg(position)
                .push(" ORDER BY position LIMIT ")
                .number(limit.entries());
            let rows: Vec<LogRow> = match log.db.rows(sql.build()).await {
                Ok(rows) => rows,
                Err(crate::db::DbError::Closed) => return,
                Err(error) => {
                    tracing::error!(%error, "the change log cannot be read; trying again");
                    tokio::time::sleep(RETRY_DELAY).await;
                    continue;
                }
            };
            let full = limit.is_reached(&rows);
            limit.adapt(&rows);
            let (mut rows, mut completion) = (VecDeque::from(rows), Completion::default());
            while !rows.is_empty() {
                let Some((changes, last)) = log.next_changes(&mut rows, &mut completion).await
                else {
                    return;
                };
                position = last;
                consumer.consume(changes, position).await;
                log.position.send_replace(position);
                log.stable.send_replace(position);
            }
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
