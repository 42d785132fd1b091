-- How far a source's clock ever went back, in milliseconds, takes the place of whether it did: a range of time is
-- then found by halving the range of seqs, and the index by time, which every insert paid for, can go.
ALTER TABLE sources ADD COLUMN disorder_ms INTEGER NOT NULL DEFAULT 0;
-- Unknown where it did: all of the source is looked through.
UPDATE sources SET disorder_ms = 9007199254740991 WHERE NOT ordered;
ALTER TABLE sources DROP COLUMN ordered;
DROP INDEX samples_by_time;
