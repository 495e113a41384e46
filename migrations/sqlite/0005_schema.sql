-- Queries that rules may use by name.
CREATE TABLE macros (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL CONSTRAINT macros_name_unique UNIQUE,
    description TEXT,
    sql_query   TEXT NOT NULL,
    -- A JSON array of names.
    parameters  TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL,
    created_by  TEXT NOT NULL
);
