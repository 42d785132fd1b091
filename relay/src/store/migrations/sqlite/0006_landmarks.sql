-- The most faces of one sample that have landmarks: such samples are large, so fewer of them are read at a time, and an
-- export knows before its first line whether it needs columns for them. No sample of before has any.
ALTER TABLE sources ADD COLUMN landmarks INTEGER NOT NULL DEFAULT 0;
