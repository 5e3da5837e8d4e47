-- What people call and remark of a run, and whether it is paused.
--
-- `paused` refines the status 'running' instead of being one of its own, so that no check or index of
-- the table has to be rebuilt: a paused run is owned like a running one.
ALTER TABLE runs ADD COLUMN tags TEXT NOT NULL DEFAULT '[]'
  CHECK (json_valid(tags) AND json_type(tags) = 'array');
ALTER TABLE runs ADD COLUMN note TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0
  CHECK (paused = 0 OR (paused = 1 AND status = 'running'));
