-- How much the records of one account may be; one row while that is limited. NULL for any number.
CREATE TABLE account_quotas (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    max_records BIGINT,
    max_bytes   BIGINT
);
-- How much the records of each account are, as long as it is limited; kept by the triggers of the collections' tables. The
-- system account is not limited and not counted.
CREATE TABLE account_usage (
    account_id TEXT COLLATE "C" PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    records    BIGINT NOT NULL,
    bytes      BIGINT NOT NULL
);
CREATE FUNCTION accounts_usage() RETURNS trigger LANGUAGE plpgsql AS $usage$ BEGIN
    INSERT INTO account_usage (account_id, records, bytes) SELECT NEW.id, 0, 0 FROM account_quotas;
    RETURN NEW;
END $usage$;
CREATE TRIGGER accounts_usage AFTER INSERT ON accounts FOR EACH ROW
    WHEN (NEW.id <> '00000000-0000-0000-0000-000000000000') EXECUTE FUNCTION accounts_usage();
