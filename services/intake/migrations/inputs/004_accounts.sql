-- What the doors answered for, by source and minute of arrival: what `c360 audit` compares the log with. It can be a
-- second short when a process dies, and is never too high. Kept for 30 days.
CREATE TABLE door_account (
    source     text        NOT NULL,
    minute     timestamptz NOT NULL,
    taken      bigint      NOT NULL,          -- acknowledged by the log
    parked     bigint      NOT NULL,
    refused    bigint      NOT NULL,          -- answered 503: the sender sends again
    PRIMARY KEY (source, minute)
);
CREATE INDEX door_account_by_minute ON door_account (minute);
