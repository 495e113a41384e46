//! Misspelt names: refused by name, with the one that was probably meant. What published clients
//! send beside is taken.

use serde_json::json;

use super::start;
use crate::harness::Backend;

crate::both![
    misspelt_parameters_are_refused,
    misspelt_fields_are_refused_wherever_a_request_names_them,
    misspelt_attributes_of_definitions_are_refused,
    what_published_clients_send_is_taken,
];

async fn misspelt_parameters_are_refused(backend: Backend) {
    let (app, user) = start(backend).await;
    let id = user.create_id("items", &json!({"text": "a", "n": 1})).await;
    for (path, near) in [
        ("/records/items?filtre=n=1".to_owned(), "filter"),
        ("/records/items?lmit=1".to_owned(), "limit"),
        (
            "/records/items/aggregate?functions=count()&gruop_by=n".to_owned(),
            "group_by",
        ),
        (format!("/records/items/{id}?feilds=text"), "fields"),
        (format!("/records/items/{id}?expnad=x"), "expand"),
    ] {
        let refusal = user
            .get(&path)
            .await
            .refused(400, &format!("did you mean '{near}'"));
        assert_eq!(refusal["error"], "Unsupported query parameter");
    }
    user.get(&format!("/records/items/{id}?colour=red"))
        .await
        .refused(400, "colour");
    for (path, near) in [
        ("/collections?page_sise=2", "page_size"),
        ("/collections/export?colection_ids=x", "collection_ids"),
        ("/users?serch=x", "search"),
        ("/accounts?sort_bye=name", "sort_by"),
        ("/groups?seach=x", "search"),
        ("/invitations?status_filtre=pending", "status_filter"),
        ("/macros?lmit=1", "limit"),
        ("/admin/api-keys?offest=1", "offset"),
        ("/dashboard/stats?rnage=7d", "range"),
        ("/audit-logs?tabel_name=users", "table_name"),
        ("/audit-logs/verify?acount_id=x", "account_id"),
    ] {
        app.admin
            .get(path)
            .await
            .refused(400, &format!("did you mean '{near}'"));
    }
}

async fn misspelt_fields_are_refused_wherever_a_request_names_them(backend: Backend) {
    let (app, user) = start(backend).await;
    let id = user.create_id("items", &json!({"text": "a", "n": 1})).await;
    for (query, error) in [
        (("fields", "txet"), "Invalid fields"),
        (("fields", "n,txet"), "Invalid fields"),
        (("sort", "-txet"), "Invalid sort"),
    ] {
        let refusal = user
            .query("/records/items", &[query])
            .await
            .refused(400, "did you mean 'text'?");
        assert_eq!(refusal["error"], error);
    }
    user.get(&format!("/records/items/{id}?fields=txet"))
        .await
        .refused(400, "did you mean 'text'?");
    user.query("/records/items", &[("filter", "txet = 1")])
        .await
        .refused(400, "txet");
    user.query("/records/items", &[("expand", "txet")])
        .await
        .refused(400, "txet");
    user.query("/records/items/aggregate", &[("functions", "max(txet)")])
        .await
        .refused(400, "txet");
    for list in [
        "list_fields",
        "view_fields",
        "create_fields",
        "update_fields",
    ] {
        for names in [json!(["txet"]), json!("[\"n\", \"txet\"]")] {
            let answer = app
                .admin
                .put("/collections/items/rules", &json!({list: names}))
                .await;
            assert!(
                answer.text.contains("did you mean 'text'?"),
                "{}",
                answer.text
            );
            answer.problems(&[(list, "unknown_field")]);
            let body = json!({"name": "others", "fields": [{"name": "text", "type": "text"}, {"name": "n", "type": "number"}], list: names});
            app.admin
                .post("/collections", &body)
                .await
                .refused(400, "txet");
        }
    }
    app.rules(
        "items",
        &json!({"list_fields": ["id", "text", "account_name"], "view_fields": "*"}),
    )
    .await;
}

async fn misspelt_attributes_of_definitions_are_refused(backend: Backend) {
    let (app, _user) = start(backend).await;
    for (key, near) in [
        ("uniqe", "unique"),
        ("requierd", "required"),
        ("defualt", "default"),
        ("option", "options"),
        ("mask_tpye", "mask_type"),
        ("on_delte", "on_delete"),
        ("searchabel", "searchable"),
        ("encypted", "encrypted"),
        ("indx", "index"),
    ] {
        let field = json!({"name": "a", "type": "text", key: null});
        let place = format!("schema[0].{key}");
        let body = json!({"name": "others", "fields": [field]});
        let answer = app.admin.post("/collections", &body).await;
        assert!(
            answer.text.contains(&format!("did you mean '{near}'?")),
            "{}",
            answer.text
        );
        answer.problems(&[(&place, "unknown_attribute")]);
        let found = app
            .admin
            .post("/admin/collections/validate", &body)
            .await
            .ok(200);
        assert_eq!(found["problems"][0]["field"], place);
        let import = json!({"data": {"version": "1.0", "exported_at": "", "exported_by": "",
            "collections": [{"name": "others", "schema": [field]}]}});
        app.admin
            .post("/collections/import", &import)
            .await
            .refused(400, near);
    }
    let body =
        json!({"name": "others", "fields": [{"name": "a", "type": "text"}], "list_rulle": ""});
    app.admin
        .post("/collections", &body)
        .await
        .problems(&[("list_rulle", "unknown_attribute")]);
    app.admin
        .put("/collections/items", &json!({"veiw_rule": ""}))
        .await
        .problems(&[("veiw_rule", "unknown_attribute")]);
}

async fn what_published_clients_send_is_taken(backend: Backend) {
    let (app, _user) = start(backend).await;
    let field = json!({"name": "a", "type": "text", "label": "A", "description": "", "id": "1", "hidden": false,
        "system": false, "presentable": true});
    let body = json!({"name": "others", "fields": [field], "label": "Others", "description": "x", "type": "base"});
    let created = app.admin.post("/collections", &body).await.ok(201);
    // An answer can be sent back.
    app.admin.put("/collections/others", &created).await.ok(200);
    for path in [
        "/admin/api-keys?limit=5&offset=0",
        "/roles?limit=5&offset=0",
        "/groups?page=1&page_size=5&search=x",
        "/users?_=1",
    ] {
        app.admin.get(path).await.ok(200);
    }
}
