-- Keys of programs. Only hashes are kept.
CREATE TABLE api_keys (
    id           TEXT COLLATE "C" PRIMARY KEY,
    -- Whose it is, and the account that it acts in.
    user_id      TEXT COLLATE "C" NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    account_id   TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    -- The role that it acts with; NULL for its owner's.
    role_id      BIGINT REFERENCES roles (id) ON DELETE CASCADE,
    name         TEXT COLLATE "C" NOT NULL,
    key_hash     TEXT COLLATE "C" NOT NULL,
    -- What lists show of the key.
    key_mask     TEXT COLLATE "C" NOT NULL,
    -- A JSON array of names; empty for no limits.
    scopes       TEXT COLLATE "C" NOT NULL,
    last_used_at TIMESTAMPTZ(3),
    expires_at   TIMESTAMPTZ(3),
    revoked_at   TIMESTAMPTZ(3),
    created_at   TIMESTAMPTZ(3) NOT NULL,
    updated_at   TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX api_keys_user ON api_keys (user_id, created_at);
CREATE INDEX api_keys_account ON api_keys (account_id);

-- Who is asked to join an account. Only hashes of the tokens are kept.
CREATE TABLE invitations (
    id            TEXT COLLATE "C" PRIMARY KEY,
    account_id    TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    email         TEXT COLLATE "C" NOT NULL,
    token_hash    TEXT COLLATE "C" NOT NULL CONSTRAINT invitations_token_unique UNIQUE,
    -- What the user becomes; a role that is deleted meanwhile leaves the role `user`.
    role_id       BIGINT REFERENCES roles (id) ON DELETE SET NULL,
    -- A JSON array of ids of groups.
    group_ids     TEXT COLLATE "C" NOT NULL,
    invited_by    TEXT COLLATE "C" REFERENCES users (id) ON DELETE SET NULL,
    email_sent_at TIMESTAMPTZ(3),
    expires_at    TIMESTAMPTZ(3) NOT NULL,
    accepted_at   TIMESTAMPTZ(3),
    created_at    TIMESTAMPTZ(3) NOT NULL,
    updated_at    TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX invitations_account ON invitations (account_id, created_at);
-- One open invitation for each address.
CREATE UNIQUE INDEX invitations_open_unique ON invitations (account_id, email) WHERE accepted_at IS NULL;

-- Where a session was opened.
ALTER TABLE sessions ADD COLUMN ip_address TEXT COLLATE "C";
ALTER TABLE sessions ADD COLUMN user_agent TEXT COLLATE "C";

CREATE INDEX users_created ON users (created_at);
CREATE INDEX accounts_created ON accounts (created_at);
