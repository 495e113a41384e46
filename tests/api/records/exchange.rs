//! Constraints of a batch are judged at its end: what counts is what holds then.

use serde_json::{Value, json};

use crate::harness::{Answer, Backend, TestApp, User, Ws, open};

crate::both![
    records_exchange_unique_values,
    required_unique_values_of_every_type_are_exchanged,
    a_clash_at_the_end_is_a_conflict_with_its_item_and_field,
    an_exchange_is_judged_by_the_rule_on_records_as_they_are,
    subscribers_and_trail_see_one_update_for_each_record,
    an_exchange_tells_long_and_empty_values_as_they_were,
    a_record_named_twice_gets_the_last_value,
    parents_and_children_are_deleted_in_either_order,
    records_that_refer_to_each_other_are_deleted_together,
    a_record_that_stays_refuses_and_the_item_is_named,
    what_goes_by_cascade_refuses_nothing,
];

async fn start(backend: Backend, fields: &Value, rules: &Value) -> (TestApp, User) {
    let app = TestApp::spawn(backend).await;
    app.collection("places", fields, rules).await;
    let user = app.register().await;
    (app, user)
}

fn numbered() -> Value {
    json!([{"name": "place", "type": "number", "unique": true, "required": true},
        {"name": "slug", "type": "text", "unique": true}, {"name": "title", "type": "text"}])
}

async fn three(user: &User) -> Vec<String> {
    let mut ids = Vec::new();
    for n in 1..=3 {
        ids.push(
            user.create_id(
                "places",
                &json!({"place": n, "slug": format!("s{n}"), "title": "t"}),
            )
            .await,
        );
    }
    ids
}

async fn patch(user: &User, items: &[(&str, Value)]) -> Answer {
    let items: Vec<Value> = items
        .iter()
        .map(|(id, data)| json!({"id": id, "data": data}))
        .collect();
    user.patch("/records/places/batch", &json!({"records": items}))
        .await
}

async fn field(user: &User, id: &str, name: &str) -> Value {
    user.get(&format!("/records/places/{id}")).await.ok(200)[name].clone()
}

async fn records_exchange_unique_values(backend: Backend) {
    let (_app, user) = start(backend, &numbered(), &open()).await;
    let ids = three(&user).await;
    let swap = [
        (&*ids[1], json!({"place": 1, "title": "x"})),
        (&*ids[0], json!({"place": 2})),
        (&*ids[2], json!({})),
    ];
    let answer = patch(&user, &swap).await.ok(200);
    let shown = |index: usize| {
        (
            answer["updated"][index]["id"].clone(),
            answer["updated"][index]["place"].as_f64(),
        )
    };
    assert_eq!(shown(0), (json!(ids[1]), Some(1.0)));
    assert_eq!(shown(1), (json!(ids[0]), Some(2.0)));
    assert_eq!(shown(2), (json!(ids[2]), Some(3.0)));
    assert_eq!(answer["updated"][0]["title"], "x");
    let rotate = [
        (&*ids[0], json!({"slug": "s2"})),
        (&*ids[1], json!({"slug": "s3"})),
        (&*ids[2], json!({"slug": "s1"})),
    ];
    patch(&user, &rotate).await.ok(200);
    for (id, place, slug) in [
        (&ids[0], 2.0, "s2"),
        (&ids[1], 1.0, "s3"),
        (&ids[2], 3.0, "s1"),
    ] {
        assert_eq!(field(&user, id, "place").await.as_f64(), Some(place));
        assert_eq!(field(&user, id, "slug").await, slug);
    }
    // A value that is given up by a later item, and one by an earlier one.
    patch(
        &user,
        &[
            (&ids[0], json!({"place": 3})),
            (&ids[2], json!({"place": 9})),
        ],
    )
    .await
    .ok(200);
    patch(
        &user,
        &[
            (&ids[0], json!({"place": 7})),
            (&ids[1], json!({"place": 3})),
        ],
    )
    .await
    .ok(200);
    // Setting aside leaves no trace: a required value still cannot be null.
    let refusal = patch(&user, &[(&ids[0], json!({"place": null}))])
        .await
        .refused(400, "");
    assert_eq!(refusal["details"][0]["code"], "required_null");
}

async fn required_unique_values_of_every_type_are_exchanged(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    app.collection(
        "targets",
        &json!([{"name": "n", "type": "number"}]),
        &open(),
    )
    .await;
    let user = app.register().await;
    let targets = [
        user.create_id("targets", &json!({"n": 1})).await,
        user.create_id("targets", &json!({"n": 2})).await,
    ];
    let types = [
        ("text", json!("a"), json!("b")),
        ("number", json!(1), json!(2)),
        ("boolean", json!(true), json!(false)),
        ("date", json!("2026-01-01"), json!("2026-01-02")),
        (
            "datetime",
            json!("2026-01-01T00:00:00Z"),
            json!("2026-01-02T00:00:00Z"),
        ),
        ("email", json!("a@example.com"), json!("b@example.com")),
        (
            "url",
            json!("https://a.example.com"),
            json!("https://b.example.com"),
        ),
        ("reference", json!(targets[0]), json!(targets[1])),
    ];
    for (kind, a, b) in types {
        let mut field = json!({"name": "v", "type": kind, "unique": true, "required": true});
        if kind == "reference" {
            field["collection"] = "targets".into();
            field["on_delete"] = "restrict".into();
        }
        let name = format!("of_{kind}");
        app.collection(&name, &json!([field]), &open()).await;
        let first = user.create_id(&name, &json!({"v": a})).await;
        let second = user.create_id(&name, &json!({"v": b})).await;
        let body =
            json!({"records": [{"id": first, "data": {"v": b}}, {"id": second, "data": {"v": a}}]});
        let answer = user
            .patch(&format!("/records/{name}/batch"), &body)
            .await
            .ok(200);
        let read = user.get(&format!("/records/{name}/{first}")).await.ok(200);
        assert_eq!(answer["updated"][0]["v"], read["v"], "{kind}");
        assert_ne!(
            read["v"],
            user.get(&format!("/records/{name}/{second}")).await.ok(200)["v"],
            "{kind}"
        );
    }
}

async fn a_clash_at_the_end_is_a_conflict_with_its_item_and_field(backend: Backend) {
    let (_app, user) = start(backend, &numbered(), &open()).await;
    let ids = three(&user).await;
    let swap_and_clash = [
        (&*ids[0], json!({"place": 2})),
        (
            &*ids[1],
            json!({"place": 1, "slug": "s3", "title": "changed"}),
        ),
    ];
    let refusal = patch(&user, &swap_and_clash).await.refused(409, "slug");
    assert_eq!(
        (&refusal["index"], &refusal["field"]),
        (&json!(1), &json!("slug"))
    );
    let same = [
        (&*ids[0], json!({"place": 8})),
        (&*ids[1], json!({"place": 8})),
    ];
    let refusal = patch(&user, &same).await.refused(409, "place");
    assert_eq!(
        (&refusal["index"], &refusal["field"]),
        (&json!(1), &json!("place"))
    );
    let gone = [
        (&*ids[0], json!({"place": 2})),
        ("01890000-0000-7000-8000-000000000000", json!({"place": 1})),
    ];
    assert_eq!(patch(&user, &gone).await.refused(404, "")["index"], 1);
    for (index, id) in ids.iter().enumerate() {
        let place = u32::try_from(index + 1).unwrap();
        assert_eq!(
            field(&user, id, "place").await.as_f64(),
            Some(f64::from(place))
        );
        assert_eq!(field(&user, id, "title").await, "t");
    }
}

async fn an_exchange_is_judged_by_the_rule_on_records_as_they_are(backend: Backend) {
    let mut rules = open();
    rules["update_rule"] = "place < 3 && @request.data.place < 3 && title = 't'".into();
    let (_app, user) = start(backend, &numbered(), &rules).await;
    let ids = three(&user).await;
    patch(
        &user,
        &[
            (&ids[0], json!({"place": 2})),
            (&ids[1], json!({"place": 1})),
        ],
    )
    .await
    .ok(200);
    // The third record is out of the rule's reach, and so is its value.
    let refusal = patch(
        &user,
        &[
            (&ids[0], json!({"place": 1})),
            (&ids[2], json!({"place": 2})),
        ],
    )
    .await
    .refused(404, "");
    assert_eq!(refusal["index"], 1);
    assert_eq!(field(&user, &ids[2], "place").await.as_f64(), Some(3.0));
}

async fn subscribers_and_trail_see_one_update_for_each_record(backend: Backend) {
    let (app, user) = start(backend, &numbered(), &open()).await;
    let ids = three(&user).await;
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "places", "filter": "place < 3", "ref": "few"})).await;
    ws.next_of("subscribed").await;
    // Each changes for another reason, and the second one leaves the filter for good.
    let items = [
        (&*ids[0], json!({"place": 2, "title": "first"})),
        (&*ids[2], json!({"place": 1, "title": "third"})),
        (&*ids[1], json!({"place": 3, "title": "second"})),
    ];
    patch(&user, &items).await.ok(200);
    let last = user
        .create_id("places", &json!({"place": -1, "slug": "end"}))
        .await;
    let mut heard = Vec::new();
    loop {
        let frame = ws.frame().await;
        if frame["id"] == last.as_str() {
            break;
        }
        if frame["operation"].is_string() {
            heard.push((
                frame["id"].as_str().unwrap().to_owned(),
                frame["operation"].as_str().unwrap().to_owned(),
                frame["data"]["place"].as_f64(),
            ));
        }
    }
    let operation = |id: &str| {
        heard
            .iter()
            .filter(|(heard, _, _)| heard == id)
            .collect::<Vec<_>>()
    };
    assert_eq!(heard.len(), 3, "{heard:?}");
    assert_eq!(
        (&*operation(&ids[0])[0].1, operation(&ids[0])[0].2),
        ("update", Some(2.0))
    );
    assert_eq!(operation(&ids[2])[0].2, Some(1.0));
    assert_eq!(operation(&ids[1])[0].1, "delete");
    // Nobody can see that values were set aside, neither in the log …
    let trail = async || {
        let entries = app
            .admin
            .query("/audit-logs", &[("record_id", &ids[0]), ("limit", "100")])
            .await
            .ok(200);
        entries["items"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|entry| entry["operation"] == "UPDATE")
            .cloned()
            .collect()
    };
    let mut entries: Vec<Value> = trail().await;
    while entries.is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        entries = trail().await;
    }
    // … nor in the trail.
    let of = |column: &str| {
        let entry = entries.iter().find(|entry| entry["column_name"] == column);
        entry.map(|entry| (entry["old_value"].clone(), entry["new_value"].clone()))
    };
    let (old, new) = of("place").unwrap_or_else(|| panic!("{entries:?}"));
    let number = |value: &Value| {
        value
            .as_f64()
            .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
    };
    assert_eq!(
        (number(&old), number(&new)),
        (Some(1.0), Some(2.0)),
        "{entries:?}"
    );
    assert!(of("slug").is_none(), "{entries:?}");
}

async fn an_exchange_tells_long_and_empty_values_as_they_were(backend: Backend) {
    let fields = json!([{"name": "slug", "type": "text", "unique": true}, {"name": "title", "type": "text"},
        {"name": "body", "type": "text"}, {"name": "data", "type": "json"}]);
    let (_app, user) = start(backend, &fields, &open()).await;
    let long = |letter: &str| letter.repeat(6000);
    let first =
        json!({"slug": "s", "title": long("a"), "body": long("b"), "data": {"x": long("c")}});
    let second = json!({"title": "short", "body": long("d"), "data": {"x": 1}});
    let ids = [
        user.create_id("places", &first).await,
        user.create_id("places", &second).await,
    ];
    let before = [read(&user, &ids[0]).await, read(&user, &ids[1]).await];
    let mut ws = Ws::connect(&user).await;
    ws.send(&json!({"action": "subscribe", "collection": "places", "old": true, "ref": "all"}))
        .await;
    ws.next_of("subscribed").await;
    // The second record takes the first one's slug, which becomes null; each changes one long value
    // and keeps another.
    let items = [
        (&*ids[1], json!({"slug": "s", "title": long("e")})),
        (&*ids[0], json!({"slug": "t", "data": {"x": long("f")}})),
        (&*ids[0], json!({"slug": null, "title": "now short"})),
    ];
    patch(&user, &items).await.ok(200);
    for _ in 0..2 {
        let event = ws.next_of("places.update").await;
        let index = usize::from(event["id"] == ids[1].as_str());
        assert_eq!(event["old"], before[index], "the record as it was");
        assert_eq!(
            event["data"],
            read(&user, &ids[index]).await,
            "the record as it is"
        );
    }
    let last = user.create_id("places", &json!({"slug": "end"})).await;
    assert_eq!(ws.frame().await["id"], last.as_str());
}

async fn read(user: &User, id: &str) -> Value {
    let mut record = user.get(&format!("/records/places/{id}")).await.ok(200);
    record["account_name"] = Value::Null;
    record
}

async fn a_record_named_twice_gets_the_last_value(backend: Backend) {
    let (_app, user) = start(backend, &numbered(), &open()).await;
    let ids = three(&user).await;
    let items = [
        (&*ids[0], json!({"place": 2})),
        (&*ids[1], json!({"place": 1, "slug": "other"})),
        (&*ids[0], json!({"place": 5, "title": "last"})),
    ];
    patch(&user, &items).await.ok(200);
    assert_eq!(field(&user, &ids[0], "place").await.as_f64(), Some(5.0));
    assert_eq!(field(&user, &ids[0], "title").await, "last");
    assert_eq!(field(&user, &ids[1], "place").await.as_f64(), Some(1.0));
    assert_eq!(field(&user, &ids[1], "slug").await, "other");
}

fn tree() -> Value {
    json!([{"name": "parent", "type": "reference", "collection": "places", "on_delete": "restrict"}])
}

async fn delete(user: &User, ids: &[&str]) -> Answer {
    user.delete_with("/records/places/batch", &json!({"ids": ids}))
        .await
}

async fn parents_and_children_are_deleted_in_either_order(backend: Backend) {
    let (_app, user) = start(backend, &tree(), &open()).await;
    for reversed in [false, true] {
        let parent = user.create_id("places", &json!({})).await;
        let child = user.create_id("places", &json!({"parent": parent})).await;
        let grandchild = user.create_id("places", &json!({"parent": child})).await;
        let mut ids = [&*parent, &*child, &*grandchild];
        if reversed {
            ids.reverse();
        }
        let answer = delete(&user, &ids).await.ok(200);
        assert_eq!(answer, json!({"deleted": ids, "count": 3}));
    }
}

async fn records_that_refer_to_each_other_are_deleted_together(backend: Backend) {
    let (_app, user) = start(backend, &tree(), &open()).await;
    let first = user.create_id("places", &json!({})).await;
    let second = user.create_id("places", &json!({"parent": first})).await;
    user.patch(
        &format!("/records/places/{first}"),
        &json!({"parent": second}),
    )
    .await
    .ok(200);
    user.delete(&format!("/records/places/{first}"))
        .await
        .refused(409, "");
    delete(&user, &[&first]).await.refused(409, "");
    delete(&user, &[&first, &second]).await.ok(200);
    user.get(&format!("/records/places/{first}"))
        .await
        .refused(404, "");
}

async fn a_record_that_stays_refuses_and_the_item_is_named(backend: Backend) {
    let (app, user) = start(backend, &tree(), &open()).await;
    let field = json!({"name": "place", "type": "reference", "collection": "places", "on_delete": "restrict"});
    app.collection("visits", &json!([field]), &open()).await;
    let parent = user.create_id("places", &json!({})).await;
    let child = user.create_id("places", &json!({"parent": parent})).await;
    let other = user.create_id("places", &json!({})).await;
    let visit = user.create_id("visits", &json!({"place": other})).await;
    assert_eq!(
        delete(&user, &[&parent, &other, &child])
            .await
            .refused(409, "")["index"],
        1
    );
    let stays = user.create_id("places", &json!({"parent": child})).await;
    assert_eq!(
        delete(&user, &[&parent, &child]).await.refused(409, "")["index"],
        1
    );
    user.get(&format!("/records/places/{parent}")).await.ok(200);
    user.delete(&format!("/records/visits/{visit}"))
        .await
        .ok(204);
    delete(&user, &[&parent, &other, &stays, &child])
        .await
        .ok(200);
}

/// Deleting the first record deletes its visit, which alone keeps the second one.
async fn what_goes_by_cascade_refuses_nothing(backend: Backend) {
    let (app, user) = start(backend, &json!([{"name": "n", "type": "number"}]), &open()).await;
    let field = |name: &str, on_delete: &str| json!({"name": name, "type": "reference", "collection": "places", "on_delete": on_delete});
    app.collection(
        "visits",
        &json!([field("goes_with", "cascade"), field("keeps", "restrict")]),
        &open(),
    )
    .await;
    for reversed in [false, true] {
        let first = user.create_id("places", &json!({"n": 1})).await;
        let second = user.create_id("places", &json!({"n": 2})).await;
        user.create_id("visits", &json!({"goes_with": first, "keeps": second}))
            .await;
        let ids = if reversed {
            [&*second, &*first]
        } else {
            [&*first, &*second]
        };
        delete(&user, &ids).await.ok(200);
    }
    assert_eq!(user.get("/records/visits").await.ok(200)["total"], 0);
}
