//! Somebody who calls the API.

use std::ops::Deref;

use reqwest::Method;
use serde_json::{Value, json};

use super::answer::Answer;
use super::soon;

/// A client with or without credentials.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
    headers: Vec<(String, String)>,
}

/// A client who has signed in.
#[derive(Clone, Debug)]
pub struct User {
    client: Client,
    pub token: String,
    pub refresh_token: String,
    pub id: String,
    pub email: String,
    pub account_id: String,
    pub account_slug: String,
}

impl Deref for User {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl Client {
    pub fn new(http: reqwest::Client, base: String) -> Self {
        Self {
            http,
            base,
            headers: Vec::new(),
        }
    }

    /// The same with one more header.
    pub fn with_header(&self, name: &str, value: &str) -> Self {
        let mut client = self.clone();
        client.headers.push((name.to_owned(), value.to_owned()));
        client
    }

    /// The same without any header.
    pub fn bare(&self) -> Self {
        Self {
            headers: Vec::new(),
            ..self.clone()
        }
    }

    /// Signs in.
    pub async fn login(&self, account: &str, email: &str, password: &str) -> User {
        let body = json!({"account": account, "email": email, "password": password});
        let session = self.bare().post("/auth/login", &body).await.ok(200);
        self.bare().user(&session)
    }

    /// The user of a sign-in's answer.
    pub fn user(&self, session: &Value) -> User {
        let text = |value: &Value| {
            value
                .as_str()
                .unwrap_or_else(|| panic!("no text in {session}"))
                .to_owned()
        };
        let token = text(&session["token"]);
        User {
            client: self.with_header("authorization", &format!("Bearer {token}")),
            refresh_token: text(&session["refresh_token"]),
            id: text(&session["user"]["id"]),
            email: text(&session["user"]["email"]),
            account_id: text(&session["account"]["id"]),
            account_slug: text(&session["account"]["slug"]),
            token,
        }
    }

    /// A request; `path` without `/api/v1` unless it begins with `//`.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        let url = match path.strip_prefix('/') {
            Some(rest) if rest.starts_with('/') => format!("{}{rest}", self.base),
            _ => format!("{}/api/v1{path}", self.base),
        };
        let mut request = self.http.request(method, url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        request
    }

    /// Sends a request and takes in the answer.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let response = soon(&what, self.http.execute(request)).await.unwrap();
        Answer::read(what, response).await
    }

    /// The status of a GET whose body may never end.
    pub async fn send_head(&self, path: &str) -> u16 {
        let request = self.request(Method::GET, path);
        soon(path, request.send()).await.unwrap().status().as_u16()
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    /// A GET with query parameters, which it encodes.
    pub async fn query(&self, path: &str, query: &[(&str, &str)]) -> Answer {
        self.send(self.request(Method::GET, path).query(query))
            .await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body))
            .await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn delete_with(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::DELETE, path).json(body))
            .await
    }

    /// Creates a record and returns it.
    pub async fn create(&self, collection: &str, body: &Value) -> Value {
        self.post(&format!("/records/{collection}"), body)
            .await
            .ok(201)
    }

    /// Creates a record and returns its id.
    pub async fn create_id(&self, collection: &str, body: &Value) -> String {
        self.create(collection, body).await["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}
