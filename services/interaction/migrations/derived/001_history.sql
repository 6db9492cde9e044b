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
    data        json        NOT NULL,
    log_partition int       NOT NULL,
    log_offset  bigint      NOT NULL,
    PRIMARY KEY (record_id, event_id)
);
CREATE INDEX history_by_time ON history (record_id, time DESC, event_id DESC);
CREATE INDEX history_by_event ON history (event_id);
