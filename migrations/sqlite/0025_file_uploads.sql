-- Uploads that are sent in pieces, and may be interrupted. They become files when all of their bytes are there.
CREATE TABLE file_uploads (
    id          TEXT PRIMARY KEY,
    account_id  TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    uploaded_by TEXT NOT NULL,
    store       TEXT NOT NULL,
    name        TEXT NOT NULL,
    declared    TEXT,
    size        INTEGER NOT NULL,
    -- Bytes that are there.
    received    INTEGER NOT NULL DEFAULT 0,
    -- The file that it became.
    path        TEXT,
    active_at   TEXT NOT NULL
);
CREATE INDEX file_uploads_activity ON file_uploads (active_at);

-- Their pieces. `size` is NULL while one is being written.
CREATE TABLE file_upload_parts (
    path      TEXT PRIMARY KEY,
    upload_id TEXT NOT NULL REFERENCES file_uploads (id) ON DELETE CASCADE,
    store     TEXT NOT NULL,
    start     INTEGER NOT NULL,
    size      INTEGER
) WITHOUT ROWID;
CREATE INDEX file_upload_parts_upload ON file_upload_parts (upload_id, start);

CREATE TRIGGER file_upload_parts_deleted AFTER DELETE ON file_upload_parts BEGIN
    INSERT OR IGNORE INTO file_garbage (path, store) VALUES (OLD.path, OLD.store);
END;
