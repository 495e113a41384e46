//! The trail as a file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::trail;
use crate::harness::{Backend, TestApp, open};

crate::both![
    a_csv_has_a_line_for_each_row,
    a_json_file_is_a_list_of_rows,
    a_pdf_is_a_document_in_base64_or_as_it_is,
    an_export_is_in_the_trail_itself,
];

async fn world(backend: Backend) -> (TestApp, String) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}]),
        &open(),
    )
    .await;
    let ann = app.register().await;
    let id = ann
        .create_id("posts", &json!({"title": "=1+1, \"quoted\"\nand more"}))
        .await;
    (app, id)
}

async fn a_csv_has_a_line_for_each_row(backend: Backend) {
    let (app, id) = world(backend).await;
    let answer = app
        .admin
        .get(&format!(
            "/audit-logs/export?record_id={id}&sort_by=id&sort_order=asc"
        ))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/csv")
    );
    let disposition = answer.header("content-disposition").unwrap();
    assert!(
        disposition.starts_with("attachment; filename=audit_logs_2"),
        "{disposition}"
    );
    assert_eq!(disposition.rsplit('.').next(), Some("csv"));
    let mut reader = csv::Reader::from_reader(answer.text.as_bytes());
    let header = "ID,Timestamp,Operation,Table,Record ID,Column,Old Value,New Value,User,IP Address,Checksum";
    assert_eq!(
        reader
            .headers()
            .unwrap()
            .iter()
            .collect::<Vec<_>>()
            .join(","),
        header
    );
    let rows = trail(&app, &[("record_id", &id)]).await;
    let lines: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(lines.len(), rows.len());
    for (line, row) in lines.iter().zip(&rows) {
        assert_eq!(
            (&line[0], &line[3], &line[4]),
            (&*row["id"].to_string(), "col_posts", &*id)
        );
        assert_eq!(Some(&line[10]), row["checksum"].as_str());
    }
    // A table takes nothing for a formula.
    let title = lines.iter().find(|line| &line[5] == "title").unwrap();
    assert_eq!(&title[7], "'=1+1, \"quoted\"\nand more");
}

async fn a_json_file_is_a_list_of_rows(backend: Backend) {
    let (app, id) = world(backend).await;
    let answer = app
        .admin
        .get(&format!("/audit-logs/export?format=json&record_id={id}"))
        .await;
    assert_eq!(
        answer
            .header("content-disposition")
            .unwrap()
            .rsplit('.')
            .next(),
        Some("json")
    );
    let list = answer.ok(200);
    let keys: Vec<&String> = list[0].as_object().unwrap().keys().collect();
    let expected = [
        "id",
        "occurred_at",
        "operation",
        "table_name",
        "record_id",
        "column_name",
        "old_value",
        "new_value",
        "user_email",
        "ip_address",
        "checksum",
    ];
    assert_eq!(keys, expected);
    let title = list
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["column_name"] == "title")
        .unwrap();
    assert_eq!(title["new_value"], json!("=1+1, \"quoted\"\nand more"));
}

async fn a_pdf_is_a_document_in_base64_or_as_it_is(backend: Backend) {
    let (app, id) = world(backend).await;
    let path = format!("/audit-logs/export?format=pdf&record_id={id}");
    let answer = app.admin.get(&path).await;
    assert_eq!(answer.status, 200);
    assert!(
        answer
            .header("content-type")
            .unwrap()
            .starts_with("text/plain")
    );
    let document = STANDARD.decode(&answer.text).unwrap();
    let text = String::from_utf8_lossy(&document);
    assert!(text.starts_with("%PDF-") && text.trim_end().ends_with("%%EOF"));
    assert!(
        text.contains("col_posts") && text.contains("=1+1"),
        "{text}"
    );
    let answer = app
        .admin
        .with_header("accept", "application/pdf")
        .get(&path)
        .await;
    assert_eq!(answer.header("content-type"), Some("application/pdf"));
    assert!(answer.text.starts_with("%PDF-"));
}

async fn an_export_is_in_the_trail_itself(backend: Backend) {
    let (app, id) = world(backend).await;
    let all = app
        .admin
        .get("/audit-logs/export?format=json")
        .await
        .ok(200);
    app.admin
        .get(&format!("/audit-logs/export?record_id={id}&masked=true"))
        .await;
    let rows = trail(&app, &[("operation", "EXPORT")]).await;
    let lines = super::changes(&rows);
    let count = all.as_array().unwrap().len();
    for line in [
        "format: - -> json",
        "format: - -> csv",
        "masked: - -> true",
        &format!("rows: - -> {count}"),
    ] {
        assert!(
            lines.iter().any(|own| own == line),
            "{line} is not in {lines:?}"
        );
    }
    assert!(
        rows.iter()
            .all(|row| row["table_name"] == "audit_log" && row["user_id"] == json!(app.admin.id))
    );
}
