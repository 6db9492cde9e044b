-- What is compared of a record, and its blocking keys; derived from its traits by the policy in force.
CREATE TABLE likeness (
    record_id uuid     PRIMARY KEY,
    features  text     NOT NULL,               -- JSON: field → compared forms
    keys      bigint[] NOT NULL
);

CREATE TABLE blocking (
    key       bigint NOT NULL,
    record_id uuid   NOT NULL,
    PRIMARY KEY (key, record_id)
);

-- Pairs that share a key which is not full and are alike enough for somebody to look at.
CREATE TABLE similar_pair (
    a     uuid NOT NULL,
    b     uuid NOT NULL,
    joins bool NOT NULL,                       -- alike enough to join: these hold components together
    PRIMARY KEY (a, b),
    CHECK (a < b)
);
CREATE INDEX similar_pair_by_b ON similar_pair (b);

-- How far everybody was looked at again since the policy changed (runtime/review.py).
CREATE TABLE review (
    one           bool PRIMARY KEY DEFAULT true CHECK (one),
    policy_number int  NOT NULL,
    pass          int  NOT NULL DEFAULT 0,
    after         uuid
);
