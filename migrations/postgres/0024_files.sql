-- Uploaded files. `path` is what records and clients name; what holds the bytes is found in `store`. A file is `pending`
-- until all of its bytes are there.
CREATE TABLE files (
    path            TEXT COLLATE "C" PRIMARY KEY,
    id              TEXT COLLATE "C" NOT NULL,
    account_id      TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    uploaded_by     TEXT COLLATE "C" NOT NULL,
    store           TEXT COLLATE "C" NOT NULL,
    name            TEXT COLLATE "C" NOT NULL,
    mime_type       TEXT COLLATE "C" NOT NULL,
    size            BIGINT NOT NULL DEFAULT 0,
    sha256          TEXT COLLATE "C",
    width           BIGINT,
    height          BIGINT,
    state           TEXT COLLATE "C" NOT NULL,
    created_at      TIMESTAMPTZ(3) NOT NULL,
    -- Since when no record names it; NULL while one does.
    unclaimed_since TIMESTAMPTZ(3),
    -- Whether a record has ever named it.
    was_claimed     BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX files_account ON files (account_id, created_at);
CREATE INDEX files_unclaimed ON files (unclaimed_since) WHERE unclaimed_since IS NOT NULL;

-- Which records name which file; kept by the triggers of the collections' tables.
CREATE TABLE file_uses (
    path          TEXT COLLATE "C" NOT NULL REFERENCES files (path) ON DELETE CASCADE,
    collection_id TEXT COLLATE "C" NOT NULL,
    record_id     TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (path, collection_id, record_id)
);
CREATE INDEX file_uses_record ON file_uses (collection_id, record_id);

-- Bytes whose file is gone from `files`, until they are gone from the store, too.
CREATE TABLE file_garbage (
    path  TEXT COLLATE "C" NOT NULL,
    store TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (path, store)
);

-- Bytes of the stored files of each account.
CREATE TABLE file_usage (
    account_id TEXT COLLATE "C" PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    bytes      BIGINT NOT NULL
);

-- The row of the file is changed each time: a delete of it that waits for this transaction looks at it again.
CREATE FUNCTION file_uses_claimed() RETURNS trigger LANGUAGE plpgsql AS $claimed$ BEGIN
    UPDATE files SET unclaimed_since = NULL, was_claimed = TRUE WHERE path = NEW.path;
    RETURN NEW;
END $claimed$;
CREATE TRIGGER file_uses_claimed AFTER INSERT ON file_uses FOR EACH ROW EXECUTE FUNCTION file_uses_claimed();
CREATE FUNCTION file_uses_released() RETURNS trigger LANGUAGE plpgsql AS $released$ BEGIN
    UPDATE files SET unclaimed_since = clock_timestamp() WHERE path = OLD.path
        AND NOT EXISTS (SELECT 1 FROM file_uses u WHERE u.path = OLD.path);
    RETURN OLD;
END $released$;
CREATE TRIGGER file_uses_released AFTER DELETE ON file_uses FOR EACH ROW EXECUTE FUNCTION file_uses_released();
CREATE FUNCTION files_deleted() RETURNS trigger LANGUAGE plpgsql AS $deleted$ BEGIN
    INSERT INTO file_garbage (path, store) VALUES (OLD.path, OLD.store) ON CONFLICT DO NOTHING;
    UPDATE file_usage SET bytes = bytes - OLD.size WHERE account_id = OLD.account_id;
    RETURN OLD;
END $deleted$;
CREATE TRIGGER files_deleted AFTER DELETE ON files FOR EACH ROW EXECUTE FUNCTION files_deleted();
-- The triggers of a table that is dropped do not run.
CREATE FUNCTION collections_file_uses() RETURNS trigger LANGUAGE plpgsql AS $uses$ BEGIN
    DELETE FROM file_uses WHERE collection_id = OLD.id;
    RETURN OLD;
END $uses$;
CREATE TRIGGER collections_file_uses AFTER DELETE ON collections FOR EACH ROW EXECUTE FUNCTION collections_file_uses();
