-- The audit trail: one entry for each change, in one chain for each account. Entries outlive what they tell of.
CREATE TABLE audit_log (
    -- An entry stands for as many rows as columns changed, at least one: the ids from this one on, without a gap.
    id            BIGINT PRIMARY KEY,
    row_count     INTEGER NOT NULL CHECK (row_count > 0),
    account_id    TEXT COLLATE "C" NOT NULL,
    -- The place in the account's chain, from 1.
    seq           BIGINT NOT NULL,
    operation     TEXT COLLATE "C" NOT NULL,
    table_name    TEXT COLLATE "C" NOT NULL,
    record_id     TEXT COLLATE "C" NOT NULL,
    old_values    TEXT COLLATE "C",
    new_values    TEXT COLLATE "C",
    actor         TEXT COLLATE "C" NOT NULL,
    user_email    TEXT COLLATE "C",
    auth_method   TEXT COLLATE "C",
    ip_address    TEXT COLLATE "C",
    user_agent    TEXT COLLATE "C",
    request_id    TEXT COLLATE "C",
    occurred_at   TIMESTAMPTZ(3) NOT NULL,
    previous_hash TEXT COLLATE "C",
    checksum      TEXT COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX audit_log_chain ON audit_log (account_id, seq);
CREATE INDEX audit_log_time ON audit_log (occurred_at, id);
CREATE INDEX audit_log_record ON audit_log (record_id);

CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail cannot be changed';
END $$;
CREATE TRIGGER audit_log_keeps BEFORE UPDATE OR DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_refuse();
CREATE TRIGGER audit_log_remembers BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();

-- Where each chain ends, so that entries missing at its end are noticed.
CREATE TABLE audit_chains (
    account_id TEXT COLLATE "C" PRIMARY KEY,
    entries    BIGINT NOT NULL,
    checksum   TEXT COLLATE "C" NOT NULL
);

-- How far the change log has been taken over. One row.
CREATE TABLE audit_state (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL,
    next_id  BIGINT NOT NULL,
    -- Whether changes at this position are kept, and whether the configuration wants them to be.
    enabled  BOOLEAN NOT NULL,
    wanted   BOOLEAN NOT NULL
);
INSERT INTO audit_state (id, position, next_id, enabled, wanted)
SELECT 1, coalesce(max(position), 0), 1, TRUE, TRUE FROM change_log;
