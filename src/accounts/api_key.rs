//! API keys: superadmins make them for programs, for the whole server or bound to one account.

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use serde_json::json;

use super::Accounts;
use super::input::{Checks, length};
use crate::access::account::{named_account, superadmin};
use crate::audit::Event;
use crate::auth::access_log::{self, AccessChange};
use crate::auth::{Caller, KeyScope, KeyScopes, USER_ROLE, api_key, one_time};
use crate::db::{Kind, Stmt, Value, canonical_time};
use crate::error::{Error, Problem, Result};
use crate::id::{AccountId, UserId, new_id};

/// A new API key.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    /// What the key is for, in 3 to 100 characters.
    pub name: String,
    /// Until when it is valid (RFC 3339, UTC unless it says otherwise); for ever if it is absent.
    pub expires_at: Option<String>,
    /// The account that the key is bound to; the system account, and thereby every account, if it
    /// is absent.
    pub account_id: Option<String>,
    /// The id of the role that a bound key acts with; `user` if there is none. Only a bound key has
    /// a role: a key that reaches every account acts as the superadmin whose it is.
    pub role_id: Option<i64>,
    /// The name of that role, if its id is absent.
    pub role: Option<String>,
    /// What the key may be used for; empty for everything, except for reading secrets.
    /// `records:secrets:read` adds, all others limit.
    pub scopes: Vec<KeyScope>,
}

/// An API key.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// The id.
    pub id: String,
    /// What the key is for.
    pub name: String,
    /// The key's end; the whole key in the answer that makes it, and nowhere else.
    pub key: String,
    /// The account that it acts in.
    pub account_id: String,
    /// The account's code.
    pub account_code: String,
    /// The id of the role that it acts with; null for its owner's.
    pub role_id: Option<i64>,
    /// The name of the role that it acts with.
    pub role: String,
    /// What it may be used for; empty for everything, except for reading secrets.
    pub scopes: Vec<KeyScope>,
    /// When it was used last, to the minute.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Until when it is valid.
    pub expires_at: Option<DateTime<Utc>>,
    /// Whether it was not revoked.
    pub is_active: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// The caller's API keys.
#[derive(Clone, Debug)]
pub struct ApiKeyPage {
    /// The keys, newest first, revoked ones included.
    pub items: Vec<ApiKey>,
    /// How many there are.
    pub total: i64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    name: String,
    key_mask: String,
    account_id: String,
    account_code: String,
    role_id: Option<i64>,
    role: String,
    scopes: String,
    last_used_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
    revoked_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT k.id, k.name, k.key_mask, k.account_id, a.account_code, k.role_id, \
                      coalesce(kr.name, r.name) AS role, k.scopes, k.last_used_at, k.expires_at, k.revoked_at, \
                      k.created_at, k.updated_at \
                      FROM api_keys k JOIN accounts a ON a.id = k.account_id JOIN users u ON u.id = k.user_id \
                      JOIN roles r ON r.id = u.role_id LEFT JOIN roles kr ON kr.id = k.role_id WHERE k.user_id = ";

impl From<Row> for ApiKey {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            key: row.key_mask,
            account_id: row.account_id,
            account_code: row.account_code,
            role_id: row.role_id,
            role: row.role,
            scopes: serde_json::from_str(&row.scopes).unwrap_or_default(),
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
            is_active: row.revoked_at.is_none(),
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Accounts {
    /// Makes a key for the caller. The answer is the only place where it is shown.
    pub async fn create_api_key(&self, caller: &Caller, request: NewApiKey) -> Result<ApiKey> {
        let inner = &*self.0;
        let owner = superadmin(caller)?;
        let mut checks = Checks::default();
        checks.take(length("name", &request.name, 3..=100));
        let expires_at = checks.take(request.expires_at.as_deref().map(parse_expiry).transpose());
        let expires_at = checks.done(expires_at)?;
        let scopes = KeyScopes::of(&request.scopes);
        if owner
            .key
            .as_ref()
            .is_some_and(|key| !key.scopes.include(scopes))
        {
            return Err(Error::Forbidden(
                "This API key is restricted: it cannot make a key with more scopes".into(),
            ));
        }
        let account = match request.account_id.as_deref() {
            None => owner.account.id,
            Some(named) => named_account(&self.0.auth, named).await?.id,
        };
        let mut role_id = self.role(request.role_id, request.role.as_deref()).await?;
        if role_id.is_some() && account == owner.account.id {
            let msg = "a key with a role is bound to an account: name one, or leave the role out for a key that \
                       acts as the superadmin whose it is";
            return Err(Error::malformed(Problem::body(
                "account_id",
                "value_error",
                msg,
                request.account_id.into(),
            )));
        }
        if role_id.is_none() && account != owner.account.id {
            role_id = self.role(None, Some(USER_ROLE)).await?;
        }
        let (id, now) = (new_id(), inner.clock.now());
        let key = inner
            .auth
            .keys()
            .issue(id, owner.user_id, account, now, expires_at)?;

        let mut tx = inner.db.begin().await?;
        // Whoever makes keys holds the own row, so that two at once cannot both be the last that is
        // allowed.
        let hold = "UPDATE users SET updated_at = updated_at WHERE id = $1";
        tx.execute(Stmt::fixed(hold, vec![owner.user_id.into()]))
            .await?;
        let count = "SELECT count(*) FROM api_keys WHERE user_id = $1 AND revoked_at IS NULL";
        let active = tx
            .row::<(i64,)>(Stmt::fixed(count, vec![owner.user_id.into()]))
            .await?
            .map_or(0, |(n,)| n);
        let most = inner.config.auth.api_key_max_per_user;
        if active >= i64::from(most) {
            let message =
                format!("You have {active} API keys, and {most} are allowed: revoke one first");
            return Err(Error::refused("Validation error", message));
        }
        let insert = "INSERT INTO api_keys (id, user_id, account_id, role_id, name, key_hash, key_mask, scopes, \
                      expires_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10)";
        let args = vec![
            id.to_string().into(),
            owner.user_id.into(),
            account.into(),
            role_id.map_or(Value::Null(Kind::Int), Value::Int),
            request.name.as_str().into(),
            one_time::hash(&key).into(),
            api_key::mask(&key).into(),
            scopes.to_stored().into(),
            Value::time_or_null(expires_at),
            now.into(),
        ];
        tx.execute(Stmt::fixed(insert, args)).await?;
        let values = json!({
            "name": request.name, "user_id": owner.user_id_text, "role_id": role_id, "scopes": request.scopes,
            "expires_at": expires_at.map(canonical_time),
        });
        tx.execute(
            Event::create("api_keys", id, values)
                .of(account)
                .by(caller)
                .entry(now),
        )
        .await?;
        tx.commit().await?;

        let mut view = self.own_key(owner.user_id, &id.to_string()).await?;
        view.key = key;
        Ok(view)
    }

    /// The caller's keys.
    pub async fn api_keys(&self, caller: &Caller, limit: i64, offset: i64) -> Result<ApiKeyPage> {
        let owner = superadmin(caller)?.user_id;
        let count = Stmt::fixed(
            "SELECT count(*) FROM api_keys WHERE user_id = $1",
            vec![owner.into()],
        );
        let total = self.0.db.count(count).await?;
        let mut sql = self.0.db.sql();
        sql.push(SELECT)
            .arg(owner)
            .push(" ORDER BY k.created_at DESC, k.id DESC LIMIT ")
            .arg(limit);
        sql.push(" OFFSET ").arg(offset);
        let rows: Vec<Row> = self.0.db.rows(sql.build()).await?;
        Ok(ApiKeyPage {
            items: rows.into_iter().map(Into::into).collect(),
            total,
        })
    }

    /// One of the caller's keys.
    pub async fn api_key(&self, caller: &Caller, id: &str) -> Result<ApiKey> {
        let owner = superadmin(caller)?.user_id;
        self.own_key(owner, id).await
    }

    /// Revokes one of the caller's keys: at once, everywhere. A key that was revoked stays so.
    pub async fn revoke_api_key(&self, caller: &Caller, id: &str) -> Result<()> {
        let inner = &*self.0;
        let owner = superadmin(caller)?;
        let key = self.own_key(owner.user_id, id).await?;
        let now = inner.clock.now();
        let (old, new) = (json!({"is_active": true}), json!({"is_active": false}));
        let event = Event::update("api_keys", &key.id, &old, &new).by(caller);
        let event = event.of(AccountId::parse(&key.account_id).unwrap_or(owner.account.id));
        let mut tx = inner.db.begin().await?;
        let update = "UPDATE api_keys SET revoked_at = $1, updated_at = $1 WHERE id = $2 AND revoked_at IS NULL";
        if tx
            .execute(Stmt::fixed(update, vec![now.into(), key.id.into()]))
            .await?
            == 0
        {
            return Ok(());
        }
        tx.execute(event.entry(now)).await?;
        let change = AccessChange::Credentials(owner.user_id);
        tx.execute(access_log::entry(
            owner.account.id,
            change,
            now,
            caller.actor(),
        ))
        .await?;
        tx.commit().await?;
        inner.auth.invalidate_user(owner.user_id);
        Ok(())
    }

    async fn own_key(&self, owner: UserId, id: &str) -> Result<ApiKey> {
        let missing = || Error::not_found("API key not found");
        let id = uuid::Uuid::try_parse(id).map_err(|_| missing())?;
        let mut sql = self.0.db.sql();
        sql.push(SELECT)
            .arg(owner)
            .push(" AND k.id = ")
            .arg(id.to_string());
        Ok(self
            .0
            .db
            .row::<Row>(sql.build())
            .await?
            .ok_or_else(missing)?
            .into())
    }
}

/// An instant, UTC where it does not say otherwise.
fn parse_expiry(text: &str) -> Result<DateTime<Utc>> {
    let text = text.trim();
    let zoned = || {
        DateTime::parse_from_rfc3339(text)
            .ok()
            .map(|at| at.to_utc())
    };
    let local = || text.parse::<NaiveDateTime>().ok().map(|at| at.and_utc());
    let day = || {
        text.parse::<NaiveDate>()
            .ok()?
            .and_hms_opt(0, 0, 0)
            .map(|at| at.and_utc())
    };
    // What PostgreSQL and text that sorts can hold.
    let years = |at: &DateTime<Utc>| (1970..=9999).contains(&chrono::Datelike::year(at));
    zoned()
        .or_else(local)
        .or_else(day)
        .filter(years)
        .ok_or_else(|| {
            let msg = "Input should be a time, such as 2030-01-31T12:00:00Z";
            Error::malformed(Problem::body(
                "expires_at",
                "datetime_parsing",
                msg,
                text.into(),
            ))
        })
}
