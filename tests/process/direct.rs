//! Looking into a database past the server.

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, Row as _};

use crate::harness::Database;

/// The rows of a query, each one text.
pub async fn texts(database: &Database, query: &'static str) -> Vec<String> {
    let url = database.url();
    if let Some(path) = url.strip_prefix("sqlite:///") {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .busy_timeout(std::time::Duration::from_secs(10));
        let mut connection = sqlx::SqliteConnection::connect_with(&options)
            .await
            .unwrap();
        let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
        return rows.iter().map(|row| row.get(0)).collect();
    }
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let rows = sqlx::query(query).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}
