-- A source keeps so many gaps, and then the last of them grows: it takes in what comes between it and the next, and
-- is marked. How many there are is kept with the source, so that a commit need not count them.
ALTER TABLE sources ADD COLUMN gap_count bigint NOT NULL DEFAULT 0;
ALTER TABLE gaps ADD COLUMN merged boolean NOT NULL DEFAULT false;
UPDATE sources s SET gap_count = g.count
FROM (SELECT source_key, count(*) AS count FROM gaps GROUP BY source_key) g WHERE g.source_key = s.key;
