//! Invitations: from a link to a user.

use serde_json::{Value, json};
use snackbase::mail::Kind;

use crate::harness::{Backend, PASSWORD, TestApp, User, eventually};

crate::both![
    an_invitation_leads_to_a_session,
    the_token_is_told_once_and_not_kept,
    a_role_and_groups_are_waiting_for_the_guest,
    a_new_link_voids_the_one_before,
    an_invitation_is_accepted_once,
    invitations_that_are_over_are_told_from_others,
    invitations_are_made_by_those_who_administer_the_account,
    invitations_stay_inside_their_account,
    whoever_is_there_already_is_not_invited,
    bad_invitations_are_refused,
    the_link_in_the_mail_leads_to_a_page,
    guesses_are_throttled,
];

const GUEST: &str = "guest@example.com";

async fn invite(user: &User, body: &Value) -> (String, String) {
    let made = user.post("/invitations", body).await.ok(201);
    (
        made["id"].as_str().unwrap().to_owned(),
        made["token"].as_str().unwrap().to_owned(),
    )
}

fn password() -> Value {
    json!({"password": PASSWORD})
}

async fn an_invitation_leads_to_a_session(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let made = owner
        .post("/invitations", &json!({"email": "Guest@Example.com"}))
        .await
        .ok(201);
    for (key, value) in [
        ("email", json!(GUEST)),
        ("status", json!("pending")),
        ("account_id", json!(owner.account_id)),
        ("invited_by", json!(owner.id)),
        ("accepted_at", json!(null)),
        ("email_sent", json!(false)),
        ("role", json!("user")),
        ("groups", json!([])),
    ] {
        assert_eq!(made[key], value, "{key}: {made}");
    }
    let token = made["token"].as_str().unwrap();
    assert!(
        token.len() == 64 && token.bytes().all(|b| b.is_ascii_hexdigit()),
        "{token}"
    );
    let details = app
        .anonymous()
        .get(&format!("/invitations/{token}"))
        .await
        .ok(200);
    assert_eq!(
        (&details["email"], &details["is_valid"]),
        (&json!(GUEST), &json!(true))
    );
    assert_eq!(
        (&details["account_name"], &details["invited_by_name"]),
        (&json!(owner.account_slug), &json!(owner.email))
    );
    let session = app
        .anonymous()
        .post(&format!("/invitations/{token}/accept"), &password())
        .await
        .ok(200);
    assert_eq!(
        (&session["user"]["email"], &session["account"]["id"]),
        (&json!(GUEST), &json!(owner.account_id))
    );
    assert_eq!(
        (&session["user"]["role"], &session["user"]["email_verified"]),
        (&json!("user"), &json!(true))
    );
    let guest = app.anonymous().user(&session);
    assert_eq!(
        guest.get("/auth/me").await.ok(200)["account_id"],
        owner.account_id.as_str()
    );
    app.anonymous()
        .login(&owner.account_slug, GUEST, PASSWORD)
        .await;
    let list = owner.get("/invitations").await.ok(200);
    assert_eq!(
        (&list["total"], &list["invitations"][0]["status"]),
        (&json!(1), &json!("accepted"))
    );
}

async fn the_token_is_told_once_and_not_kept(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    for caller in [&owner, &app.admin] {
        let list = caller.get("/invitations").await.ok(200);
        assert_eq!(list["total"], 1);
        assert!(
            !list.to_string().contains(&token) && list["invitations"][0].get("token").is_none(),
            "{list}"
        );
    }
    let mail = app.services().accounts.mailer().newest_to(GUEST).unwrap();
    assert!(
        mail.token.starts_with(&format!("{token}-")),
        "with a proof that only the mail has: {}",
        mail.token
    );
    assert_eq!(
        mail.kind,
        Kind::Invitation {
            account_name: owner.account_slug.clone(),
            invited_by: owner.email.clone()
        }
    );
}

async fn a_role_and_groups_are_waiting_for_the_guest(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    app.admin
        .post("/roles", &json!({"name": "editor"}))
        .await
        .ok(201);
    let group = owner
        .post("/groups", &json!({"name": "writers"}))
        .await
        .ok(201);
    let gone = owner
        .post("/groups", &json!({"name": "gone"}))
        .await
        .ok(201);
    let body = json!({"email": GUEST, "role_id": "3", "groups": [group["id"], "pii_access", "pii_access", "gone"]});
    let (_, token) = invite(&owner, &body).await;
    let list = owner.get("/invitations").await.ok(200);
    assert_eq!(
        (
            &list["invitations"][0]["role"],
            &list["invitations"][0]["role_id"]
        ),
        (&json!("editor"), &json!(3))
    );
    owner
        .delete(&format!("/groups/{}", gone["id"].as_str().unwrap()))
        .await
        .ok(204);
    let session = app
        .anonymous()
        .post(&format!("/invitations/{token}/accept"), &password())
        .await
        .ok(200);
    assert_eq!(session["user"]["role"], "editor");
    assert_eq!(session["user"]["groups"], json!(["pii_access", "writers"]));
}

async fn a_new_link_voids_the_one_before(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let (id, first) = invite(&owner, &json!({"email": GUEST})).await;
    let resent = owner
        .post(&format!("/invitations/{id}/resend"), &json!({}))
        .await
        .ok(200);
    let second = resent["token"].as_str().unwrap();
    assert!(resent["message"].is_string());
    let anonymous = app.anonymous();
    anonymous
        .get(&format!("/invitations/{first}"))
        .await
        .refused(404, "");
    anonymous
        .post(&format!("/invitations/{first}/accept"), &password())
        .await
        .refused(404, "");
    anonymous
        .get(&format!("/invitations/{second}"))
        .await
        .ok(200);
    owner.delete(&format!("/invitations/{id}")).await.ok(204);
    anonymous
        .get(&format!("/invitations/{second}"))
        .await
        .refused(404, "");
    anonymous
        .post(&format!("/invitations/{second}/accept"), &password())
        .await
        .refused(404, "");
    owner
        .delete(&format!("/invitations/{id}"))
        .await
        .refused(404, "");
    owner
        .post(&format!("/invitations/{id}/resend"), &json!({}))
        .await
        .refused(404, "");
}

async fn an_invitation_is_accepted_once(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    let (path, anonymous, body) = (
        format!("/invitations/{token}/accept"),
        app.anonymous(),
        password(),
    );
    let answers =
        futures_util::future::join_all((0..4).map(|_| anonymous.post(&path, &body))).await;
    let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 404, 404, 404]);
    assert_eq!(
        anonymous
            .get(&format!("/invitations/{token}"))
            .await
            .refused(400, "")["error"],
        "Already accepted"
    );
    let users = app
        .admin
        .get(&format!("/accounts/{}/users", owner.account_id))
        .await
        .ok(200);
    assert_eq!(users["total"], 2);
}

async fn invitations_that_are_over_are_told_from_others(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| config.auth.invitation_seconds = 1).await;
    let owner = app.register().await;
    let (id, token) = invite(&owner, &json!({"email": GUEST})).await;
    let path = format!("/invitations/{token}");
    eventually("the invitation to expire", async || {
        app.anonymous().get(&path).await.status == 400
    })
    .await;
    assert_eq!(
        app.anonymous().get(&path).await.refused(400, "")["error"],
        "Expired"
    );
    app.anonymous()
        .post(&format!("/invitations/{token}/accept"), &password())
        .await
        .refused(404, "");
    owner
        .post(&format!("/invitations/{id}/resend"), &json!({}))
        .await
        .refused(400, "");
    for (status, total) in [
        ("pending", 0),
        ("expired", 1),
        ("accepted", 0),
        ("cancelled", 0),
    ] {
        let list = owner
            .get(&format!("/invitations?status_filter={status}"))
            .await
            .ok(200);
        assert_eq!(list["total"], total, "{status}: {list}");
        assert!(
            list["invitations"]
                .as_array()
                .unwrap()
                .iter()
                .all(|invitation| invitation["status"] == status)
        );
    }
    // The address can be invited anew.
    let (again, _) = invite(&owner, &json!({"email": GUEST})).await;
    let list = owner.get("/invitations").await.ok(200);
    assert_eq!(
        (&list["total"], &list["invitations"][0]["id"]),
        (&json!(1), &json!(again))
    );
}

async fn invitations_are_made_by_those_who_administer_the_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let colleague = app.colleague_of(&owner).await;
    let (id, _) = invite(&owner, &json!({"email": GUEST})).await;
    colleague
        .post("/invitations", &json!({"email": "x@example.com"}))
        .await
        .refused(403, "admin");
    colleague
        .post(&format!("/invitations/{id}/resend"), &json!({}))
        .await
        .refused(403, "");
    colleague
        .delete(&format!("/invitations/{id}"))
        .await
        .refused(403, "");
    colleague.get("/invitations").await.refused(403, "admin");
    let anonymous = app.anonymous();
    anonymous.get("/invitations").await.refused(401, "");
    anonymous
        .post("/invitations", &json!({"email": GUEST}))
        .await
        .refused(401, "");
    anonymous
        .delete(&format!("/invitations/{id}"))
        .await
        .refused(401, "");
}

async fn invitations_stay_inside_their_account(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let (mine, theirs) = (app.register().await, app.register().await);
    let (id, _) = invite(&theirs, &json!({"email": GUEST})).await;
    mine.post(&format!("/invitations/{id}/resend"), &json!({}))
        .await
        .refused(404, "");
    mine.delete(&format!("/invitations/{id}"))
        .await
        .refused(404, "");
    assert_eq!(
        mine.get(&format!("/invitations?account_id={}", theirs.account_id))
            .await
            .ok(200)["total"],
        0
    );
    let planted = json!({"email": "x@example.com", "account_id": theirs.account_id});
    let body = mine.post("/invitations", &planted).await.refused(403, "");
    assert!(
        !body.to_string().contains("superadmin") && !body.to_string().contains("restricted"),
        "{body}"
    );
    // The same address can be asked by several, and superadmins ask for anyone.
    invite(&mine, &json!({"email": GUEST})).await;
    assert_eq!(app.admin.get("/invitations").await.ok(200)["total"], 2);
    app.admin.post("/invitations", &planted).await.ok(201);
    let list = app
        .admin
        .get(&format!(
            "/invitations?account_id={}&page_size=1",
            theirs.account_id
        ))
        .await
        .ok(200);
    assert_eq!(
        (&list["total"], &list["invitations"][0]["email"]),
        (&json!(2), &json!("x@example.com"))
    );
}

async fn whoever_is_there_already_is_not_invited(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    owner
        .post(
            "/invitations",
            &json!({"email": owner.email.to_uppercase()}),
        )
        .await
        .refused(400, "exists");
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    owner
        .post("/invitations", &json!({"email": GUEST}))
        .await
        .refused(409, "pending");
    let user =
        json!({"email": GUEST, "password": PASSWORD, "account_id": owner.account_id, "role_id": 2});
    app.admin.post("/users", &user).await.ok(201);
    app.anonymous()
        .post(&format!("/invitations/{token}/accept"), &password())
        .await
        .refused(409, "");
    assert_eq!(
        owner.get("/invitations").await.ok(200)["invitations"][0]["status"],
        "pending"
    );
}

async fn bad_invitations_are_refused(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    for (body, status) in [
        (json!({}), 422),
        (json!({"email": "nope"}), 422),
        (json!({"email": GUEST, "groups": ["nosuch"]}), 422),
        (json!({"email": GUEST, "groups": vec!["x"; 51]}), 400),
        (json!({"email": GUEST, "role_id": 99}), 404),
        (json!({"email": GUEST, "role": "nosuch"}), 404),
        (json!({"email": GUEST, "role_id": []}), 422),
    ] {
        owner.post("/invitations", &body).await.refused(status, "");
    }
    owner
        .get("/invitations?status_filter=lost")
        .await
        .refused(422, "");
    // Superadmins are made on purpose, never by an invitation.
    for body in [
        json!({"email": GUEST}),
        json!({"email": GUEST, "account_id": "system"}),
    ] {
        app.admin
            .post("/invitations", &body)
            .await
            .refused(422, "POST /users");
    }
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    let path = format!("/invitations/{token}/accept");
    for (body, status) in [
        (json!({}), 422),
        (json!({"password": "short"}), 422),
        (json!({"password": "long enough but weak"}), 400),
    ] {
        app.anonymous().post(&path, &body).await.refused(status, "");
    }
    app.anonymous().post(&path, &password()).await.ok(200);
}

async fn the_link_in_the_mail_leads_to_a_page(backend: Backend) {
    let app = TestApp::spawn(backend).await;
    let owner = app.register().await;
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    let anonymous = app.anonymous();
    for _ in 0..2 {
        let page = anonymous
            .get(&format!("//accept-invitation?token={token}"))
            .await;
        assert!(
            page.status == 200 && page.text.contains(GUEST),
            "{}",
            page.text
        );
    }
    let request = anonymous
        .request(reqwest::Method::POST, "//accept-invitation")
        .body(format!("token={token}&new_password={PASSWORD}"));
    assert_eq!(anonymous.send(request).await.status, 200);
    anonymous.login(&owner.account_slug, GUEST, PASSWORD).await;
    assert_eq!(
        anonymous
            .get(&format!("//accept-invitation?token={token}"))
            .await
            .status,
        400
    );
    assert_eq!(
        anonymous.get("//accept-invitation?token=x").await.status,
        404
    );
}

async fn guesses_are_throttled(backend: Backend) {
    let app = TestApp::spawn_with(backend, |config| {
        config.limits.login_failures_per_address = 3;
    })
    .await;
    let anonymous = app.anonymous();
    let owner = app.register().await;
    let (_, token) = invite(&owner, &json!({"email": GUEST})).await;
    for _ in 0..3 {
        anonymous
            .post("/invitations/guess/accept", &password())
            .await
            .refused(404, "");
    }
    anonymous
        .post("/invitations/guess/accept", &password())
        .await
        .refused(429, "");
    anonymous.get("/invitations/guess").await.refused(429, "");
    // Whoever has a right token does not wait for those who guess from the same network.
    anonymous
        .get(&format!("/invitations/{token}"))
        .await
        .ok(200);
    anonymous
        .post(&format!("/invitations/{token}/accept"), &password())
        .await
        .ok(200);
    let refreshed = json!({"refresh_token": owner.refresh_token});
    anonymous.post("/auth/refresh", &refreshed).await.ok(200);
}
