-- Tokens of a session that are no longer believed: a row for each that was named, and one with an empty name for all
-- that were given out until some time but the one that asked for it. Times are Unix milliseconds.
CREATE TABLE revocations (
    session_id uuid   NOT NULL,
    token      text   NOT NULL,
    until_ms   bigint NOT NULL,
    except_id  text,
    -- By the server's clock: relays that hear nothing of each other ask for the newest ones.
    noted_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (session_id, token)
);
CREATE INDEX revocations_by_time ON revocations (noted_at);
