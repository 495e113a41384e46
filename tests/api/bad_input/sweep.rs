use reqwest::Method;
use serde_json::json;

use super::start;
use crate::harness::Backend;

crate::both![no_route_fails_whatever_is_sent_to_it,];

/// Every route of the document with every kind of body, by everybody.
async fn no_route_fails_whatever_is_sent_to_it(backend: Backend) {
    let (app, user) = start(backend).await;
    let document = app.anonymous().get("//openapi.json").await.ok(200);
    let bodies = [
        json!(null),
        json!(0),
        json!("x"),
        json!([]),
        json!({}),
        json!({"id": 5, "name": [], "email": {}, "password": 0, "token": false}),
        json!({"records": [null], "ids": [null], "rule": 1, "context": 5, "operation": [], "fields": 7, "schema": {}, "list_rule": {}}),
        json!({"email": "\0", "password": "\0", "account": "\0", "token": "\0", "refresh_token": "\0", "new_password": "\0".repeat(9),
            "name": "\0", "account_name": "\0", "account_slug": "\0\0\0", "account_id": "\0", "role_id": 1e300, "slug": "\0\0\0", "search": "\0"}),
        json!({"email": "x@example.com", "password": "Correct-Horse-42", "account_id": user.account_id, "role_id": i64::MAX, "profile_data": {"\0": "\0"},
            "external_id": "\0", "name": "ok", "fields": [{"name": "a", "type": "text"}], "data": {"\0": 1}}),
    ];
    let values = [
        "x",
        "%00",
        "01890000-0000-7000-8000-000000000000",
        "items",
        "-1",
        "%F0%9F%A5%A8",
    ];
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            for value in values {
                let mut path = path.clone();
                while let (Some(start), Some(end)) = (path.find('{'), path.find('}')) {
                    path.replace_range(start..=end, value);
                }
                let query = "?limit=x&skip=&page=0&page_size=x&sort=%00&sort_by=%00&search=%00&role_id=x&is_active=x&account_id=%00&filter=%00";
                let other = "?search=%00%25&account_id=%00&sort=-%00&page=9223372036854775807&page_size=100&skip=9223372036854775807";
                for target in [
                    path.clone(),
                    format!("{path}{query}"),
                    format!("{path}{other}"),
                ] {
                    // Queries matter to those who read, bodies to those who write.
                    let some = if method == Method::GET || target.len() > path.len() {
                        &bodies[..1]
                    } else {
                        &bodies[..]
                    };
                    for (caller, body) in some
                        .iter()
                        .flat_map(|body| [(&*app.admin, body), (&*user, body)])
                    {
                        if path.ends_with("/auth/logout") {
                            continue;
                        }
                        let answer = caller
                            .send(
                                caller
                                    .request(method.clone(), &format!("/{target}"))
                                    .json(body),
                            )
                            .await;
                        assert!(
                            answer.status < 500,
                            "{method} {target} {body}: {} {}",
                            answer.status,
                            answer.text
                        );
                    }
                }
            }
        }
    }
    assert_eq!(
        app.anonymous().get("//ready").await.ok(200)["status"],
        "ready"
    );
}
