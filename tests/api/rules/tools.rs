//! The endpoints that set rules and try them out.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, closed};

crate::both![
    rules_are_changed_key_by_key,
    what_get_answers_can_be_put_back,
    rules_that_are_wrong_are_refused_with_the_reason,
    rules_are_for_superadmins,
    a_rule_can_be_checked_before_it_is_stored,
    a_rule_can_be_tried_out,
];

async fn posts(backend: Backend) -> TestApp {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "posts",
        &json!([{"name": "title", "type": "text"}, {"name": "n", "type": "number"}]),
        &closed(),
    )
    .await;
    app
}

async fn rules_are_changed_key_by_key(backend: Backend) {
    let app = posts(backend).await;
    let rules = app.admin.get("/collections/posts/rules").await.ok(200);
    for operation in ["list", "view", "create", "update", "delete"] {
        assert_eq!(
            rules[format!("{operation}_rule")],
            Value::Null,
            "new collections are locked"
        );
    }
    for list in [
        "list_fields",
        "view_fields",
        "create_fields",
        "update_fields",
    ] {
        assert_eq!(rules[list], "*");
    }
    app.rules("posts", &json!({"list_rule": "", "view_rule": "n > 1"}))
        .await;
    let rules = app
        .rules(
            "posts",
            &json!({"create_rule": "@owns_record()", "list_rule": null}),
        )
        .await;
    assert_eq!(
        (&rules["list_rule"], &rules["view_rule"]),
        (&Value::Null, &json!("n > 1"))
    );
    assert_eq!(rules["create_rule"], "@owns_record()");
    assert_eq!(
        app.admin.get("/collections/posts/rules").await.ok(200),
        rules
    );
    app.admin
        .get("/collections/nowhere/rules")
        .await
        .refused(404, "nowhere");
    app.admin
        .put("/collections/nowhere/rules", &json!({}))
        .await
        .refused(404, "nowhere");
}

async fn what_get_answers_can_be_put_back(backend: Backend) {
    let app = posts(backend).await;
    let before = app
        .rules(
            "posts",
            &json!({"list_rule": "n > 1", "view_fields": ["n"]}),
        )
        .await;
    let after = app.rules("posts", &before).await;
    for key in ["list_rule", "view_rule", "view_fields", "list_fields"] {
        assert_eq!(before[key], after[key]);
    }
}

async fn rules_that_are_wrong_are_refused_with_the_reason(backend: Backend) {
    let app = posts(backend).await;
    for rule in [
        "   ",
        "nonsense = 1",
        "n = ",
        "@request.auth.groups = 'x'",
        "@request.headers.x = 1",
        "@nothing()",
        "n == 1",
    ] {
        let refusal = app
            .admin
            .put("/collections/posts/rules", &json!({"view_rule": rule}))
            .await;
        refusal.refused(400, "Invalid view_rule");
    }
    for operation in ["list", "view", "delete"] {
        let rules = json!({format!("{operation}_rule"): "@request.data.title = 'x'"});
        app.admin
            .put("/collections/posts/rules", &rules)
            .await
            .refused(400, "");
    }
    for operation in ["create", "update"] {
        app.rules(
            "posts",
            &json!({format!("{operation}_rule"): "@request.data.title = 'x'"}),
        )
        .await;
    }
    for wrong in [
        json!({"list_ruel": ""}),
        json!({"list_rule": 5}),
        json!({"list_fields": null}),
        json!({"list_fields": "title"}),
        json!({"list_fields": [1]}),
        json!({"list_fields": {}}),
    ] {
        app.admin
            .put("/collections/posts/rules", &wrong)
            .await
            .refused(422, "");
    }
    // One bad rule, and none is changed.
    app.rules("posts", &json!({"list_rule": "n = 7"})).await;
    app.admin
        .put(
            "/collections/posts/rules",
            &json!({"list_rule": "", "view_rule": "bad ="}),
        )
        .await
        .refused(400, "");
    assert_eq!(
        app.admin.get("/collections/posts/rules").await.ok(200)["list_rule"],
        "n = 7"
    );
}

async fn rules_are_for_superadmins(backend: Backend) {
    let app = posts(backend).await;
    let user = app.register().await;
    user.get("/collections/posts/rules").await.refused(403, "");
    user.put("/collections/posts/rules", &json!({"list_rule": ""}))
        .await
        .refused(403, "");
    user.post("/rules/validate", &json!({"rule": "", "operation": "list"}))
        .await
        .refused(403, "");
    user.post("/rules/test", &json!({"rule": ""}))
        .await
        .refused(403, "");
    app.anonymous()
        .put("/collections/posts/rules", &json!({"list_rule": ""}))
        .await
        .refused(401, "");
}

async fn a_rule_can_be_checked_before_it_is_stored(backend: Backend) {
    let app = posts(backend).await;
    let validate = async |rule: &str, operation: &str| {
        let fields = json!(["title", {"name": "n", "type": "number"}]);
        let body = json!({"rule": rule, "operation": operation, "collectionFields": fields});
        app.admin.post("/rules/validate", &body).await.ok(200)
    };
    for rule in [
        "",
        "title = 'x'",
        "n > -1 && @owns_record()",
        "@has_group('x') || updated_by = 'y'",
    ] {
        assert_eq!(validate(rule, "list").await["valid"], true, "{rule}");
    }
    for rule in [
        "other = 'x'",
        "n = 'x' x",
        "title >",
        "@request.data.title = 'x'",
    ] {
        let answer = validate(rule, "list").await;
        assert_eq!(answer["valid"], false, "{rule}");
        assert!(
            answer["errors"][0]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{answer}"
        );
    }
    assert_eq!(
        validate("@request.data.title = 'x'", "create").await["valid"],
        true
    );
    app.admin
        .post("/rules/validate", &json!({"rule": "", "operation": "fly"}))
        .await
        .refused(422, "operation");
    app.admin
        .post("/rules/validate", &json!({"operation": "list"}))
        .await
        .refused(422, "rule");
}

async fn a_rule_can_be_tried_out(backend: Backend) {
    let app = posts(backend).await;
    let cases = [
        ("", json!({}), true),
        (
            "owner = @request.auth.id",
            json!({"auth": {"id": "u"}, "record": {"owner": "u"}}),
            true,
        ),
        (
            "owner = @request.auth.id",
            json!({"auth": {"id": "u"}, "record": {"owner": "v"}}),
            false,
        ),
        (
            "@has_role('admin')",
            json!({"auth": {"role": "admin"}}),
            true,
        ),
        (
            "@has_group('staff')",
            json!({"auth": {"groups": ["staff"]}}),
            true,
        ),
        (
            "@has_group('staff')",
            json!({"auth": {"groups": []}}),
            false,
        ),
        ("@request.data.x > 1", json!({"data": {"x": 2}}), true),
    ];
    for (rule, context, expected) in cases {
        let answer = app
            .admin
            .post("/rules/test", &json!({"rule": rule, "context": context}))
            .await
            .ok(200);
        assert_eq!(answer["result"], expected, "{rule} with {context}");
    }
    app.admin
        .post("/rules/test", &json!({"rule": "(", "context": {}}))
        .await
        .refused(400, "");
    app.admin
        .post("/rules/test", &json!({"context": {}}))
        .await
        .refused(422, "rule");
}
