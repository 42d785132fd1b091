-- Times are Unix milliseconds. A session's id is a UUIDv7, so they sort by age.
CREATE TABLE sessions (
    id           uuid   PRIMARY KEY,
    user_id      text   NOT NULL,
    title        text   NOT NULL,
    purpose      text   NOT NULL,
    status       text   NOT NULL CHECK (status IN ('active', 'completed')),
    started_at   bigint NOT NULL,
    completed_at bigint
);
CREATE INDEX sessions_by_user ON sessions (user_id, id DESC);
CREATE INDEX sessions_by_end ON sessions (completed_at) WHERE completed_at IS NOT NULL;

-- Ids of sessions that were erased, for as long as a token of theirs may live: those who still connect are told
-- that it is over rather than that it never was. Nothing else is kept of them.
CREATE TABLE erased_sessions (
    id        uuid   PRIMARY KEY,
    erased_at bigint NOT NULL
);

-- What each source has been answered for: through = stored + rejected + the seqs in its gaps.
-- No foreign key to sessions: a deleted session leaves its sources until its samples are swept, in chunks.
CREATE TABLE sources (
    key         bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session_id  uuid    NOT NULL,
    -- Sorts byte by byte, whatever the database's locale.
    name        text    COLLATE "C" NOT NULL,
    through     bigint  NOT NULL DEFAULT 0,
    stored      bigint  NOT NULL DEFAULT 0,
    rejected    bigint  NOT NULL DEFAULT 0,
    first_at    bigint,
    last_at     bigint,
    -- How far `at` ever went back, milliseconds.
    disorder_ms bigint  NOT NULL DEFAULT 0,
    -- Set with the session's end, under this row's lock: a commit, which holds that lock too, takes nothing more.
    ended       boolean NOT NULL DEFAULT false,
    UNIQUE (session_id, name)
    -- Every commit updates its rows: with room on the page that touches no index.
) WITH (fillfactor = 50);

-- Seqs that never came, both ends inclusive.
CREATE TABLE gaps (
    source_key bigint NOT NULL,
    first_seq  bigint NOT NULL,
    last_seq   bigint NOT NULL,
    PRIMARY KEY (source_key, first_seq)
);

-- faces: relay/src/store/codec.rs says what the bytes mean.
CREATE TABLE samples (
    source_key bigint NOT NULL,
    seq        bigint NOT NULL,
    at         bigint NOT NULL,
    faces      bytea  NOT NULL,
    PRIMARY KEY (source_key, seq)
);

CREATE TABLE markers (
    session_id uuid   NOT NULL,
    id         uuid   NOT NULL,
    at         bigint NOT NULL,
    label      text   NOT NULL,
    source     text,
    created_at bigint NOT NULL,
    PRIMARY KEY (session_id, id)
);
