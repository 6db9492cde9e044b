-- What each event said, so that any can be taken back. `dead`: taken back, or removed by its source.
CREATE TABLE mention (
    event_id  uuid   NOT NULL,
    record_id uuid   NOT NULL,
    source    text   NOT NULL,
    time_us   bigint NOT NULL,
    first_us  bigint NOT NULL,
    seen      bool   NOT NULL,                 -- false: it speaks of its record without having seen it
    said      text,                            -- JSON: other records, traits; mostly nothing
    dead      bool   NOT NULL,
    PRIMARY KEY (event_id, record_id)
);
CREATE INDEX mention_by_record ON mention (record_id);

-- contact.removed: what a source said under a record up to then is no evidence.
CREATE TABLE removal (
    record_id uuid   NOT NULL,
    source    text   NOT NULL,
    until_us  bigint NOT NULL,
    PRIMARY KEY (record_id, source)
);

-- Evidence: minima and maxima over living mentions, so the rows do not depend on the order events came in.
CREATE TABLE record (
    record_id   uuid   PRIMARY KEY,
    type        text   NOT NULL,
    value       text   NOT NULL,
    first_us    bigint NOT NULL,
    sources     text[] NOT NULL,
    customer_id uuid   NOT NULL,               -- the binding, and what it says beside the customer
    n           bigint NOT NULL,
    generic     bool   NOT NULL DEFAULT false,
    weight      int    NOT NULL DEFAULT 0,
    rivals      json   NOT NULL DEFAULT '[]',
    log_time_ms bigint NOT NULL DEFAULT 0,
    dead        bool   NOT NULL DEFAULT false  -- nothing that counts mentions it any more
) WITH (fillfactor = 80);
CREATE INDEX record_by_customer ON record (customer_id);

CREATE TABLE link (
    a        uuid     NOT NULL,
    b        uuid     NOT NULL,
    kind     smallint NOT NULL,                -- 0 seen together, 1 alias
    first_us bigint   NOT NULL,
    event_id uuid     NOT NULL,
    source   text     NOT NULL,
    PRIMARY KEY (a, b, kind),
    CHECK (a < b)
);
CREATE INDEX link_by_b ON link (b);

CREATE TABLE assertion (
    a        uuid   NOT NULL,
    b        uuid   NOT NULL,
    same     bool   NOT NULL,
    time_us  bigint NOT NULL,
    event_id uuid   NOT NULL,
    reason   text   NOT NULL,
    actor    text   NOT NULL,
    PRIMARY KEY (a, b, event_id),
    CHECK (a < b)
);
CREATE INDEX assertion_by_b ON assertion (b);

CREATE TABLE trait (
    record_id  uuid   NOT NULL,
    name       text   NOT NULL,
    digest     bytea  NOT NULL,                -- of the value, which may be long
    value      json   NOT NULL,
    first_us   bigint NOT NULL,
    last_us    bigint NOT NULL,
    last_event uuid   NOT NULL,
    source     text   NOT NULL,
    PRIMARY KEY (record_id, name, digest)
);

-- `told` is the section as it stands; an emptied customer keeps its row, so that n never starts again.
CREATE TABLE customer (
    customer_id uuid   PRIMARY KEY,
    n           bigint NOT NULL DEFAULT 0,
    members     text   NOT NULL DEFAULT '',
    told        text,
    log_time_ms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
