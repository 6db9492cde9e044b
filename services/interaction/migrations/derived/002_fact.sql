-- What an event says beyond having happened; folded again and again, so it is stored in the order of folding.
CREATE TABLE fact (
    record_id uuid     NOT NULL,
    family    smallint NOT NULL,               -- what is folded together (domain/families.py)
    time_us   bigint   NOT NULL,
    event_id  uuid     NOT NULL,
    part      smallint NOT NULL,               -- one event may say several things
    kind      text     NOT NULL,
    key       text     NOT NULL,
    channel   text     NOT NULL,
    direction text     NOT NULL,
    source    text     NOT NULL,
    body      text     NOT NULL,               -- JSON
    PRIMARY KEY (record_id, family, time_us, event_id, part)
);

-- How far everybody was looked at again since the policy changed (runtime/review.py).
CREATE TABLE review (
    one           bool PRIMARY KEY DEFAULT true CHECK (one),
    policy_number int  NOT NULL,
    pass          int  NOT NULL DEFAULT 0,
    after         uuid
);
