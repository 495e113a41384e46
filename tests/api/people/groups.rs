//! Groups of an account's users, and who may change them.

use serde_json::{Value, json};

use crate::harness::{Backend, TestApp, User, Ws};

crate::both![
    groups_are_created_listed_changed_and_deleted,
    members_come_and_go,
    groups_are_changed_by_those_who_administer_the_account,
    where_it_is_configured_every_user_changes_groups,
    nobody_gives_oneself_the_sight_of_personal_data,
    membership_counts_at_once,
    groups_stay_inside_their_account,
    superadmins_reach_the_groups_of_every_account,
    bad_groups_are_refused,
];

async fn group(user: &User, name: &str) -> String {
    let group = user
        .post("/groups", &json!({"name": name, "description": "Some"}))
        .await
        .ok(201);
    format!("/groups/{}", group["id"].as_str().unwrap())
}

async fn groups_are_created_listed_changed_and_deleted(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let made = owner
        .post(
            "/groups",
            &json!({"name": "editors", "description": "Editors"}),
        )
        .await
        .ok(201);
    assert_eq!(
        (&made["account_id"], &made["member_count"]),
        (&json!(owner.account_id), &json!(0))
    );
    assert_eq!(
        (&made["users"], &made["is_system"]),
        (&json!([]), &json!(false))
    );
    let path = format!("/groups/{}", made["id"].as_str().unwrap());
    assert_eq!(owner.get(&path).await.ok(200), made);
    owner
        .post("/groups", &json!({"name": "editors"}))
        .await
        .refused(409, "");
    let list = owner.get("/groups").await.ok(200);
    let names: Vec<&Value> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|group| &group["name"])
        .collect();
    assert_eq!(names, [&json!("pii_access"), &json!("editors")]);
    assert_eq!(
        (&list[0]["is_system"], &list[0]["member_count"]),
        (&json!(true), &json!(1))
    );
    assert!(list[0].get("users").is_none());
    assert_eq!(
        owner.get("/groups?skip=1&limit=1").await.ok(200)[0]["name"],
        "editors"
    );
    let page = owner.get("/groups?page=2&page_size=1").await.ok(200);
    assert_eq!(
        (&page["total"], &page["page"], &page["items"][0]["name"]),
        (&json!(2), &json!(2), &json!("editors"))
    );
    assert_eq!(
        owner
            .get("/groups?search=EDIT")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let changed = owner
        .patch(&path, &json!({"description": "New"}))
        .await
        .ok(200);
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("editors"), &json!("New"))
    );
    assert_eq!(
        owner
            .patch(&path, &json!({"name": "writers"}))
            .await
            .ok(200)["description"],
        "New"
    );
    owner
        .patch(&path, &json!({"name": "pii_access"}))
        .await
        .refused(422, "pii_access");
    owner.delete(&path).await.ok(204);
    owner.get(&path).await.refused(404, "");
}

async fn members_come_and_go(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let path = group(&owner, "editors").await;
    let body = json!({"user_id": colleague.id});
    owner.post(&format!("{path}/users"), &body).await.ok(201);
    owner
        .post(&format!("{path}/users"), &body)
        .await
        .refused(409, "");
    let detail = colleague.get(&path).await.ok(200);
    assert_eq!(
        (&detail["member_count"], &detail["users"][0]["id"]),
        (&json!(1), &json!(colleague.id))
    );
    // What is between a user and those who administer the account stays there.
    assert_eq!(detail["users"][0]["last_login"], json!(null));
    assert!(owner.get(&path).await.ok(200)["users"][0]["last_login"].is_string());
    assert_eq!(detail["users"][0]["groups"], json!(["editors"]));
    assert!(!detail.to_string().contains("argon2"), "{detail}");
    for _ in 0..2 {
        owner
            .delete(&format!("{path}/users/{}", colleague.id))
            .await
            .ok(204);
    }
    owner
        .delete(&format!("{path}/users/nonsense"))
        .await
        .ok(204);
    assert_eq!(owner.get(&path).await.ok(200)["users"], json!([]));
    for body in [
        json!({"user_id": "nosuch"}),
        json!({"user_id": app.admin.id}),
        json!({"user_id": owner.account_id}),
    ] {
        owner
            .post(&format!("{path}/users"), &body)
            .await
            .refused(404, "User");
    }
    owner
        .post(&format!("{path}/users"), &json!({}))
        .await
        .refused(422, "");
    // Older clients.
    owner
        .post(
            &format!("{path}/members"),
            &json!({"user_id": colleague.id}),
        )
        .await
        .ok(201);
    owner
        .delete(&format!("{path}/members/{}", colleague.id))
        .await
        .ok(204);
    assert_eq!(owner.get(&path).await.ok(200)["users"], json!([]));
}

/// Every change of groups, with the status that it is answered with.
async fn tries(caller: &User, path: &str, somebody: &User) -> Vec<u16> {
    let users = format!("{path}/users");
    vec![
        caller
            .post("/groups", &json!({"name": "others"}))
            .await
            .status,
        caller
            .patch(path, &json!({"description": "x"}))
            .await
            .status,
        caller
            .post(&users, &json!({"user_id": somebody.id}))
            .await
            .status,
        caller
            .delete(&format!("{users}/{}", somebody.id))
            .await
            .status,
        caller.delete(path).await.status,
    ]
}

async fn groups_are_changed_by_those_who_administer_the_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let path = group(&owner, "editors").await;
    assert_eq!(tries(&colleague, &path, &colleague).await, [403; 5]);
    colleague.delete(&path).await.refused(403, "admin");
    // They see them.
    assert_eq!(
        colleague
            .get("/groups")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .len(),
        2
    );
    colleague.get(&path).await.ok(200);
    app.admin
        .patch(
            &format!("/users/{}", colleague.id),
            &json!({"role": "admin"}),
        )
        .await
        .ok(200);
    assert_eq!(
        tries(&colleague, &path, &colleague).await,
        [201, 200, 201, 204, 204]
    );
    app.anonymous().get("/groups").await.refused(401, "");
    app.visitor_of(&owner).get("/groups").await.refused(401, "");
}

async fn where_it_is_configured_every_user_changes_groups(backend: Backend) {
    let app =
        TestApp::spawn_with(backend, |config| config.auth.account_admin_required = false).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let path = group(&owner, "editors").await;
    assert_eq!(
        tries(&colleague, &path, &colleague).await,
        [201, 200, 201, 204, 204]
    );
    // But nobody gets more than the own rights.
    let pii = owner.get("/groups?search=pii_access").await.ok(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    colleague
        .post(
            &format!("/groups/{pii}/users"),
            &json!({"user_id": colleague.id}),
        )
        .await
        .refused(403, "pii_access");
    let email = "friend@example.com";
    colleague
        .post("/invitations", &json!({"email": email, "role": "admin"}))
        .await
        .refused(403, "");
    colleague
        .post(
            "/invitations",
            &json!({"email": email, "groups": ["pii_access"]}),
        )
        .await
        .refused(403, "");
    colleague
        .post("/invitations", &json!({"email": email}))
        .await
        .ok(201);
}

async fn nobody_gives_oneself_the_sight_of_personal_data(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let other = app.colleague_of(&owner).await;
    app.admin
        .patch(&format!("/users/{}", other.id), &json!({"role": "admin"}))
        .await
        .ok(200);
    let pii = owner.get("/groups?search=pii_access").await.ok(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let pii = format!("/groups/{pii}");
    for user in [&other, &owner] {
        other
            .post(&format!("{pii}/users"), &json!({"user_id": user.id}))
            .await
            .refused(403, "pii_access");
    }
    let invitation =
        json!({"email": "friend@example.com", "groups": [pii.trim_start_matches("/groups/")]});
    other
        .post("/invitations", &invitation)
        .await
        .refused(403, "pii_access");
    let own = group(&other, "mine").await;
    other
        .patch(&own, &json!({"name": "pii_access"}))
        .await
        .refused(422, "");
    other
        .patch(&pii, &json!({"name": "old"}))
        .await
        .refused(422, "");
    other.delete(&pii).await.refused(422, "");
    other
        .post("/groups", &json!({"name": "pii_access"}))
        .await
        .refused(409, "");
    assert_eq!(owner.get(&pii).await.ok(200)["member_count"], 1);
    // Whoever has the sight can share it.
    owner
        .post(&format!("{pii}/users"), &json!({"user_id": other.id}))
        .await
        .ok(201);
    assert_eq!(
        other.get("/auth/me").await.ok(200)["user"]["groups"],
        json!(["pii_access"])
    );
}

async fn membership_counts_at_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let fields = json!([{"name": "phone", "type": "text", "pii": true, "mask_type": "full"}]);
    let rules = json!({"list_rule": "@has_group('readers')", "create_rule": "", "view_rule": "@has_group('readers')"});
    app.collection("people", &fields, &rules).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let readers = group(&owner, "readers").await;
    let pii = owner.get("/groups?search=pii_access").await.ok(200)[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let join = async |path: &str| {
        owner
            .post(&format!("{path}/users"), &json!({"user_id": colleague.id}))
            .await
            .ok(201);
    };
    let phone = json!({"phone": "555-1234"});
    owner.create("people", &phone).await;
    assert_eq!(colleague.get("/records/people").await.ok(200)["total"], 0);
    let mut ws = Ws::connect(&colleague).await;
    ws.subscribe("people").await;
    join(&readers).await;
    let seen = colleague.get("/records/people").await.ok(200)["items"][0]["phone"].clone();
    assert!(seen.is_string() && seen != "555-1234", "{seen}");
    // What the connection hears follows soon; the list says that the change has been committed.
    join(&format!("/groups/{pii}")).await;
    assert_eq!(
        colleague.get("/records/people").await.ok(200)["items"][0]["phone"],
        "555-1234"
    );
    owner.create("people", &phone).await;
    assert_eq!(ws.expect_event("people.create").await["phone"], "555-1234");
    owner.delete(&readers).await.ok(204);
    assert_eq!(colleague.get("/records/people").await.ok(200)["total"], 0);
    assert_eq!(
        colleague.get("/auth/me").await.ok(200)["user"]["groups"],
        json!(["pii_access"])
    );
}

async fn groups_stay_inside_their_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (mine, theirs) = (app.register().await, app.register().await);
    let path = group(&theirs, "theirs").await;
    let own = group(&mine, "mine").await;
    assert_eq!(tries(&mine, &path, &mine).await[1..], [404; 4]);
    mine.get(&path).await.refused(404, "");
    mine.post(&format!("{own}/users"), &json!({"user_id": theirs.id}))
        .await
        .refused(404, "User");
    let foreign = json!({"name": "planted", "account_id": theirs.account_id});
    mine.post("/groups", &foreign).await.refused(403, "");
    mine.post(
        "/groups",
        &json!({"name": "own", "account_id": mine.account_id}),
    )
    .await
    .ok(201);
    let list = mine
        .get(&format!("/groups?account_id={}", theirs.account_id))
        .await
        .ok(200);
    assert!(
        list.as_array()
            .unwrap()
            .iter()
            .all(|group| group["account_id"] == mine.account_id.as_str()),
        "{list}"
    );
    assert_eq!(
        theirs
            .get("/groups")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .len(),
        2
    );
}

async fn superadmins_reach_the_groups_of_every_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (a, b) = (app.register().await, app.register().await);
    assert_eq!(
        app.admin
            .get("/groups")
            .await
            .ok(200)
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let made = app
        .admin
        .post(
            "/groups",
            &json!({"name": "made", "account_id": a.account_slug}),
        )
        .await
        .ok(201);
    assert_eq!(made["account_id"], a.account_id.as_str());
    let list = app
        .admin
        .get(&format!("/groups?account_id={}", a.account_id))
        .await
        .ok(200);
    assert_eq!(list.as_array().unwrap().len(), 2);
    let users = format!("/groups/{}/users", made["id"].as_str().unwrap());
    app.admin
        .post(&users, &json!({"user_id": b.id}))
        .await
        .refused(404, "");
    app.admin
        .post(&users, &json!({"user_id": a.id}))
        .await
        .ok(201);
    app.admin
        .post("/groups", &json!({"name": "x", "account_id": "nowhere"}))
        .await
        .refused(404, "");
    app.admin
        .get("/groups?account_id=nowhere")
        .await
        .refused(404, "");
    // An account that a superadmin makes has the group as well.
    let account = app
        .admin
        .post("/accounts", &json!({"name": "Made"}))
        .await
        .ok(201);
    let list = app
        .admin
        .get(&format!(
            "/groups?account_id={}",
            account["id"].as_str().unwrap()
        ))
        .await
        .ok(200);
    assert_eq!(
        (&list[0]["name"], &list[0]["member_count"]),
        (&json!("pii_access"), &json!(0))
    );
}

async fn bad_groups_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let path = group(&owner, "editors").await;
    for body in [
        json!({}),
        json!({"name": " "}),
        json!({"name": "a".repeat(101)}),
        json!({"name": "a\0b"}),
        json!({"name": "a", "description": "a".repeat(501)}),
        json!({"name": 5}),
    ] {
        owner.post("/groups", &body).await.refused(422, "");
    }
    for body in [
        json!({"name": ""}),
        json!({"description": "a".repeat(501)}),
        json!({"description": "\0"}),
    ] {
        owner.patch(&path, &body).await.refused(422, "");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "skip=-1",
        "page=0",
        "page_size=101",
        "page=x",
    ] {
        owner
            .get(&format!("/groups?{query}"))
            .await
            .refused(422, "");
    }
    owner.get("/groups/nosuch").await.refused(404, "");
    owner
        .patch(&path, &json!({"name": "pii_access"}))
        .await
        .refused(422, "");
    let other = group(&owner, "others").await;
    owner
        .patch(&other, &json!({"name": "editors"}))
        .await
        .refused(409, "");
}
