CREATE TABLE meta (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;

CREATE TABLE accounts (
    id           TEXT PRIMARY KEY,
    account_code TEXT NOT NULL CONSTRAINT accounts_code_unique UNIQUE,
    slug         TEXT NOT NULL CONSTRAINT accounts_slug_unique UNIQUE,
    name         TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL
);

CREATE TABLE roles (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL CONSTRAINT roles_name_unique UNIQUE,
    description TEXT,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);

CREATE TABLE users (
    id                 TEXT PRIMARY KEY,
    account_id         TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    email              TEXT NOT NULL,
    password_hash      TEXT NOT NULL,
    role_id            INTEGER NOT NULL REFERENCES roles (id) ON DELETE RESTRICT,
    is_active          BOOLEAN NOT NULL DEFAULT TRUE,
    auth_provider      TEXT NOT NULL DEFAULT 'password',
    auth_provider_name TEXT,
    external_id        TEXT,
    external_email     TEXT,
    profile_data       TEXT,
    email_verified     BOOLEAN NOT NULL DEFAULT FALSE,
    email_verified_at  TEXT,
    last_login         TEXT,
    created_at         TEXT NOT NULL,
    updated_at         TEXT NOT NULL
);
-- E-mail addresses are stored in lower case.
CREATE UNIQUE INDEX users_account_email_unique ON users (account_id, email);

CREATE TABLE groups (
    id          TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    name        TEXT NOT NULL,
    description TEXT,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
);
CREATE UNIQUE INDEX groups_account_name_unique ON groups (account_id, name);

CREATE TABLE group_members (
    group_id TEXT NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
    user_id  TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    PRIMARY KEY (group_id, user_id)
);
CREATE INDEX group_members_user ON group_members (user_id);

-- One row for each login; its refresh tokens follow one another in it.
CREATE TABLE sessions (
    id           TEXT PRIMARY KEY,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- SHA-256 of the refresh token that is valid now, and of the one before it.
    token_hash   TEXT NOT NULL,
    previous_hash TEXT,
    rotated_at   TEXT NOT NULL,
    created_at   TEXT NOT NULL,
    expires_at   TEXT NOT NULL,
    revoked_at   TEXT
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- E-mail verification, password reset, first set-up. Only hashes are kept.
CREATE TABLE one_time_tokens (
    token_hash TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL,
    user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
    email      TEXT NOT NULL,
    created_at TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
CREATE INDEX one_time_tokens_user ON one_time_tokens (user_id, purpose);

CREATE TABLE email_logs (
    id              TEXT PRIMARY KEY,
    account_id      TEXT REFERENCES accounts (id) ON DELETE CASCADE,
    template_type   TEXT NOT NULL,
    recipient_email TEXT NOT NULL,
    provider        TEXT NOT NULL,
    status          TEXT NOT NULL,
    error_message   TEXT,
    sent_at         TEXT NOT NULL
);

CREATE TABLE collections (
    id            TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    -- The name in lower case: names differ in more than case.
    name_key      TEXT NOT NULL CONSTRAINT collections_name_unique UNIQUE,
    schema        TEXT NOT NULL,
    rules_id      TEXT NOT NULL,
    list_rule     TEXT,
    view_rule     TEXT,
    create_rule   TEXT,
    update_rule   TEXT,
    delete_rule   TEXT,
    list_fields   TEXT NOT NULL DEFAULT '*',
    view_fields   TEXT NOT NULL DEFAULT '*',
    create_fields TEXT NOT NULL DEFAULT '*',
    update_fields TEXT NOT NULL DEFAULT '*',
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL,
    rules_updated_at TEXT NOT NULL
);

-- Every change of a record, and what other nodes must know (catalog, access), in commit order.
-- Rows are written by triggers, in the transaction of the change itself.
CREATE TABLE change_log (
    position      INTEGER PRIMARY KEY,
    account_id    TEXT,
    collection_id TEXT,
    record_id     TEXT,
    operation     TEXT NOT NULL,
    at            TEXT NOT NULL,
    actor         TEXT NOT NULL,
    record        TEXT,
    previous      TEXT
);

-- Who deletes, and when: what a trigger cannot read off the row. One row, written in the deleting transaction.
CREATE TABLE change_context (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    actor TEXT NOT NULL,
    at    TEXT NOT NULL
);
INSERT INTO change_context (id, actor, at) VALUES (1, 'system', '1970-01-01T00:00:00.000Z');
