-- When the relay last stored a sample of a source, by the relay's own clock: a source's clock may be wrong either way,
-- and sessions that were never completed are erased by this.
ALTER TABLE sources ADD COLUMN stored_at INTEGER;
-- Of before: by its source's clock, which cannot have been ahead of this moment, nor behind the session's begin.
UPDATE sources SET stored_at = min(last_at, CAST(strftime('%s', 'now') AS INTEGER) * 1000) WHERE last_at IS NOT NULL;
