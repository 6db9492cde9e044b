-- What events say beside money: contacts that cost something, and what somebody stated or suffered. One row an event, so
-- that copies count once and what is taken back is found.
CREATE TABLE heard (
    event_id  uuid NOT NULL,
    record_id uuid NOT NULL,
    time_us   bigint NOT NULL,                 -- when it happened, since 1970
    day       int  NOT NULL,                   -- the business day of it: days since 1970-01-01
    channel   text,                            -- null: no contact
    direction text,
    seconds   int  NOT NULL DEFAULT 0,
    said      text,                            -- domain/statements.py; null: nothing
    withdrawn bool NOT NULL,
    PRIMARY KEY (event_id, record_id)
);
CREATE INDEX heard_by_record ON heard (record_id);
CREATE INDEX heard_said ON heard (record_id) WHERE said IS NOT NULL AND NOT withdrawn;

-- A record's contacts by business day, channel and direction: sums over `heard`.
CREATE TABLE contact (
    record_id uuid   NOT NULL,
    day       int    NOT NULL,
    channel   text   NOT NULL,
    direction text   NOT NULL,
    pieces    bigint NOT NULL,
    seconds   bigint NOT NULL,
    PRIMARY KEY (record_id, day, channel, direction)
) WITH (fillfactor = 80);
