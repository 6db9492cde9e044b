-- What each event said of an address, so that any can be taken back. `dead`: taken back, or removed by its source.
-- A word lives as long as the mention (event_id, under).
CREATE TABLE reach_word (
    event_id  uuid   NOT NULL,
    under     uuid   NOT NULL,                 -- the record the event belongs to
    record_id uuid   NOT NULL,                 -- the address's own record; of a postal address `under`
    medium    text   NOT NULL,                 -- email, phone, post
    kind      text   NOT NULL,
    proves    bool   NOT NULL,                 -- the address took something
    time_us   bigint NOT NULL,
    dead      bool   NOT NULL,
    PRIMARY KEY (event_id, under, record_id)
);
-- Of an address: its last proof, and what came since.
CREATE INDEX reach_word_proof ON reach_word (record_id, medium, time_us) WHERE proves AND NOT dead;
CREATE INDEX reach_word_failure ON reach_word (record_id, medium, time_us) WHERE NOT proves AND NOT dead;
CREATE INDEX reach_word_complaint ON reach_word (record_id, medium, time_us) WHERE kind = 'complained' AND NOT dead;
