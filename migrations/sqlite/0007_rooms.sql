-- Which rooms there are: a pattern such as doc:{id}, and who may do what in the rooms that it names.
CREATE TABLE rooms (
    id            TEXT PRIMARY KEY,
    pattern       TEXT NOT NULL,
    -- The pattern without the names of its parts, doc:{}: no two may look the same to a room's name.
    shape         TEXT NOT NULL CONSTRAINT rooms_pattern_unique UNIQUE,
    join_rule     TEXT,
    publish_rule  TEXT,
    presence_rule TEXT,
    -- How many messages a room remembers.
    history       INTEGER NOT NULL DEFAULT 0,
    created_at    TEXT NOT NULL,
    updated_at    TEXT NOT NULL
);
