use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;

use super::*;
use crate::config::{DatabaseTarget, MailSecurity};
use crate::db::Sqlite;
use crate::id::SYSTEM_ACCOUNT;

async fn database(config: &Config) -> Db {
    let DatabaseTarget::Sqlite(options) = config.database.target(&config.server.data_dir) else {
        panic!()
    };
    let db = Db::Sqlite(Sqlite::open(options).await.unwrap());
    db.migrate().await.unwrap();
    let insert = "INSERT INTO accounts (id, account_code, slug, name, created_at, updated_at) \
                  VALUES ($1, 'SY0000', 'system', 'System', $2, $2)";
    let now = Clock::System.now();
    db.execute(Stmt::fixed(insert, vec![SYSTEM_ACCOUNT.into(), now.into()]))
        .await
        .unwrap();
    db
}

fn mail() -> Mail {
    Mail {
        kind: Kind::ResetPassword,
        account: SYSTEM_ACCOUNT,
        to: "ann@example.com".into(),
        token: "the-token".into(),
    }
}

/// Takes one mail and returns what the client said.
async fn smtp_server(listener: TcpListener) -> String {
    let (stream, _) = listener.accept().await.unwrap();
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let (mut said, mut in_data) = (String::new(), false);
    writer.write_all(b"220 test\r\n").await.unwrap();
    while let Some(line) = lines.next_line().await.unwrap() {
        said.push_str(&line);
        said.push('\n');
        let answer: &[u8] = match line.as_str() {
            "." => {
                writer.write_all(b"250 taken\r\n").await.unwrap();
                return said;
            }
            _ if in_data => continue,
            "DATA" => {
                in_data = true;
                b"354 go on\r\n"
            }
            _ => b"250 test\r\n",
        };
        writer.write_all(answer).await.unwrap();
    }
    said
}

/// Provider and status of the only entry in the log of mails, once there is one.
async fn entry(db: &Db) -> (String, String, Option<String>) {
    loop {
        let select = "SELECT provider, status, error_message FROM email_logs";
        if let Some(entry) = db.row(Stmt::fixed(select, Vec::new())).await.unwrap() {
            return entry;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn mailer(configure: impl FnOnce(&mut Config)) -> (Mailer, Db, Lifecycle, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::for_tests(folder.path());
    configure(&mut config);
    let config = Arc::new(config);
    let (db, lifecycle) = (database(&config).await, Lifecycle::new());
    let mailer = Mailer::start(config, db.clone(), Clock::System, &lifecycle);
    (mailer, db, lifecycle, folder)
}

fn through(address: SocketAddr) -> impl FnOnce(&mut Config) {
    move |config| {
        config.mail.smtp_host = address.ip().to_string();
        config.mail.smtp_port = address.port();
        config.mail.smtp_security = MailSecurity::None;
        config.mail.from_email = "server@example.com".into();
    }
}

#[tokio::test]
async fn a_mail_goes_to_the_mail_server_and_into_the_log_without_its_token() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(smtp_server(listener));
    let (mailer, db, _lifecycle, _folder) = mailer(through(address)).await;
    mailer.send(mail()).unwrap();
    let said = server.await.unwrap();
    for part in [
        "FROM:<server@example.com>",
        "TO:<ann@example.com>",
        "Subject: Set a new password",
        "text/html",
    ] {
        assert!(said.contains(part), "{part} is not in {said}");
    }
    assert!(said.contains("the-token"));
    assert_eq!(entry(&db).await, ("smtp".into(), "sent".into(), None));
}

#[tokio::test]
async fn without_a_mail_server_the_log_of_mails_says_so() {
    let (mailer, db, lifecycle, _folder) = mailer(|_| {}).await;
    mailer.send(mail()).unwrap();
    assert_eq!(entry(&db).await.0, "log");
    assert_eq!(
        mailer.newest_to("ann@example.com").unwrap().token,
        "the-token"
    );
    lifecycle.stop();
    assert!(
        lifecycle.drain(Duration::from_secs(5)).await,
        "an empty queue ends at once"
    );
}

#[tokio::test]
async fn the_log_of_mails_goes_back_a_quarter_of_a_year() {
    let (mailer, db, _lifecycle, _folder) = mailer(|_| {}).await;
    mailer.send(mail()).unwrap();
    entry(&db).await;
    let now = Clock::System.now();
    assert!(
        !db.execute(prune_log(now + TimeDelta::days(LOG_DAYS - 1)))
            .await
            .unwrap()
    );
    assert!(
        db.execute(prune_log(now + TimeDelta::days(LOG_DAYS + 1)))
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn at_the_end_what_is_queued_is_tried_once() {
    // Nobody listens there.
    let (mailer, db, lifecycle, _folder) = mailer(through("127.0.0.1:1".parse().unwrap())).await;
    mailer.send(mail()).unwrap();
    lifecycle.stop();
    assert!(lifecycle.drain(Duration::from_secs(5)).await);
    let (provider, status, error) = entry(&db).await;
    assert_eq!((provider.as_str(), status.as_str()), ("smtp", "failed"));
    assert!(error.is_some());
}
