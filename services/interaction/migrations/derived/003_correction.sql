-- Which event took which back, and what stands for it: one row for every word that does, whether or not its event came.
CREATE TABLE correction (
    target      uuid        NOT NULL,          -- the event taken back
    event_id    uuid        NOT NULL,          -- the event.retracted
    record_id   uuid        NOT NULL,          -- of the latter
    time        timestamptz NOT NULL,          -- of the latter
    reason      text,
    replacement uuid,                          -- the event that stands for it
    PRIMARY KEY (target, event_id, record_id)
);
CREATE INDEX correction_by_replacement ON correction (replacement) WHERE replacement IS NOT NULL;
