//! Figures of the whole server.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp};

crate::both![
    the_figures_are_those_of_the_server,
    every_day_of_the_range_is_there,
    what_this_server_does_not_have_counts_zero,
    the_dashboard_is_for_superadmins,
];

async fn the_figures_are_those_of_the_server(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "a", "type": "text"}]);
    app.collection(
        "open",
        &fields,
        &json!({"list_rule": "", "create_rule": ""}),
    )
    .await;
    app.collection(
        "closed",
        &fields,
        &json!({"create_rule": "@request.auth.id != ''"}),
    )
    .await;
    let user = app.register().await;
    let colleague = app.colleague_of(&user).await;
    for _ in 0..3 {
        user.create("closed", &json!({})).await;
    }
    user.create("open", &json!({})).await;
    user.post("/invitations", &json!({"email": "guest@example.com"}))
        .await
        .ok(201);
    app.admin
        .post("/admin/api-keys", &json!({"name": "key"}))
        .await
        .ok(201);
    app.admin
        .post(
            "/admin/api-keys",
            &json!({"name": "past", "expires_at": "2020-01-01T00:00:00Z"}),
        )
        .await
        .ok(201);
    let count = json!({"name": "how_many", "sql_query": "SELECT COUNT(*) FROM open"});
    app.admin.post("/macros", &count).await.ok(201);
    let stats = app.admin.get("/dashboard/stats").await.ok(200);
    for (key, value) in [
        ("range", json!("7d")),
        ("total_accounts", json!(2)),
        ("total_users", json!(3)),
        ("total_collections", json!(2)),
        ("total_records", json!(4)),
        ("new_accounts_7d", json!(2)),
        ("new_users_7d", json!(3)),
        (
            "previous_period",
            json!({"new_accounts": 0, "new_users": 0}),
        ),
        ("active_sessions", json!(3)),
        ("public_collections_count", json!(1)),
        (
            "records_by_collection",
            json!([{"name": "closed", "count": 3}, {"name": "open", "count": 1}]),
        ),
    ] {
        assert_eq!(stats[key], value, "{key}: {stats}");
    }
    let counts = &stats["feature_counts"];
    assert_eq!(
        (&counts["api_keys_active"], &counts["invitations_pending"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&counts["macros"], &counts["hooks"]),
        (&json!(1), &json!(0))
    );
    let newest = &stats["recent_registrations"][0];
    assert_eq!(
        (&newest["email"], &newest["account_id"]),
        (&json!(colleague.email), &json!(user.account_id))
    );
    assert!(
        newest["created_at"].as_str().unwrap().ends_with('Z') && newest["account_code"].is_string()
    );
    assert_eq!(stats["system_health"]["database_status"], "connected");
    assert!(stats["system_health"]["storage_usage_mb"].as_f64().unwrap() > 0.0);
    // Nothing of it is left in the series.
    let sum = |key: &str| -> i64 {
        stats["time_series"][key]
            .as_array()
            .unwrap()
            .iter()
            .map(|day| day["count"].as_i64().unwrap())
            .sum()
    };
    assert_eq!((sum("accounts_created"), sum("users_created")), (2, 3));
    user.delete("/auth/sessions").await.ok(204);
    app.admin
        .delete(&format!("/users/{}/sessions", colleague.id))
        .await
        .ok(204);
    assert_eq!(
        app.admin.get("/dashboard/stats").await.ok(200)["active_sessions"],
        2
    );
}

async fn every_day_of_the_range_is_there(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    for (range, days) in [("7d", 7), ("30d", 30), ("90d", 90)] {
        let stats = app
            .admin
            .get(&format!("/dashboard/stats?range={range}"))
            .await
            .ok(200);
        assert_eq!(stats["range"], range);
        for key in ["accounts_created", "users_created", "audit_by_operation"] {
            let series = stats["time_series"][key].as_array().unwrap();
            let dates: Vec<&str> = series
                .iter()
                .map(|day| day["date"].as_str().unwrap())
                .collect();
            assert_eq!(dates.len(), days, "{key}");
            assert!(
                dates.windows(2).all(|pair| pair[0] < pair[1]) && dates[0].len() == 10,
                "{dates:?}"
            );
        }
    }
    app.admin
        .get("/dashboard/stats?range=1y")
        .await
        .refused(422, "range");
}

async fn what_this_server_does_not_have_counts_zero(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let stats = app.admin.get("/dashboard/stats").await.ok(200);
    let numbers = |value: &Value| {
        value
            .as_object()
            .unwrap()
            .values()
            .map(|n| n.as_i64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers(&stats["jobs_by_status"]), [0; 6]);
    assert_eq!(numbers(&stats["hook_executions_summary"]), [0; 3]);
    assert_eq!(numbers(&stats["webhook_deliveries_summary"]), [0; 4]);
    assert_eq!(numbers(&stats["feature_counts"]).len(), 9);
    assert!(
        stats["recent_audit_logs"]
            .as_array()
            .is_some_and(|rows| rows.len() <= 20)
    );
    assert_eq!(stats["records_by_collection"], json!([]));
}

async fn the_dashboard_is_for_superadmins(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.register()
        .await
        .get("/dashboard/stats")
        .await
        .refused(403, "");
    app.anonymous()
        .get("/dashboard/stats")
        .await
        .refused(401, "");
}
