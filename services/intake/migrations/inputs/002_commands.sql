-- When a command was first heard, so that one sent again under its id is the same event. Kept for 30 days.
CREATE TABLE command (
    sent_id    text        PRIMARY KEY,
    digest     bytea       NOT NULL,          -- of its content
    first_at   timestamptz NOT NULL
);
CREATE INDEX command_by_first_at ON command (first_at);
