-- Tokens of a session that are no longer believed: a row for each that was named, and one with an empty name for all
-- that were given out until some time but the one that asked for it. Times are Unix milliseconds.
CREATE TABLE revocations (
    session_id BLOB    NOT NULL,
    token      TEXT    NOT NULL,
    until_ms   INTEGER NOT NULL,
    except_id  TEXT,
    PRIMARY KEY (session_id, token)
) STRICT, WITHOUT ROWID;
