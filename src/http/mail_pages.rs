//! Pages for the links in mails: confirming an address, choosing a new password, joining an account.
//!
//! They are plain HTML and work without scripts. Nothing happens when a page is opened, only when
//! its button is pressed: programs that look into mails open links, too.

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

use crate::accounts::PasswordReset;
use crate::app::App;
use crate::error::Error;
use crate::http::client::ClientAddress;
use crate::http::extract::Query;
use crate::http::middleware::refuse_head;

/// `/verify-email`, `/reset-password` and `/accept-invitation`.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/verify-email", get(ask_to_verify).post(verify))
        .route("/reset-password", get(ask_for_password).post(reset))
        .route("/accept-invitation", get(ask_to_join).post(join))
        .route_layer(from_fn_with_state("GET, POST", refuse_head))
}

async fn ask_to_verify(query: Query) -> Response {
    let token = escaped(query.get("token").unwrap_or_default());
    page(
        StatusCode::OK,
        "Confirm your e-mail address",
        &format!(
            "<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
             <button>Confirm the address</button></form>"
        ),
    )
}

async fn verify(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Bytes,
) -> Response {
    let token = field(&body, "token");
    match app.accounts.verify_email(&token, address).await {
        Ok(_) => page(
            StatusCode::OK,
            "Address confirmed",
            "<p>You can sign in now.</p>",
        ),
        Err(error) => failure(error),
    }
}

async fn ask_for_password(query: Query) -> Response {
    let form = password_form(
        query.get("token").unwrap_or_default(),
        "New password",
        "Set the password",
    );
    page(StatusCode::OK, "Choose a new password", &form)
}

fn password_form(token: &str, label: &str, button: &str) -> String {
    let token = escaped(token);
    format!(
        "<form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"{token}\">\
         <label>{label} <input type=\"password\" name=\"new_password\" autocomplete=\"new-password\" required \
         minlength=\"12\"></label><p>At least 12 characters, with upper and lower case letters, a digit and a \
         special character.</p><button>{button}</button></form>"
    )
}

async fn reset(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Bytes,
) -> Response {
    let request = PasswordReset {
        token: field(&body, "token"),
        new_password: field(&body, "new_password"),
    };
    match app.accounts.reset_password(request, address).await {
        Ok(_) => page(
            StatusCode::OK,
            "Password set",
            "<p>Sign in with the new password.</p>",
        ),
        Err(error) => failure(error),
    }
}

async fn ask_to_join(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    query: Query,
) -> Response {
    let token = query.get("token").unwrap_or_default();
    match app.accounts.invitation_details(token, address).await {
        Ok(details) => {
            let title = format!("Join {}", escaped(&details.account_name));
            let form = password_form(token, "Choose a password", "Accept the invitation");
            page(
                StatusCode::OK,
                &title,
                &format!(
                    "<p>You will sign in as {}.</p>{form}",
                    escaped(&details.email)
                ),
            )
        }
        Err(error) => failure(error),
    }
}

async fn join(
    State(app): State<App>,
    ClientAddress(address): ClientAddress,
    body: Bytes,
) -> Response {
    let password = field(&body, "new_password");
    match app
        .accounts
        .accept_invitation(&field(&body, "token"), password, address)
        .await
    {
        Ok(session) => {
            let account = escaped(&session.account.slug);
            page(
                StatusCode::OK,
                "Welcome",
                &format!("<p>You can sign in now, to the account <b>{account}</b>.</p>"),
            )
        }
        Err(error) => failure(error),
    }
}

/// The same message and status as the API's, as a page.
fn failure(error: Error) -> Response {
    let message = format!("<p>{}</p>", escaped(&error.to_string()));
    let status = error.into_response().status();
    let message = if status.is_server_error() {
        "<p>Please try again later.</p>"
    } else {
        message.as_str()
    };
    page(status, "This did not work", message)
}

fn field(body: &Bytes, name: &str) -> String {
    let mut fields = form_urlencoded::parse(body);
    fields
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

fn page(status: StatusCode, title: &str, content: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title}</title>\
         <style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:26rem;\
         margin:15vh auto;padding:0 1rem}}input,button{{font:inherit;padding:.5rem .75rem}}label input{{display:block;\
         width:100%;box-sizing:border-box}}</style><h1>{title}</h1>{content}</html>"
    );
    // The address holds the token: it must not leak to other sites, nor stay in a cache.
    let headers = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, Html(html)).into_response()
}
