-- A source keeps so many gaps, and then the last of them grows: it takes in what comes between it and the next, and
-- is marked. How many there are is kept with the source, so that a commit need not count them.
ALTER TABLE sources ADD COLUMN gap_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE gaps ADD COLUMN merged INTEGER NOT NULL DEFAULT 0;
UPDATE sources SET gap_count = (SELECT count(*) FROM gaps WHERE source_key = sources.key);
