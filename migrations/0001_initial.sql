-- The first schema. Never edited once released: a change is a new file with the next number.
--
-- Counts that fit a file or a step are INTEGER. MACs and float counts are REAL, which holds every
-- JavaScript number exactly as it was given. Times are ISO 8601 in UTC, so their text sorts by time.

CREATE TABLE datasets (
  id                TEXT PRIMARY KEY CHECK (id GLOB 'd-?*'),
  name              TEXT NOT NULL UNIQUE CHECK (name <> ''),
  source            TEXT NOT NULL,
  source_bytes      INTEGER NOT NULL CHECK (source_bytes >= 0),
  source_sha256     TEXT NOT NULL CHECK (length(source_sha256) = 64),
  tokenizer         TEXT NOT NULL CHECK (tokenizer <> ''),
  vocabulary        INTEGER NOT NULL CHECK (vocabulary > 0),
  validation_share  REAL NOT NULL CHECK (validation_share > 0 AND validation_share < 1),
  train_tokens      INTEGER NOT NULL CHECK (train_tokens >= 0),
  validation_tokens INTEGER NOT NULL CHECK (validation_tokens >= 0),
  created_at        TEXT NOT NULL
) STRICT;

-- "Was this very text imported already?"
CREATE INDEX datasets_by_content ON datasets (source_sha256, tokenizer, validation_share);

-- `backend` has no CHECK: a new backend should not need this table rebuilt.
-- Runs outlive no dataset, but a dataset with runs cannot be deleted by accident: RESTRICT.
CREATE TABLE runs (
  id                    TEXT PRIMARY KEY CHECK (id GLOB 'r-?*'),
  name                  TEXT NOT NULL CHECK (name <> ''),
  status                TEXT NOT NULL CHECK (status IN
                          ('queued', 'running', 'stopped', 'interrupted', 'failed', 'finished')),
  error                 TEXT CHECK (error IS NULL OR json_valid(error)),
  config                TEXT NOT NULL CHECK (json_valid(config)),
  dataset_id            TEXT NOT NULL REFERENCES datasets (id) ON DELETE RESTRICT,
  backend               TEXT NOT NULL CHECK (backend <> ''),
  device                TEXT,
  created_at            TEXT NOT NULL,
  started_at            TEXT,
  ended_at              TEXT,

  -- Cost of the configuration, known at creation.
  parameters            INTEGER NOT NULL CHECK (parameters >= 0),
  macs                  REAL NOT NULL CHECK (macs >= 0),
  attention_macs        REAL NOT NULL CHECK (attention_macs >= 0),
  attention_floats      REAL NOT NULL CHECK (attention_floats >= 0),

  -- Summary of the metrics below, written in the transaction that changes them.
  step                  INTEGER NOT NULL DEFAULT 0 CHECK (step >= 0),
  tokens                INTEGER NOT NULL DEFAULT 0 CHECK (tokens >= 0),
  last_train_loss       REAL,
  last_validation_loss  REAL,
  best_validation_loss  REAL,
  best_step             INTEGER,
  milliseconds_per_step REAL,
  peak_tensor_bytes     INTEGER,
  peak_rss_bytes        INTEGER,

  -- The process that runs or queues it. `owner_started` tells a reused pid from the owner.
  owner_pid             INTEGER,
  owner_started         TEXT,

  CHECK ((status = 'failed') = (error IS NOT NULL)),
  CHECK ((best_validation_loss IS NULL) = (best_step IS NULL)),
  CHECK ((status IN ('queued', 'running')) = (owner_pid IS NOT NULL))
) STRICT;

CREATE INDEX runs_by_name ON runs (name);
CREATE INDEX runs_by_creation ON runs (created_at);
CREATE INDEX runs_by_dataset ON runs (dataset_id);
CREATE INDEX runs_owned ON runs (status) WHERE status IN ('queued', 'running');

CREATE TABLE steps (
  run_id          TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step            INTEGER NOT NULL CHECK (step >= 0),
  loss            REAL NOT NULL,
  gradient_norm   REAL NOT NULL,
  learning_rate   REAL NOT NULL,
  milliseconds    REAL NOT NULL CHECK (milliseconds >= 0),
  tokens          INTEGER NOT NULL CHECK (tokens >= 0),
  tensor_bytes    INTEGER NOT NULL CHECK (tensor_bytes >= 0),
  rss_bytes       INTEGER NOT NULL CHECK (rss_bytes >= 0),
  elapsed_seconds REAL NOT NULL CHECK (elapsed_seconds >= 0),
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE validations (
  run_id       TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step         INTEGER NOT NULL CHECK (step >= 0),
  loss         REAL NOT NULL,
  tokens       INTEGER NOT NULL CHECK (tokens >= 0),
  milliseconds REAL NOT NULL CHECK (milliseconds >= 0),
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

-- The best validation is asked for with every batch of metrics.
CREATE INDEX validations_by_loss ON validations (run_id, loss, step);

CREATE TABLE checkpoints (
  run_id          TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  step            INTEGER NOT NULL CHECK (step >= 0),
  folder          TEXT NOT NULL CHECK (folder <> ''),
  bytes           INTEGER NOT NULL CHECK (bytes >= 0),
  validation_loss REAL,
  best            INTEGER NOT NULL CHECK (best IN (0, 1)),
  created_at      TEXT NOT NULL,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX checkpoints_one_best ON checkpoints (run_id) WHERE best = 1;

CREATE TABLE logs (
  id      INTEGER PRIMARY KEY,
  run_id  TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
  time    TEXT NOT NULL,
  level   TEXT NOT NULL CHECK (level IN ('info', 'warning', 'error')),
  message TEXT NOT NULL
) STRICT;

CREATE INDEX logs_by_run ON logs (run_id, id);
