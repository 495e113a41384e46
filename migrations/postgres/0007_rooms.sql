-- Which rooms there are: a pattern such as doc:{id}, and who may do what in the rooms that it names.
CREATE TABLE rooms (
    id            TEXT COLLATE "C" PRIMARY KEY,
    pattern       TEXT COLLATE "C" NOT NULL,
    -- The pattern without the names of its parts, doc:{}: no two may look the same to a room's name.
    shape         TEXT COLLATE "C" NOT NULL CONSTRAINT rooms_pattern_unique UNIQUE,
    join_rule     TEXT COLLATE "C",
    publish_rule  TEXT COLLATE "C",
    presence_rule TEXT COLLATE "C",
    -- How many messages a room remembers.
    history       BIGINT NOT NULL DEFAULT 0,
    created_at    TIMESTAMPTZ(3) NOT NULL,
    updated_at    TIMESTAMPTZ(3) NOT NULL
);
