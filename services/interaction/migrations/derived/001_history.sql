-- One row per (record, event): the whole history, and what makes an event count once.
-- Not partitioned by time: a re-send has another corrected time, and must meet its first copy.
CREATE TABLE history (
    record_id   uuid        NOT NULL,
    event_id    uuid        NOT NULL,
    time        timestamptz NOT NULL,
    type        text        NOT NULL,
    channel     text        NOT NULL,
    direction   text        NOT NULL,
    source      text        NOT NULL,
    sent_id     text        NOT NULL,
    title       text        NOT NULL,
    data        text        NOT NULL,      -- JSON as it stands in the log; not parsed again to be stored
    log_partition int       NOT NULL,
    log_offset  bigint      NOT NULL,
    withdrawn   bool        NOT NULL DEFAULT false,  -- taken back: kept, and counted nowhere
    PRIMARY KEY (event_id, record_id)      -- in this order it also finds an event by its id alone
);
CREATE INDEX history_by_time ON history (record_id, time DESC, event_id DESC);
