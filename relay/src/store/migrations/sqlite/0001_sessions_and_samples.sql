-- Times are Unix milliseconds. Ids are the 16 bytes of a UUID; a session's is a UUIDv7, so they sort by age.
CREATE TABLE sessions (
    id           BLOB    PRIMARY KEY NOT NULL,
    user_id      TEXT    NOT NULL,
    title        TEXT    NOT NULL,
    purpose      TEXT    NOT NULL,
    status       TEXT    NOT NULL CHECK (status IN ('active', 'completed')),
    started_at   INTEGER NOT NULL,
    completed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_by_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_by_end ON sessions (completed_at) WHERE completed_at IS NOT NULL;

-- Ids of sessions that were erased, for as long as a token of theirs may live: those who still connect are told
-- that it is over rather than that it never was. Nothing else is kept of them.
CREATE TABLE erased_sessions (
    id        BLOB    PRIMARY KEY NOT NULL,
    erased_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What each source has been answered for: through = stored + rejected + the seqs in its gaps.
-- No foreign key to sessions: a deleted session leaves its sources until its samples are swept, in chunks.
CREATE TABLE sources (
    key        INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id BLOB    NOT NULL,
    name       TEXT    NOT NULL,
    through    INTEGER NOT NULL DEFAULT 0,
    stored     INTEGER NOT NULL DEFAULT 0,
    rejected   INTEGER NOT NULL DEFAULT 0,
    first_at   INTEGER,
    last_at    INTEGER,
    -- Whether `at` never went back from one stored sample to the next: then a time range is a seq range.
    ordered    INTEGER NOT NULL DEFAULT 1,
    UNIQUE (session_id, name)
) STRICT;

-- Seqs that never came, both ends inclusive.
CREATE TABLE gaps (
    source_key INTEGER NOT NULL,
    first_seq  INTEGER NOT NULL,
    last_seq   INTEGER NOT NULL,
    PRIMARY KEY (source_key, first_seq)
) STRICT, WITHOUT ROWID;

-- faces: relay/src/store/codec.rs says what the bytes mean.
CREATE TABLE samples (
    source_key INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    faces      BLOB    NOT NULL,
    PRIMARY KEY (source_key, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX samples_by_time ON samples (source_key, at);

CREATE TABLE markers (
    session_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    at         INTEGER NOT NULL,
    label      TEXT    NOT NULL,
    source     TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (session_id, id)
) STRICT, WITHOUT ROWID;
