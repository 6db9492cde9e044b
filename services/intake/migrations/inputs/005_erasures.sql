-- Records whose people were erased. What was asked is an event (docs/decisions/0022), this is what the doors look at;
-- `told`: the log has the word that makes the services forget.
CREATE TABLE erased_record (
    record_id  uuid        PRIMARY KEY,
    erasure_id uuid        NOT NULL,
    at         timestamptz NOT NULL,
    told       bool        NOT NULL DEFAULT false
);
CREATE INDEX erased_untold ON erased_record (record_id) WHERE NOT told;

-- What was said of them under other records, event by event: of a group's members, of who is whom.
CREATE TABLE struck_event (
    event_id   uuid        NOT NULL,
    record_id  uuid        NOT NULL,
    erasure_id uuid        NOT NULL,
    at         timestamptz NOT NULL,
    told       bool        NOT NULL DEFAULT false,
    PRIMARY KEY (event_id, record_id)
);
CREATE INDEX struck_untold ON struck_event (record_id) WHERE NOT told;
CREATE INDEX struck_by_erasure ON struck_event (erasure_id);
CREATE INDEX erased_by_erasure ON erased_record (erasure_id);

-- How far an erasure came: `position` when all its words are in the log, `done_at` when every service has forgotten.
CREATE TABLE erasure (
    erasure_id  uuid        PRIMARY KEY,
    customer_id uuid        NOT NULL,
    position    text,
    done_at     timestamptz
);
CREATE INDEX erasure_by_customer ON erasure (customer_id);

-- What the doors kept from whom they had forgotten: of each event its type and id, for whoever sends it. Kept 30 days.
CREATE TABLE suppressed (
    source     text        NOT NULL,
    event_id   uuid        NOT NULL,
    type       text        NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX suppressed_by_source ON suppressed (source, at);

ALTER TABLE door_account ADD COLUMN suppressed bigint NOT NULL DEFAULT 0;
