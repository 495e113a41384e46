//! Groups of an account's users. Everyone of the account sees them; who administers it changes
//! them.

use chrono::{DateTime, Utc};
use serde_json::json;

use super::input::{Checks, length};
use super::store::{self, UserRow};
use super::view::UserDetails;
use super::{Accounts, trail};
use crate::access::account::{own_account, signed_in, visible_account};
use crate::audit::Event;
use crate::auth::access_log::{self, AccessChange};
use crate::auth::{Caller, PII_GROUP};
use crate::db::{DbError, Sql, Stmt, Tx, Value, containing};
use crate::error::{Error, Problem, Result};
use crate::id::{AccountId, UserId, new_id};

/// Members that the details of a group name.
const MEMBERS: i64 = 1000;

/// A new group.
#[derive(Clone, Debug)]
pub struct NewGroup {
    /// The name, in 1 to 100 characters.
    pub name: String,
    /// What the group is for, in at most 500 characters.
    pub description: Option<String>,
    /// The account, for superadmins; the caller's if it is absent.
    pub account_id: Option<String>,
}

/// A change of a group; what is absent or null stays.
#[derive(Clone, Debug, Default)]
pub struct GroupChange {
    /// The name.
    pub name: Option<String>,
    /// What the group is for.
    pub description: Option<String>,
}

/// Which groups.
#[derive(Clone, Debug, Default)]
pub struct GroupFilter {
    /// Of one account; for superadmins, others see their own account's.
    pub account_id: Option<String>,
    /// With this in name or description.
    pub search: Option<String>,
    /// How many to pass over.
    pub skip: i64,
    /// How many at most.
    pub limit: i64,
}

/// A group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The id.
    pub id: String,
    /// The account's id.
    pub account_id: String,
    /// The account's code.
    pub account_code: String,
    /// The name.
    pub name: String,
    /// What the group is for.
    pub description: Option<String>,
    /// Whether it is one that the server knows: `pii_access`.
    pub is_system: bool,
    /// How many members it has.
    pub member_count: i64,
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// When it was changed last.
    pub updated_at: DateTime<Utc>,
}

/// A group with its members.
#[derive(Clone, Debug)]
pub struct GroupWithMembers {
    /// The group.
    pub group: Group,
    /// Its members by address, a thousand at most.
    pub users: Vec<UserDetails>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    account_id: String,
    account_code: String,
    name: String,
    description: Option<String>,
    member_count: i64,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT g.id, g.account_id, a.account_code, g.name, g.description, \
                      (SELECT count(*) FROM group_members m WHERE m.group_id = g.id) AS member_count, \
                      g.created_at, g.updated_at FROM groups g JOIN accounts a ON a.id = g.account_id";

impl Row {
    fn is_system(&self) -> bool {
        self.name == PII_GROUP
    }

    fn account(&self) -> Result<AccountId> {
        AccountId::parse(&self.account_id)
            .ok_or_else(|| Error::internal("an account's id is no UUID"))
    }
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        let is_system = row.is_system();
        Self {
            id: row.id,
            account_id: row.account_id,
            account_code: row.account_code,
            name: row.name,
            description: row.description,
            is_system,
            member_count: row.member_count,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl Accounts {
    /// Groups that the caller sees, oldest first, and how many there are.
    pub async fn groups(&self, caller: &Caller, filter: &GroupFilter) -> Result<(Vec<Group>, i64)> {
        let account = visible_account(&self.0.auth, caller, filter.account_id.as_deref()).await?;
        let db = &self.0.db;
        let push = |sql: &mut Sql| {
            sql.push(" WHERE 1 = 1");
            if let Some(account) = account {
                sql.push(" AND g.account_id = ").arg(account);
            }
            if let Some(search) = filter.search.as_deref().filter(|search| !search.is_empty()) {
                sql.push(" AND (lower(g.name) LIKE ")
                    .arg(containing(search))
                    .push(" ESCAPE '\\'");
                sql.push(" OR lower(g.description) LIKE ")
                    .arg(containing(search))
                    .push(" ESCAPE '\\')");
            }
        };
        let mut count = db.sql();
        count.push("SELECT count(*) FROM groups g");
        push(&mut count);
        let total = db.count(count.build()).await?;
        let mut sql = db.sql();
        sql.push(SELECT);
        push(&mut sql);
        sql.push(" ORDER BY g.created_at, g.id LIMIT ")
            .arg(filter.limit)
            .push(" OFFSET ")
            .arg(filter.skip);
        let rows: Vec<Row> = db.rows(sql.build()).await?;
        Ok((rows.into_iter().map(Into::into).collect(), total))
    }

    /// A group with its members. Who does not administer the account sees of them what colleagues
    /// see.
    pub async fn group(&self, caller: &Caller, id: &str) -> Result<GroupWithMembers> {
        let row = self.existing_group(caller, id).await?;
        let db = &self.0.db;
        let mut sql = store::select_users(db);
        sql.push(" JOIN group_members m ON m.user_id = u.id WHERE m.group_id = ")
            .arg(row.id.as_str());
        sql.push(" ORDER BY u.email, u.id LIMIT ").arg(MEMBERS);
        let members: Vec<UserRow> = db.rows(sql.build()).await?;
        let mut groups = store::groups_of(db, &members).await?;
        let sees_all = caller.is_account_admin();
        let users = members.into_iter().map(|member| {
            let groups = groups.remove(&member.id).unwrap_or_default();
            let detail = UserDetails::new(member, groups);
            if sees_all {
                detail
            } else {
                detail.for_colleagues()
            }
        });
        Ok(GroupWithMembers {
            users: users.collect(),
            group: row.into(),
        })
    }

    /// Creates a group without members.
    pub async fn create_group(
        &self,
        caller: &Caller,
        request: NewGroup,
    ) -> Result<GroupWithMembers> {
        self.account_admin(caller)?;
        let mut checks = Checks::default();
        let name = checks.take(group_name(&request.name));
        let description = checks.take(group_description(request.description.as_deref()));
        let (name, description) = checks.done(name.zip(description))?;
        let account = own_account(&self.0.auth, caller, request.account_id.as_deref()).await?;
        let (id, now) = (new_id().to_string(), self.0.clock.now());
        let mut tx = self.0.db.begin().await?;
        let insert = store::insert_group(&id, account.id, name, description, now);
        tx.execute(insert).await.map_err(name_taken)?;
        tx.execute(
            trail::group_created(&id, account.id, name, description)
                .by(caller)
                .entry(now),
        )
        .await?;
        tx.commit().await?;
        self.group(caller, &id).await
    }

    /// Renames a group, or describes it differently.
    pub async fn update_group(
        &self,
        caller: &Caller,
        id: &str,
        request: GroupChange,
    ) -> Result<GroupWithMembers> {
        self.account_admin(caller)?;
        let mut checks = Checks::default();
        let name = checks.take(request.name.as_deref().map(group_name).transpose());
        let description = checks.take(group_description(request.description.as_deref()));
        let (name, description) = checks.done(name.zip(description))?;
        let group = self.existing_group(caller, id).await?;
        let renamed = name.is_some_and(|name| name != group.name);
        if renamed && (group.is_system() || name == Some(PII_GROUP)) {
            return Err(reserved("name", "and no group is renamed to it"));
        }
        let (account, now) = (group.account()?, self.0.clock.now());
        let mut tx = self.0.db.begin().await?;
        // A NULL leaves a column as it is.
        let update = "UPDATE groups SET name = coalesce($1, name), description = coalesce($2, description), \
                      updated_at = $3 WHERE id = $4";
        let old = json!({"name": group.name, "description": group.description});
        let new = json!({
            "name": name.unwrap_or(&group.name), "description": description.or(group.description.as_deref()),
        });
        let event = Event::update("groups", &group.id, &old, &new)
            .of(account)
            .by(caller);
        let (name, description) = (Value::text_or_null(name), Value::text_or_null(description));
        let args = vec![name, description, now.into(), group.id.as_str().into()];
        tx.execute(Stmt::fixed(update, args))
            .await
            .map_err(name_taken)?;
        tx.execute(event.entry(now)).await?;
        if renamed {
            tx.execute(access_log::entry(
                account,
                AccessChange::Account,
                now,
                caller.actor(),
            ))
            .await?;
        }
        tx.commit().await?;
        if renamed {
            self.0.auth.invalidate_account(account);
        }
        self.group(caller, id).await
    }

    /// Deletes a group; its members stay users.
    pub async fn delete_group(&self, caller: &Caller, id: &str) -> Result<()> {
        self.account_admin(caller)?;
        let group = self.existing_group(caller, id).await?;
        if group.is_system() {
            return Err(reserved("id", "and cannot be deleted"));
        }
        let (account, now) = (group.account()?, self.0.clock.now());
        let old = json!({"name": group.name, "description": group.description});
        let event = Event::delete("groups", &group.id, old)
            .of(account)
            .by(caller);
        let mut tx = self.0.db.begin().await?;
        tx.execute(Stmt::fixed(
            "DELETE FROM groups WHERE id = $1",
            vec![group.id.into()],
        ))
        .await?;
        tx.execute(event.entry(now)).await?;
        tx.execute(access_log::entry(
            account,
            AccessChange::Account,
            now,
            caller.actor(),
        ))
        .await?;
        tx.commit().await?;
        self.0.auth.invalidate_account(account);
        Ok(())
    }

    /// Makes a user of the group's account a member.
    pub async fn add_member(&self, caller: &Caller, id: &str, user: &str) -> Result<()> {
        self.account_admin(caller)?;
        let group = self.existing_group(caller, id).await?;
        may_hand_out(caller, &group.name)?;
        let missing = || Error::not_found("User not found");
        let user = store::user_by_id(&self.0.db, user)
            .await?
            .ok_or_else(missing)?;
        if user.account_id != group.account_id {
            return Err(missing());
        }
        let mut tx = self.0.db.begin().await?;
        let insert = "INSERT INTO group_members (group_id, user_id) VALUES ($1, $2)";
        let event = trail::member_added(&group.id, user.account_id()?, &user.id);
        let added = tx
            .execute(Stmt::fixed(
                insert,
                vec![group.id.into(), user.id.as_str().into()],
            ))
            .await;
        added.map_err(|error| match error {
            DbError::Unique { .. } => Error::conflict("The user is in the group already", None),
            DbError::ForeignKey => Error::not_found("Group not found"),
            other => other.into(),
        })?;
        self.membership_changed(tx, caller, event, user.account_id()?, user.user_id()?)
            .await
    }

    /// Takes a user out of a group; one who is not in it stays so.
    pub async fn remove_member(&self, caller: &Caller, id: &str, user: &str) -> Result<()> {
        self.account_admin(caller)?;
        let group = self.existing_group(caller, id).await?;
        let Some(user) = UserId::parse(user) else {
            return Ok(());
        };
        let mut tx = self.0.db.begin().await?;
        let delete = "DELETE FROM group_members WHERE group_id = $1 AND user_id = $2";
        if tx
            .execute(Stmt::fixed(
                delete,
                vec![group.id.as_str().into(), user.into()],
            ))
            .await?
            == 0
        {
            return Ok(());
        }
        let account = group.account()?;
        let event = trail::member_removed(&group.id, account, user);
        self.membership_changed(tx, caller, event, account, user)
            .await
    }

    async fn membership_changed(
        &self,
        mut tx: Tx,
        caller: &Caller,
        event: Event,
        account: AccountId,
        user: UserId,
    ) -> Result<()> {
        let (change, now) = (AccessChange::Rights(user), self.0.clock.now());
        tx.execute(event.by(caller).entry(now)).await?;
        tx.execute(access_log::entry(account, change, now, caller.actor()))
            .await?;
        tx.commit().await?;
        self.0.auth.invalidate_user(user);
        Ok(())
    }

    /// The ids of groups of an account that are given by id or name, if the caller may hand them
    /// out.
    pub(super) async fn groups_named(
        &self,
        caller: &Caller,
        account: AccountId,
        named: &[String],
    ) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for named in named {
            let select =
                "SELECT id, name FROM groups WHERE account_id = $1 AND (id = $2 OR name = $2)";
            let args = vec![account.into(), named.into()];
            let Some((id, name)) = self
                .0
                .db
                .row::<(String, String)>(Stmt::fixed(select, args))
                .await?
            else {
                let message = "There is no such group in the account";
                return Err(Error::malformed(Problem::body(
                    "groups",
                    "value_error",
                    message,
                    named.as_str().into(),
                )));
            };
            may_hand_out(caller, &name)?;
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(ids)
    }

    /// A group that the caller sees.
    async fn existing_group(&self, caller: &Caller, id: &str) -> Result<Row> {
        let own = signed_in(caller)?.account.id;
        let missing = || Error::not_found("Group not found");
        let id = uuid::Uuid::try_parse(id).map_err(|_| missing())?;
        let mut sql = self.0.db.sql();
        sql.push(SELECT).push(" WHERE g.id = ").arg(id.to_string());
        if !caller.is_superadmin() {
            sql.push(" AND g.account_id = ").arg(own);
        }
        self.0.db.row(sql.build()).await?.ok_or_else(missing)
    }
}

/// Whoever cannot see personal data cannot let anybody see it, least of all oneself.
fn may_hand_out(caller: &Caller, group: &str) -> Result<()> {
    if group == PII_GROUP && !caller.sees_pii() {
        return Err(Error::Forbidden(
            "Only its members can add others to the group pii_access".into(),
        ));
    }
    Ok(())
}

fn group_name(name: &str) -> Result<&str> {
    let name = name.trim();
    length("name", name, 1..=100)?;
    Ok(name)
}

fn group_description(description: Option<&str>) -> Result<Option<&str>> {
    description.map_or(Ok(()), |description| {
        length("description", description, 0..=500)
    })?;
    Ok(description)
}

fn reserved(key: &str, what: &str) -> Error {
    let message = format!("The group pii_access is the server's: it keeps its name, {what}");
    Error::malformed(Problem::body(key, "value_error", message, PII_GROUP.into()))
}

fn name_taken(error: DbError) -> Error {
    match error {
        DbError::Unique { .. } => Error::conflict(
            "A group with this name exists already in the account",
            Some("name"),
        ),
        DbError::ForeignKey => Error::not_found("Account not found"),
        other => other.into(),
    }
}
