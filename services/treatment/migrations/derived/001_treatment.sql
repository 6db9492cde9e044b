-- What each event says of a treatment: kept, so that a treatment is always folded of all its words. One row an event.
CREATE TABLE word (
    event_id  uuid NOT NULL,
    record_id uuid NOT NULL,
    treatment uuid NOT NULL,                   -- of the treatment it speaks of, whatever record it came under
    said      text NOT NULL,                   -- domain/words.py
    withdrawn bool NOT NULL,
    PRIMARY KEY (event_id, record_id)
);
CREATE INDEX word_by_treatment ON word (treatment);
CREATE INDEX word_by_record ON word (record_id);           -- to forget what was said of an erased person

-- One row per treatment: where its words meet. `state` is what they come to, and what it has added to `counted`; null:
-- nothing that counts is said of it.
CREATE TABLE treated (
    treatment uuid   PRIMARY KEY,
    record_id uuid,                            -- whose decision it was, else who was shown it
    at_us     bigint,                          -- when it began, since 1970
    state     text                             -- domain/treated.py
) WITH (fillfactor = 80);
CREATE INDEX treated_by_record ON treated (record_id, at_us);
CREATE INDEX treated_at ON treated (at_us);

-- Treatments by action and, where an experiment decided, its variant: sums over `treated`.
CREATE TABLE counted (
    action_id  text   NOT NULL,
    experiment text   NOT NULL,
    variant    text   NOT NULL,
    decided    bigint NOT NULL,
    shown      bigint NOT NULL,
    accepted   bigint NOT NULL,
    rejected   bigint NOT NULL,
    PRIMARY KEY (action_id, experiment, variant)
) WITH (fillfactor = 50);
