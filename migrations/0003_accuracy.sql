-- Share of validation examples that a classifier got right; NULL for language models.
ALTER TABLE validations ADD COLUMN accuracy REAL
  CHECK (accuracy IS NULL OR (accuracy >= 0 AND accuracy <= 1));
ALTER TABLE runs ADD COLUMN last_accuracy REAL;
ALTER TABLE runs ADD COLUMN best_accuracy REAL;

-- The best accuracy is asked for with every batch of metrics.
CREATE INDEX validations_by_accuracy ON validations (run_id, accuracy) WHERE accuracy IS NOT NULL;
