//! How SQLite reads pages: along an index, from where the page begins.

use std::sync::Arc;

use super::*;
use crate::auth::AccountRef;
use crate::clock::Clock;
use crate::config::Config;
use crate::db::{Db, Sqlite, SqliteOptions, Stmt, Synchronous};
use crate::files::Files;
use crate::records::query::RawListQuery;
use crate::schema::definition::check_fields;
use crate::schema::{CatalogHandle, Collection, FieldDefinition, ddl};

async fn records(folder: &std::path::Path) -> Records {
    let options = SqliteOptions {
        path: folder.join("test.db"),
        synchronous: Synchronous::Normal,
        readers: 1,
        busy_timeout: std::time::Duration::from_secs(5),
        cache_kib: 4096,
    };
    let db = Db::Sqlite(Sqlite::open(options).await.unwrap());
    db.migrate().await.unwrap();
    let schema = r#"[{"name": "code", "type": "text", "unique": true}, {"name": "must", "type": "number", "unique": true, "required": true}]"#;
    let mut definitions: Vec<FieldDefinition> = serde_json::from_str(schema).unwrap();
    let fields = check_fields(&mut definitions).unwrap();
    let (id, now) = (CollectionId::new(), Clock::System.now());
    let insert = "INSERT INTO collections (id, name, name_key, schema, rules_id, list_rule, created_at, updated_at, \
                  rules_updated_at) VALUES ($1, 'many', 'many', $2, $1, '', $3, $3, $3)";
    db.execute(Stmt::fixed(
        insert,
        vec![id.into(), schema.into(), now.into()],
    ))
    .await
    .unwrap();
    let table = ddl::table_name("many").unwrap();
    for stmt in ddl::create(
        db.dialect(),
        &ddl::Table {
            id,
            name: &table,
            fields: &fields,
        },
        |_| None,
    ) {
        let mut tx = db.begin().await.unwrap();
        tx.execute(stmt).await.unwrap();
        tx.commit().await.unwrap();
    }
    let catalog = CatalogHandle::load(db.clone()).await.unwrap();
    let config = Config::for_tests(folder);
    let files = Files::open(db.clone(), catalog.clone(), Clock::System, &config).unwrap();
    Records::new(db, catalog, Arc::default(), Clock::System, files, &config)
}

/// The plan of each stretch beyond a record with these values.
async fn plans(
    records: &Records,
    collection: &Arc<Collection>,
    sort: &str,
    values: &[Json],
    all: bool,
) -> Vec<String> {
    let account = AccountRef::new(
        AccountId::new(),
        "AB1234".into(),
        "a".into(),
        "A".into(),
        Clock::System.now(),
    );
    let caller = Caller::Anonymous {
        account: Some(Arc::new(account)),
    };
    let mut scope = RecordScope::open(&caller, collection, Operation::List).unwrap();
    if all {
        scope.account = None;
    }
    let (view, selection) = (scope.view(), Selection::default());
    let raw = RawListQuery {
        limit: 20,
        sort: Some(sort),
        cursor: Some(""),
        ..RawListQuery::default()
    };
    let query = ListQuery::parse(&raw).unwrap();
    let listing = Listing {
        scope: &scope,
        view: &view,
        query: &query,
        selection: &selection,
    };
    let mut plans = Vec::new();
    for reversed in [false, true] {
        let order = Order::new(collection, &query.sort, reversed);
        let position = order.position(values).unwrap();
        for &part in order.parts(Some(&position)) {
            let mut sql = records.db.sql();
            sql.push("EXPLAIN QUERY PLAN ");
            let stretch = ListStretch {
                order: &order,
                part,
                position: Some(&position),
                rows: 21,
            };
            listing.write(&mut sql, stretch);
            let rows: Vec<(i64, i64, i64, String)> = records.db.rows(sql.build()).await.unwrap();
            let plan: Vec<String> = rows.into_iter().map(|(.., detail)| detail).collect();
            plans.push(plan.join("; "));
        }
    }
    plans
}

#[tokio::test]
async fn pages_are_read_along_an_index_from_where_they_begin() {
    let folder = tempfile::tempdir().unwrap();
    let records = records(folder.path()).await;
    let collection = records.collection("many").unwrap();
    let (time, id) = (
        Json::from("2026-01-01T00:00:00.000Z"),
        Json::from("01890000-0000-7000-8000-000000000000"),
    );
    let (text, number, null) = (Json::from("x"), Json::from(1.5), Json::Null);
    let cases: [(&str, Vec<Json>, bool, &[&str]); 9] = [
        (
            "-created_at",
            vec![time.clone(), id.clone()],
            false,
            &["(account_id=? AND (created_at,id)<(?,?))"],
        ),
        (
            "created_at",
            vec![time.clone(), id.clone()],
            false,
            &["(account_id=? AND (created_at,id)>(?,?))"],
        ),
        (
            "-created_at",
            vec![time.clone(), id.clone()],
            true,
            &["((created_at,id)<(?,?))"],
        ),
        (
            "created_at",
            vec![time, id.clone()],
            true,
            &["((created_at,id)>(?,?))"],
        ),
        (
            "code",
            vec![text.clone(), id.clone()],
            false,
            &["(account_id=? AND (code,id)>(?,?))"],
        ),
        (
            "-code",
            vec![text, id.clone()],
            false,
            &[
                "(account_id=? AND (code,id)<(?,?))",
                "(account_id=? AND code=?)",
            ],
        ),
        (
            "-code",
            vec![null, id.clone()],
            false,
            &["(account_id=? AND code=?"],
        ),
        (
            "must",
            vec![number.clone(), id.clone()],
            false,
            &["(account_id=? AND (must,id)>(?,?))"],
        ),
        (
            "-must",
            vec![number, id],
            false,
            &["(account_id=? AND (must,id)<(?,?))"],
        ),
    ];
    for (sort, values, all, expected) in cases {
        let plans = plans(&records, &collection, sort, &values, all).await;
        for plan in &plans {
            assert!(
                plan.contains("SEARCH r USING INDEX") || plan.contains("SEARCH r USING COVERING"),
                "{sort}: {plan}"
            );
            assert!(!plan.contains("ORDER BY"), "{sort} is sorted anew: {plan}");
        }
        for (plan, constraint) in plans.iter().zip(expected) {
            assert!(plan.contains(constraint), "{sort}: {plan}");
        }
    }
}
