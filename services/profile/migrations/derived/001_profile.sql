CREATE TABLE binding (
    record_id   uuid   PRIMARY KEY,
    customer_id uuid   NOT NULL,
    epoch       bigint NOT NULL,
    n           bigint NOT NULL,
    generic     bool   NOT NULL,
    weight      int    NOT NULL,
    rivals      json   NOT NULL,
    erased      bool   NOT NULL            -- its person was erased, and nobody else speaks of it
) WITH (fillfactor = 85);

CREATE TABLE customer (
    customer_id uuid   PRIMARY KEY,
    n           bigint NOT NULL DEFAULT 0,
    log_time_ms bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);

-- One row per customer and service that tells of him; a null body is an emptied customer.
CREATE TABLE section (
    customer_id uuid   NOT NULL,
    service     text   NOT NULL,
    epoch       bigint NOT NULL,
    n           bigint NOT NULL,
    members     text   NOT NULL,
    body        text,                      -- JSON as it was told
    log_time_ms bigint NOT NULL,
    PRIMARY KEY (customer_id, service)
) WITH (fillfactor = 70);
