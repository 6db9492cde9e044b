-- Tracking plans: what a source promised to send. The highest version of a source is in force; all are kept.
CREATE TABLE plan (
    source     text        NOT NULL REFERENCES source (name),
    version    int         NOT NULL,
    document   json        NOT NULL,
    by         text        NOT NULL,
    reason     text        NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, version)
);

-- How many events broke which rule. Copies count: what is sent again breaks it again.
CREATE TABLE plan_violation (
    source     text        NOT NULL,
    version    int         NOT NULL,
    type       text        NOT NULL,          -- as the plan names it; * for types it does not list
    rule       text        NOT NULL,          -- a place in the plan, never what was sent
    count      bigint      NOT NULL,
    first_at   timestamptz NOT NULL DEFAULT now(),
    last_at    timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (source, version, type, rule)
);
