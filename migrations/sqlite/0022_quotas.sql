-- How much the records of one account may be; one row while that is limited. NULL for any number.
CREATE TABLE account_quotas (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    max_records INTEGER,
    max_bytes   INTEGER
);
-- How much the records of each account are, as long as it is limited; kept by the triggers of the collections' tables. The
-- system account is not limited and not counted.
CREATE TABLE account_usage (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    records    INTEGER NOT NULL,
    bytes      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TRIGGER accounts_usage AFTER INSERT ON accounts WHEN NEW.id <> '00000000-0000-0000-0000-000000000000' BEGIN
    INSERT INTO account_usage (account_id, records, bytes) SELECT NEW.id, 0, 0 FROM account_quotas;
END;
