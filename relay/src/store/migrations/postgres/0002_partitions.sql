-- Rows lie in the order in which they come, so those of recordings that run at the same time lie mixed, and reading
-- one back touches the pages of all. Sixteen parts keep most of them apart; more would cost each commit more.
ALTER TABLE samples RENAME TO samples_in_one;
ALTER INDEX samples_pkey RENAME TO samples_in_one_pkey;

-- faces: relay/src/store/codec.rs says what the bytes mean.
CREATE TABLE samples (
    source_key bigint NOT NULL,
    seq        bigint NOT NULL,
    at         bigint NOT NULL,
    faces      bytea  NOT NULL,
    PRIMARY KEY (source_key, seq)
) PARTITION BY HASH (source_key);

DO $$
BEGIN
    FOR part IN 0..15 LOOP
        EXECUTE format(
            'CREATE TABLE samples_%s PARTITION OF samples FOR VALUES WITH (MODULUS 16, REMAINDER %s)', part, part
        );
    END LOOP;
END $$;

INSERT INTO samples SELECT source_key, seq, at, faces FROM samples_in_one;
DROP TABLE samples_in_one;
