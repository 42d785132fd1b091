-- When a relay last stored a sample of a source, by the relay's own clock: a source's clock may be wrong either way,
-- and sessions that were never completed are erased by this.
ALTER TABLE sources ADD COLUMN stored_at bigint;
-- Of before: by its source's clock, which cannot have been ahead of this moment, nor behind the session's begin.
UPDATE sources SET stored_at = least(last_at, (extract(epoch FROM now()) * 1000)::bigint) WHERE last_at IS NOT NULL;
