-- Uploaded files. `path` is what records and clients name; what holds the bytes is found in `store`. A file is `pending`
-- until all of its bytes are there.
CREATE TABLE files (
    path            TEXT PRIMARY KEY,
    id              TEXT NOT NULL,
    account_id      TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    uploaded_by     TEXT NOT NULL,
    store           TEXT NOT NULL,
    name            TEXT NOT NULL,
    mime_type       TEXT NOT NULL,
    size            INTEGER NOT NULL DEFAULT 0,
    sha256          TEXT,
    width           INTEGER,
    height          INTEGER,
    state           TEXT NOT NULL,
    created_at      TEXT NOT NULL,
    -- Since when no record names it; NULL while one does.
    unclaimed_since TEXT,
    -- Whether a record has ever named it.
    was_claimed     BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX files_account ON files (account_id, created_at);
CREATE INDEX files_unclaimed ON files (unclaimed_since) WHERE unclaimed_since IS NOT NULL;

-- Which records name which file; kept by the triggers of the collections' tables.
CREATE TABLE file_uses (
    path          TEXT NOT NULL REFERENCES files (path) ON DELETE CASCADE,
    collection_id TEXT NOT NULL,
    record_id     TEXT NOT NULL,
    PRIMARY KEY (path, collection_id, record_id)
) WITHOUT ROWID;
CREATE INDEX file_uses_record ON file_uses (collection_id, record_id);

-- Bytes whose file is gone from `files`, until they are gone from the store, too.
CREATE TABLE file_garbage (
    path  TEXT NOT NULL,
    store TEXT NOT NULL,
    PRIMARY KEY (path, store)
) WITHOUT ROWID;

-- Bytes of the stored files of each account.
CREATE TABLE file_usage (
    account_id TEXT PRIMARY KEY REFERENCES accounts (id) ON DELETE CASCADE,
    bytes      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TRIGGER file_uses_claimed AFTER INSERT ON file_uses BEGIN
    UPDATE files SET unclaimed_since = NULL, was_claimed = TRUE WHERE path = NEW.path;
END;
CREATE TRIGGER file_uses_released AFTER DELETE ON file_uses BEGIN
    UPDATE files SET unclaimed_since = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE path = OLD.path
        AND NOT EXISTS (SELECT 1 FROM file_uses u WHERE u.path = OLD.path);
END;
CREATE TRIGGER files_deleted AFTER DELETE ON files BEGIN
    INSERT OR IGNORE INTO file_garbage (path, store) VALUES (OLD.path, OLD.store);
    UPDATE file_usage SET bytes = bytes - OLD.size WHERE account_id = OLD.account_id;
END;
-- The triggers of a table that is dropped do not run.
CREATE TRIGGER collections_file_uses AFTER DELETE ON collections BEGIN
    DELETE FROM file_uses WHERE collection_id = OLD.id;
END;
