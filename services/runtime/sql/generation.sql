-- What every generation of every service has beside the service's own tables.

CREATE TABLE position (
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    topic_id     text   NOT NULL,
    next_offset  bigint NOT NULL,
    log_time_ms  bigint NOT NULL DEFAULT 0,   -- log-append time of the last record applied
    PRIMARY KEY (topic, partition)
) WITH (fillfactor = 50);

-- States that were changed and may not have been told yet: written with the change, deleted after the ack.
-- One row of `telling` a transaction says which records it applied, one marker a state what it changed.
CREATE SEQUENCE telling_number;

CREATE TABLE telling (
    telling       bigint   PRIMARY KEY,
    topics        text[]   NOT NULL,
    partitions    int[]    NOT NULL,
    first_offsets bigint[] NOT NULL,
    at            timestamptz NOT NULL DEFAULT now()
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

CREATE TABLE marker (
    telling      bigint NOT NULL,
    out_topic    text   NOT NULL,
    key          uuid   NOT NULL,
    epoch        bigint NOT NULL,
    n            bigint NOT NULL,
    detail       json,
    PRIMARY KEY (telling, out_topic, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000);

CREATE TABLE parked (
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    first_offset bigint NOT NULL,
    reason       text   NOT NULL,
    detail       text   NOT NULL DEFAULT '',
    source       text   NOT NULL DEFAULT '',
    build        text   NOT NULL DEFAULT '',
    key          bytea,
    value        bytea,
    headers      json,
    parked_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, first_offset)
);

CREATE TABLE lane (
    lane         text NOT NULL,
    worker_index int  NOT NULL,
    state        text NOT NULL,
    reason       text NOT NULL DEFAULT '',
    build        text NOT NULL DEFAULT '',
    pid          int  NOT NULL,
    counts       json,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (lane, worker_index)
);

CREATE TABLE tally (
    outcome      text   NOT NULL,
    bucket       int    NOT NULL,
    count        bigint NOT NULL,
    PRIMARY KEY (outcome, bucket)
) WITH (fillfactor = 50);

-- Events taken back (services/runtime/withdrawing.py). The count's row is the lock between taking back and applying.
CREATE TABLE withdrawal (
    event_id     uuid   PRIMARY KEY
);

CREATE TABLE withdrawal_count (
    n            bigint NOT NULL
) WITH (fillfactor = 10);
INSERT INTO withdrawal_count VALUES (0);

-- Records whose people were erased, and single events that others said of them: nothing of it is kept, whatever comes.
CREATE TABLE erased (
    record_id    uuid   PRIMARY KEY
);

CREATE TABLE erased_event (
    event_id     uuid   NOT NULL,
    record_id    uuid   NOT NULL,
    PRIMARY KEY (event_id, record_id)
);
