-- The scope for secrets adds to what a key may be used for. Keys that have this scope alone were limited to it, and stay
-- so.
UPDATE api_keys SET scopes = '["records:secrets:read","restricted"]' WHERE scopes = '["records:secrets:read"]';
-- A key that is bound to no account acts as its owner, whichever role it was made with: say so.
UPDATE api_keys SET role_id = NULL WHERE account_id = '00000000-0000-0000-0000-000000000000';

-- A refresh token that is shown again: how often its successor was replaced by another, and the tokens before it that
-- were exchanged moments ago, as a JSON array of hashes with the time in milliseconds.
ALTER TABLE sessions ADD COLUMN reissued BIGINT NOT NULL DEFAULT 0;
ALTER TABLE sessions ADD COLUMN recent_hashes TEXT COLLATE "C" NOT NULL DEFAULT '[]';
