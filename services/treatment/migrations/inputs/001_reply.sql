-- What was answered under an Idempotency-Key, so that asked again it is the same decision; kept for a day. It is written
-- before the log has the decision, and outlives generations. Nothing a customer said is in it.
CREATE TABLE reply (
    treatment_id text        PRIMARY KEY,
    asked        bytea       NOT NULL,         -- SHA-256 of what was asked
    record_id    uuid        NOT NULL,         -- under whom the log has it
    told         text        NOT NULL,         -- JSON: domain/telling.py, less what rules found
    at           timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX reply_at ON reply (at);
CREATE INDEX reply_by_record ON reply (record_id);
