-- Keys of programs. Only hashes are kept.
CREATE TABLE api_keys (
    id           TEXT PRIMARY KEY,
    -- Whose it is, and the account that it acts in.
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id   TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The role that it acts with; NULL for its owner's.
    role_id      INTEGER REFERENCES roles (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    key_hash     TEXT NOT NULL,
    -- What lists show of the key.
    key_mask     TEXT NOT NULL,
    -- A JSON array of names; empty for no limits.
    scopes       TEXT NOT NULL,
    last_used_at TEXT,
    expires_at   TEXT,
    revoked_at   TEXT,
    created_at   TEXT NOT NULL,
    updated_at   TEXT NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_id, created_at);
CREATE INDEX api_keys_account ON api_keys (account_id);

-- Who is asked to join an account. Only hashes of the tokens are kept.
CREATE TABLE invitations (
    id            TEXT PRIMARY KEY,
    account_id    TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    email         TEXT NOT NULL,
    token_hash    TEXT NOT NULL CONSTRAINT invitations_token_unique UNIQUE,
    -- What the user becomes; a role that is deleted meanwhile leaves the role `user`.
    role_id       INTEGER REFERENCES roles (id) ON DELETE SET NULL,
    -- A JSON array of ids of groups.
    group_ids     TEXT NOT NULL,
    invited_by    TEXT REFERENCES users (id) ON DELETE SET NULL,
    email_sent_at TEXT,
    expires_at    TEXT NOT NULL,
    accepted_at   TEXT,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
);
CREATE INDEX invitations_account ON invitations (account_id, created_at);
-- One open invitation for each address.
CREATE UNIQUE INDEX invitations_open_unique ON invitations (account_id, email) WHERE accepted_at IS NULL;

-- Where a session was opened.
ALTER TABLE sessions ADD COLUMN ip_address TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;

CREATE INDEX users_created ON users (created_at);
CREATE INDEX accounts_created ON accounts (created_at);
