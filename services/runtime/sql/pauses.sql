-- Lanes that people told to rest: one row a pause, kept for ever, open until somebody lets the lane go on. An input, so
-- it outlives workers, generations and swaps. See services/runtime/pauses.py.
CREATE TABLE lane_pause (
    number       bigserial   PRIMARY KEY,
    lane         text        NOT NULL,
    since        timestamptz NOT NULL DEFAULT now(),
    by           text        NOT NULL,
    reason       text        NOT NULL,
    resumed_at   timestamptz,
    resumed_by   text,
    because      text
);
CREATE UNIQUE INDEX lane_paused ON lane_pause (lane) WHERE resumed_at IS NULL;
