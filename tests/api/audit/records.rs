//! Changes of records in the trail, and reading it page by page.

use serde_json::{Value, json};

use super::{changes, trail};
use crate::harness::{Backend, Client, TestApp, open};

crate::both![
    every_change_of_a_record_is_there_column_by_column,
    secrets_are_never_there,
    what_visitors_and_the_database_do_is_there_too,
    a_batch_is_there_record_by_record_and_what_was_refused_is_not,
    pages_cut_through_entries_without_losing_a_row,
    filters_narrow_it_down,
    wrong_queries_are_told_what_is_wrong,
    it_is_shown_to_superadmins_alone,
    personal_data_can_be_masked,
    personal_data_is_masked_as_its_definition_says,
    it_is_filtered_by_how_people_had_signed_in,
    every_change_tells_of_the_request_that_made_it,
];

async fn posts(app: &TestApp) {
    let fields = json!([
        {"name": "title", "type": "text"},
        {"name": "rank", "type": "number"},
        {"name": "meta", "type": "json"},
        {"name": "link", "type": "reference", "collection": "posts", "on_delete": "set_null"}
    ]);
    app.collection("posts", &fields, &open()).await;
}

async fn every_change_of_a_record_is_there_column_by_column(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let ann = app.register().await;
    let id = ann
        .create_id(
            "posts",
            &json!({"title": "One", "rank": 1, "meta": {"a": [true]}}),
        )
        .await;
    let path = format!("/records/posts/{id}");
    ann.patch(&path, &json!({"title": "T\"wo\n", "rank": null}))
        .await
        .ok(200);
    ann.delete(&path).await.ok(204);

    let rows = trail(&app, &[("record_id", &id)]).await;
    let of = |operation: &str| -> Vec<Value> {
        rows.iter()
            .filter(|row| row["operation"] == operation)
            .cloned()
            .collect()
    };
    let created = changes(&of("CREATE"));
    // Each database writes numbers and objects in its own way.
    let plain: Vec<String> = created
        .iter()
        .map(|change| change.replace(' ', "").replace("1.0", "1"))
        .collect();
    for line in [
        "title:-->One",
        "rank:-->1",
        "meta:-->{\"a\":[true]}",
        "link:-->-",
    ] {
        assert!(
            plain.iter().any(|change| change == line),
            "{line} is not in {plain:?}"
        );
    }
    assert!(
        created.contains(&format!("created_by: - -> {}", ann.id)),
        "{created:?}"
    );
    let updated = changes(&of("UPDATE"));
    assert!(
        updated.contains(&"title: One -> T\"wo\n".to_owned()),
        "{updated:?}"
    );
    assert!(
        updated
            .iter()
            .any(|change| change.starts_with("rank: 1") && change.ends_with("-> -")),
        "{updated:?}"
    );
    let same = ["meta", "link", "created_at", "id", "account_id"];
    assert!(
        !updated
            .iter()
            .any(|change| same.iter().any(|name| change.starts_with(name))),
        "{updated:?}"
    );
    let deleted = changes(&of("DELETE"));
    assert_eq!(deleted.len(), created.len());
    assert!(
        deleted.contains(&"title: T\"wo\n -> -".to_owned()),
        "{deleted:?}"
    );

    for (index, row) in rows.iter().enumerate() {
        assert_eq!(
            row["id"].as_i64().unwrap(),
            rows[0]["id"].as_i64().unwrap() + i64::try_from(index).unwrap()
        );
        assert_eq!(
            (&row["table_name"], &row["account_id"]),
            (&json!("col_posts"), &json!(ann.account_id))
        );
        assert_eq!(
            (&row["user_id"], &row["user_email"], &row["user_name"]),
            (&json!(ann.id), &json!(ann.email), &json!(ann.email))
        );
        assert!(row["occurred_at"].as_str().unwrap().ends_with('Z'));
        assert_eq!(row["checksum"].as_str().unwrap().len(), 64);
        for key in ["es_username", "es_reason", "es_timestamp"] {
            assert!(row.as_object().unwrap()[key].is_null(), "{key}");
        }
        // A row is found by its id, and has it for ever.
        assert_eq!(
            app.admin
                .get(&format!("/audit-logs/{}", row["id"]))
                .await
                .ok(200),
            *row
        );
    }
}

async fn secrets_are_never_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields =
        json!([{"name": "password", "type": "text"}, {"name": "Client_Secret", "type": "text"}]);
    app.collection("vault", &fields, &open()).await;
    let ann = app.register().await;
    let body = json!({"password": "hunter2-hunter2", "Client_Secret": null});
    let id = ann.create_id("vault", &body).await;
    ann.patch(
        &format!("/records/vault/{id}"),
        &json!({"Client_Secret": "hunter2-again"}),
    )
    .await
    .ok(200);
    let rows = trail(&app, &[("record_id", &id)]).await;
    let lines = changes(&rows);
    for line in [
        "password: - -> ***",
        "Client_Secret: - -> -",
        "Client_Secret: - -> ***",
    ] {
        assert!(lines.contains(&line.to_owned()), "{lines:?}");
    }
    let everything = json!(trail(&app, &[]).await).to_string();
    for secret in [
        "hunter2",
        crate::harness::PASSWORD,
        &ann.token,
        &ann.refresh_token,
    ] {
        assert!(!everything.contains(secret), "{secret}");
    }
}

async fn what_visitors_and_the_database_do_is_there_too(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let ann = app.register().await;
    let visitor = app.visitor_of(&ann);
    let target = visitor
        .create_id("posts", &json!({"title": "target"}))
        .await;
    let id = ann
        .create_id("posts", &json!({"title": "refers", "link": target}))
        .await;
    ann.delete(&format!("/records/posts/{target}"))
        .await
        .ok(204);
    let rows = trail(&app, &[("record_id", &target), ("operation", "create")]).await;
    assert!(!rows.is_empty());
    assert!(
        rows.iter()
            .all(|row| row["user_id"].is_null() && row["user_name"] == "anonymous"),
        "{rows:?}"
    );
    // The reference was set to null by the database, because of what Ann did.
    let rows = trail(&app, &[("record_id", &id), ("operation", "UPDATE")]).await;
    assert_eq!(changes(&rows), [format!("link: {target} -> -")]);
}

async fn a_batch_is_there_record_by_record_and_what_was_refused_is_not(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "codes",
        &json!([{"name": "code", "type": "text", "unique": true}]),
        &open(),
    )
    .await;
    let ann = app.register().await;
    let records = |codes: &[&str]| json!({"records": codes.iter().map(|code| json!({"code": code})).collect::<Vec<_>>()});
    ann.post("/records/codes/batch", &records(&["a", "b"]))
        .await
        .ok(201);
    ann.post("/records/codes/batch", &records(&["c", "a"]))
        .await
        .refused(409, "");
    ann.post("/records/codes", &json!({"code": "b"}))
        .await
        .refused(409, "");
    let rows = trail(&app, &[("table_name", "col_codes")]).await;
    let codes: Vec<&Value> = rows
        .iter()
        .filter(|row| row["column_name"] == "code")
        .map(|row| &row["new_value"])
        .collect();
    assert_eq!(codes, [&json!("a"), &json!("b")]);
}

async fn pages_cut_through_entries_without_losing_a_row(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let ann = app.register().await;
    for number in 0..3 {
        ann.create_id("posts", &json!({"title": format!("{number}")}))
            .await;
    }
    for order in ["asc", "desc"] {
        for sort in [
            "id",
            "occurred_at",
            "operation",
            "table_name",
            "record_id",
            "user_id",
            "account_id",
        ] {
            let fixed = [
                ("table_name", "col_posts"),
                ("sort_by", sort),
                ("sort_order", order),
            ];
            let page = async |skip: usize, limit: usize| {
                let (skip, limit) = (skip.to_string(), limit.to_string());
                let query = [&fixed[..], &[("skip", &*skip), ("limit", &*limit)]].concat();
                app.admin.query("/audit-logs", &query).await.ok(200)
            };
            let whole = page(0, 500).await;
            let all = whole["items"].as_array().unwrap().clone();
            assert_eq!(whole["total"], json!(all.len()));
            assert_eq!(all.len(), 3 * 10);
            let mut found = Vec::new();
            for skip in (0..all.len()).step_by(7) {
                let page = page(skip, 7).await;
                assert_eq!(
                    (&page["skip"], &page["limit"], &page["total"]),
                    (&json!(skip), &json!(7), &json!(30))
                );
                found.extend(page["items"].as_array().unwrap().clone());
            }
            assert_eq!(found, all, "{sort} {order}");
            if sort == "id" {
                let ids: Vec<i64> = all.iter().map(|row| row["id"].as_i64().unwrap()).collect();
                assert!(
                    ids.windows(2)
                        .all(|pair| (pair[0] < pair[1]) == (order == "asc")),
                    "{ids:?}"
                );
            }
        }
    }
    // Both slash forms; the newest come first, fifty of them.
    let page = app.admin.get("/audit-logs/").await.ok(200);
    assert_eq!(
        (page["limit"].as_i64(), page["skip"].as_i64()),
        (Some(50), Some(0))
    );
    assert_eq!(page["audit_logging_enabled"], json!(true));
    let times: Vec<&str> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["occurred_at"].as_str().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
}

async fn filters_narrow_it_down(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let (ann, bob) = (app.register().await, app.register().await);
    let of_ann = ann.create_id("posts", &json!({"title": "a"})).await;
    let of_bob = bob.create_id("posts", &json!({"title": "b"})).await;
    bob.delete(&format!("/records/posts/{of_bob}"))
        .await
        .ok(204);
    let records = async |query: &[(&str, &str)]| {
        let query = [query, &[("table_name", "col_posts")]].concat();
        let mut ids: Vec<String> = trail(&app, &query)
            .await
            .iter()
            .map(|row| row["record_id"].as_str().unwrap().to_owned())
            .collect();
        ids.dedup();
        ids
    };
    assert_eq!(
        records(&[("account_id", &ann.account_id)]).await,
        std::slice::from_ref(&of_ann)
    );
    assert_eq!(
        records(&[("user_id", &bob.id)]).await,
        std::slice::from_ref(&of_bob)
    );
    assert_eq!(
        records(&[("operation", "DELETE")]).await,
        std::slice::from_ref(&of_bob)
    );
    assert!(
        records(&[("record_id", &of_ann), ("user_id", &bob.id)])
            .await
            .is_empty()
    );
    let day = chrono_day(&app).await;
    assert_eq!(
        records(&[("from_date", &day), ("to_date", &day)]).await,
        [of_ann, of_bob]
    );
    for nothing in [
        [("from_date", "2999-01-01T00:00:00Z")],
        [("to_date", "1999-01-01T00:00:00+02:00")],
        [("to_date", "1999-01-01T00:00:00")],
    ] {
        assert!(records(&nothing).await.is_empty());
    }
}

/// The day of the newest row.
async fn chrono_day(app: &TestApp) -> String {
    let page = app.admin.get("/audit-logs?limit=1").await.ok(200);
    page["items"][0]["occurred_at"].as_str().unwrap()[..10].to_owned()
}

async fn wrong_queries_are_told_what_is_wrong(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for (query, part) in [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("skip=-1", "skip"),
        ("skip=x", "skip"),
        ("sort_by=checksum", "sort_by"),
        ("sort_order=up", "sort_order"),
        ("from_date=yesterday", "from_date"),
        ("to_date=999999-01-01T00:00:00Z", "to_date"),
        ("masked=perhaps", "masked"),
        ("account_id=%00", "account_id"),
    ] {
        let body = app
            .admin
            .get(&format!("/audit-logs?{query}"))
            .await
            .refused(422, part);
        assert!(body["errors"][part].is_array(), "{body}");
    }
    app.admin
        .get("/audit-logs/export?format=xml")
        .await
        .refused(422, "format");
    app.admin.get("/audit-logs/x").await.refused(422, "id");
    for id in ["0", "-1", "999999", "9223372036854775807"] {
        app.admin
            .get(&format!("/audit-logs/{id}"))
            .await
            .refused(404, "");
    }
}

async fn it_is_shown_to_superadmins_alone(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let ann = app.register().await;
    for path in [
        "/audit-logs",
        "/audit-logs/1",
        "/audit-logs/export",
        "/audit-logs/verify",
    ] {
        app.anonymous().get(path).await.refused(401, "");
        ann.get(path).await.refused(403, "Superadmin");
    }
}

async fn personal_data_can_be_masked(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "full_name", "type": "text"}, {"name": "Home_Phone", "type": "text"},
        {"name": "ssn", "type": "text"}, {"name": "username", "type": "text"}
    ]);
    app.collection("people", &fields, &open()).await;
    let ann = app.register().await;
    let body = json!({"full_name": "Ann Lee", "Home_Phone": "555-123-4567", "ssn": "123-45-6789", "username": "ann"});
    let id = ann.create_id("people", &body).await;
    let plain = changes(&trail(&app, &[("record_id", &id)]).await);
    assert!(
        plain.contains(&"full_name: - -> Ann Lee".to_owned()),
        "{plain:?}"
    );
    let rows = trail(&app, &[("record_id", &id), ("masked", "true")]).await;
    let masked = changes(&rows);
    for line in [
        "full_name: - -> A*** L***",
        "Home_Phone: - -> ***-***-4567",
        "ssn: - -> ***-**-****",
        "username: - -> ann",
    ] {
        assert!(masked.contains(&line.to_owned()), "{masked:?}");
    }
    assert_eq!(
        rows[0]["user_email"],
        json!(format!("{}***@example.com", &ann.email[..1]))
    );
    let file = app
        .admin
        .query(
            "/audit-logs/export",
            &[("record_id", &*id), ("masked", "1")],
        )
        .await
        .text;
    assert!(
        !file.contains("Ann Lee") && !file.contains(&ann.email),
        "{file}"
    );
}

async fn every_change_tells_of_the_request_that_made_it(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let ann = app.register().await;
    let visitor = app.visitor_of(&ann);
    let from = |client: &Client, agent: &str, id: &str| {
        client
            .with_header("user-agent", agent)
            .with_header("x-correlation-id", id)
    };
    let one = from(&ann, "One/1.0", "cid_one")
        .create_id("posts", &json!({"title": "a"}))
        .await;
    let batch = json!({"records": [{"title": "b", "link": one}, {"title": "c"}]});
    let batch = from(&ann, "Two/1.0", "cid_two")
        .post("/records/posts/batch", &batch)
        .await
        .ok(201);
    let id = |index: usize| batch["created"][index]["id"].as_str().unwrap().to_owned();
    let path = |id: &str| format!("/records/posts/{id}");
    from(&visitor, "Three/1.0", "cid_three")
        .patch(&path(&one), &json!({"title": "d"}))
        .await
        .ok(200);
    from(&ann, "Four/1.0", "cid_four")
        .delete(&path(&one))
        .await
        .ok(204);
    let changes = json!({"records": [{"id": id(1), "data": {"rank": 2}}]});
    from(&ann, "Five/1.0", "cid_five")
        .patch("/records/posts/batch", &changes)
        .await
        .ok(200);
    from(&ann, "Six/1.0", "cid_six")
        .delete_with("/records/posts/batch", &json!({"ids": [id(1)]}))
        .await
        .ok(200);

    let mut told: Vec<String> = Vec::new();
    for row in trail(&app, &[("table_name", "col_posts")]).await {
        assert_eq!(row["ip_address"], "127.0.0.1", "{row}");
        let method = row["extra_metadata"]["auth_method"].as_str().unwrap_or("-");
        let record = [&one, &id(0), &id(1)]
            .iter()
            .position(|id| row["record_id"] == id.as_str())
            .unwrap();
        let text = |key: &str| row[key].as_str().unwrap().to_owned();
        told.push(format!(
            "{} {record} {} {} {method}",
            text("operation"),
            text("user_agent"),
            text("request_id")
        ));
    }
    told.dedup();
    let expected = [
        "CREATE 0 One/1.0 cid_one jwt",
        "CREATE 1 Two/1.0 cid_two jwt",
        "CREATE 2 Two/1.0 cid_two jwt",
        "UPDATE 0 Three/1.0 cid_three -",
        // The reference was set to null by the database, because of this request.
        "DELETE 0 Four/1.0 cid_four jwt",
        "UPDATE 1 Four/1.0 cid_four jwt",
        "UPDATE 2 Five/1.0 cid_five jwt",
        "DELETE 2 Six/1.0 cid_six jwt",
    ];
    told[4..6].sort_unstable();
    assert_eq!(told, expected);
}

async fn personal_data_is_masked_as_its_definition_says(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([
        {"name": "contact", "type": "text", "pii": true, "mask_type": "full"},
        {"name": "reach", "type": "text", "pii": true, "mask_type": "email"},
        {"name": "code", "type": "text", "pii": true},
        {"name": "doc", "type": "json", "pii": true},
        {"name": "copy", "type": "computed", "expression": "concat('to ', contact)", "return_type": "text"},
        {"name": "title", "type": "text"}
    ]);
    let rules = open();
    app.collection("people", &fields, &rules).await;
    app.collection("others", &fields, &rules).await;
    let ann = app.register().await;
    let body = json!({"contact": "Ann Example, 12 Some Street", "reach": "ann@secret.example", "code": "abc-123",
        "doc": {"where": "Some Street"}, "title": "visible"});
    let id = ann.create_id("people", &body).await;
    let other = ann.create_id("others", &body).await;
    ann.patch(
        &format!("/records/people/{id}"),
        &json!({"contact": "Ann moved to Other Street"}),
    )
    .await
    .ok(200);
    let check = async |when: &str| {
        for record in [&id, &other] {
            let rows = trail(&app, &[("record_id", record), ("masked", "true")]).await;
            assert!(
                rows.iter().any(|row| row["new_value"] == "visible"),
                "{when}: {rows:?}"
            );
            let mut shown = vec![json!(rows).to_string()];
            for format in ["csv", "json"] {
                let query = [
                    ("record_id", record.as_str()),
                    ("masked", "true"),
                    ("format", format),
                ];
                shown.push(app.admin.query("/audit-logs/export", &query).await.text);
            }
            for text in shown {
                for secret in ["Street", "ann@secret", "abc-123", "Ann "] {
                    assert!(!text.contains(secret), "{when}: '{secret}' in {text}");
                }
                assert!(
                    text.contains("a***@secret.example") && text.contains("*******"),
                    "{when}: {text}"
                );
            }
        }
        let plain = json!(trail(&app, &[("record_id", &id)]).await).to_string();
        assert!(plain.contains("12 Some Street"), "{plain}");
    };
    check("as it was defined").await;
    app.admin
        .put(
            "/collections/people",
            &json!({"rename": {"contact": "whereabouts"}}),
        )
        .await
        .ok(200);
    app.admin
        .post("/collections/people/rename", &json!({"name": "persons"}))
        .await
        .ok(200);
    check("under other names").await;
    app.admin.delete("/collections/others").await.ok(200);
    check("after it is gone").await;
    ann.patch(
        &format!("/records/persons/{id}"),
        &json!({"whereabouts": "Ann left for Third Street"}),
    )
    .await
    .ok(200);
    check("under the new names").await;
}

async fn it_is_filtered_by_how_people_had_signed_in(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    posts(&app).await;
    let key = json!({"name": "machine"});
    let key = app.admin.post("/admin/api-keys", &key).await.ok(201)["key"]
        .as_str()
        .unwrap()
        .to_owned();
    let machine = app.anonymous().with_header("x-api-key", &key);
    let by_key = machine.create_id("posts", &json!({"title": "a"})).await;
    let by_person = app.admin.create_id("posts", &json!({"title": "b"})).await;
    for (method, record) in [("api_key", &by_key), ("jwt", &by_person)] {
        let rows = trail(
            &app,
            &[("auth_method", method), ("table_name", "col_posts")],
        )
        .await;
        assert!(!rows.is_empty(), "{method}");
        for row in &rows {
            assert_eq!(
                (&row["extra_metadata"]["auth_method"], &row["record_id"]),
                (&json!(method), &json!(record))
            );
        }
        let file = app
            .admin
            .query(
                "/audit-logs/export",
                &[("auth_method", method), ("format", "json")],
            )
            .await;
        let ids: Vec<Value> = file
            .ok(200)
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["record_id"].clone())
            .collect();
        assert!(ids.contains(&json!(record)), "{method}");
        assert!(
            !ids.contains(&json!(if record == &by_key {
                &by_person
            } else {
                &by_key
            })),
            "{method}"
        );
    }
    assert!(trail(&app, &[("auth_method", "nothing")]).await.is_empty());
    let password = trail(&app, &[("auth_method", "password")]).await;
    assert!(
        password.iter().all(|row| row["operation"] == "LOGIN"),
        "{password:?}"
    );
    for misspelt in ["auth_metod=jwt", "operaton=CREATE", "mased=true"] {
        let refusal = app
            .admin
            .get(&format!("/audit-logs?{misspelt}"))
            .await
            .refused(400, "did you mean");
        assert_eq!(refusal["error"], "Unsupported query parameter");
        app.admin
            .get(&format!("/audit-logs/export?{misspelt}"))
            .await
            .refused(400, "did you mean");
    }
}
