-- The audit trail: one entry for each change, in one chain for each account. Entries outlive what they tell of.
CREATE TABLE audit_log (
    -- An entry stands for as many rows as columns changed, at least one: the ids from this one on, without a gap.
    id            INTEGER PRIMARY KEY,
    row_count     INTEGER NOT NULL CHECK (row_count > 0),
    account_id    TEXT NOT NULL,
    -- The place in the account's chain, from 1.
    seq           INTEGER NOT NULL,
    operation     TEXT NOT NULL,
    table_name    TEXT NOT NULL,
    record_id     TEXT NOT NULL,
    old_values    TEXT,
    new_values    TEXT,
    actor         TEXT NOT NULL,
    user_email    TEXT,
    auth_method   TEXT,
    ip_address    TEXT,
    user_agent    TEXT,
    request_id    TEXT,
    occurred_at   TEXT NOT NULL,
    previous_hash TEXT,
    checksum      TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_log_chain ON audit_log (account_id, seq);
CREATE INDEX audit_log_time ON audit_log (occurred_at, id);
CREATE INDEX audit_log_record ON audit_log (record_id);

CREATE TRIGGER audit_log_keeps BEFORE UPDATE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit trail cannot be changed');
END;
CREATE TRIGGER audit_log_remembers BEFORE DELETE ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit trail cannot be changed');
END;
-- INSERT OR REPLACE deletes without asking a trigger.
CREATE TRIGGER audit_log_grows BEFORE INSERT ON audit_log BEGIN
    SELECT RAISE(ABORT, 'the audit trail cannot be changed')
    WHERE NEW.id <= (SELECT max(id) FROM audit_log)
       OR EXISTS (SELECT 1 FROM audit_log WHERE account_id = NEW.account_id AND seq = NEW.seq);
END;

-- Where each chain ends, so that entries missing at its end are noticed.
CREATE TABLE audit_chains (
    account_id TEXT PRIMARY KEY,
    entries    INTEGER NOT NULL,
    checksum   TEXT NOT NULL
) WITHOUT ROWID;

-- How far the change log has been taken over. One row.
CREATE TABLE audit_state (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL,
    next_id  INTEGER NOT NULL,
    -- Whether changes at this position are kept, and whether the configuration wants them to be.
    enabled  BOOLEAN NOT NULL,
    wanted   BOOLEAN NOT NULL
);
INSERT INTO audit_state (id, position, next_id, enabled, wanted)
SELECT 1, coalesce(max(position), 0), 1, TRUE, TRUE FROM change_log;
