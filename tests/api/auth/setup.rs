//! The first superadmin.

use serde_json::json;
use snackbase::secret::Secret;

use crate::harness::{Backend, Client, Database, PASSWORD};

crate::both![the_first_superadmin_is_made_with_the_printed_link_once,];

async fn the_first_superadmin_is_made_with_the_printed_link_once(backend: Backend) {
    let database = Database::create(backend).await;
    let mut config = database.config();
    config.auth.superadmin_password = Secret::default();
    let server = Box::pin(snackbase::Snackbase::builder().config(config).build())
        .await
        .unwrap();
    let (services, base) = (server.app().clone(), format!("http://{}", server.address()));
    tokio::spawn(server.run());
    let client = Client::new(reqwest::Client::new(), base);
    assert_eq!(client.get("/setup").await.ok(200)["needed"], true);
    let token = services.accounts.setup_token().await.unwrap().unwrap();
    let body = |token: &str, password: &str| json!({"token": token, "email": "root@example.com", "password": password});
    client
        .post("/setup", &body("nonsense", PASSWORD))
        .await
        .refused(400, "");
    assert_eq!(
        client.post("/setup", &body(&token, "weak")).await.status,
        400
    );
    let session = client.post("/setup", &body(&token, PASSWORD)).await;
    assert!([200, 201].contains(&session.status), "{}", session.text);
    let admin = client.user(&session.body);
    admin.get("/collections").await.ok(200);
    assert_eq!(client.get("/setup").await.ok(200)["needed"], false);
    client
        .post("/setup", &body(&token, PASSWORD))
        .await
        .refused(409, "");
    assert_eq!(services.accounts.setup_token().await.unwrap(), None);
    client.login("system", "root@example.com", PASSWORD).await;
    services.lifecycle.stop();
}
