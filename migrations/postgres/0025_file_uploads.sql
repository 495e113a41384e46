-- Uploads that are sent in pieces, and may be interrupted. They become files when all of their bytes are there.
CREATE TABLE file_uploads (
    id          TEXT COLLATE "C" PRIMARY KEY,
    account_id  TEXT COLLATE "C" NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
    uploaded_by TEXT COLLATE "C" NOT NULL,
    store       TEXT COLLATE "C" NOT NULL,
    name        TEXT COLLATE "C" NOT NULL,
    declared    TEXT COLLATE "C",
    size        BIGINT NOT NULL,
    -- Bytes that are there.
    received    BIGINT NOT NULL DEFAULT 0,
    -- The file that it became.
    path        TEXT COLLATE "C",
    active_at   TIMESTAMPTZ(3) NOT NULL
);
CREATE INDEX file_uploads_activity ON file_uploads (active_at);

-- Their pieces. `size` is NULL while one is being written.
CREATE TABLE file_upload_parts (
    path      TEXT COLLATE "C" PRIMARY KEY,
    upload_id TEXT COLLATE "C" NOT NULL REFERENCES file_uploads (id) ON DELETE CASCADE,
    store     TEXT COLLATE "C" NOT NULL,
    start     BIGINT NOT NULL,
    size      BIGINT
);
CREATE INDEX file_upload_parts_upload ON file_upload_parts (upload_id, start);

CREATE FUNCTION file_upload_parts_deleted() RETURNS trigger LANGUAGE plpgsql AS $deleted$ BEGIN
    INSERT INTO file_garbage (path, store) VALUES (OLD.path, OLD.store) ON CONFLICT DO NOTHING;
    RETURN OLD;
END $deleted$;
CREATE TRIGGER file_upload_parts_deleted AFTER DELETE ON file_upload_parts FOR EACH ROW
    EXECUTE FUNCTION file_upload_parts_deleted();
