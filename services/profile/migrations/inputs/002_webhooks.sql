-- Endpoints that are told of changes. Their secrets are made of the deployment's key (domain/webhooks.py).
CREATE TABLE webhook (
    webhook_id          text        PRIMARY KEY,
    url                 text        NOT NULL,
    types               text[]      NOT NULL,              -- empty: all
    description         text,
    timeout_ms          int         NOT NULL,
    retry_for_s         int         NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    created_by          text        NOT NULL,
    secret_number       int         NOT NULL DEFAULT 1,
    former_secret_until timestamptz,                       -- until then the number before is valid too
    disabled_at         timestamptz,
    disabled_reason     text,
    cursor              text        NOT NULL,              -- up to where changes were queued
    round               int         NOT NULL DEFAULT 0,    -- counts replays
    gap_at              timestamptz,                       -- when changes were found to be no longer kept, unsent
    failures            int         NOT NULL DEFAULT 0,    -- in a row, of the endpoint as a whole
    failing_since       timestamptz,
    paused_until        timestamptz,
    taken_at            timestamptz,                       -- when it took a delivery last
    failed_at           timestamptz,
    failed_reason       text,
    held_by             uuid,                              -- the process that delivers to it, while its lease lasts
    held_until          timestamptz
);

-- One row per endpoint and event; a taken or dead one is kept for a while, and is known by its id if it comes again.
CREATE TABLE webhook_delivery (
    delivery_id bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id  text        NOT NULL REFERENCES webhook ON DELETE CASCADE,
    event_id    text        NOT NULL,
    type        text        NOT NULL,
    customer_id uuid        NOT NULL,
    event       text        NOT NULL,                      -- the CloudEvent; nothing personal is in it
    state       text        NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'taken', 'dead')),
    round       int         NOT NULL,
    attempts    int         NOT NULL DEFAULT 0,
    queued_at   timestamptz NOT NULL DEFAULT now(),
    first_at    timestamptz,                               -- the first attempt
    due_at      timestamptz NOT NULL DEFAULT now(),
    done_at     timestamptz,
    status      int,
    reason      text,
    UNIQUE (webhook_id, event_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (webhook_id, due_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_order ON webhook_delivery (webhook_id, customer_id, delivery_id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_listed ON webhook_delivery (webhook_id, state, delivery_id);
CREATE INDEX webhook_delivery_done ON webhook_delivery (done_at) WHERE state <> 'waiting';
