-- Who is in which segment; written where a customer's sections are, and when everybody is looked at again.
CREATE TABLE membership (
    segment_id  text   COLLATE "C" NOT NULL,
    customer_id uuid   NOT NULL,
    since_ms    bigint NOT NULL,
    ageing      bool   NOT NULL,                          -- waiting may end it, though nothing happens
    PRIMARY KEY (segment_id, customer_id)
);
CREATE INDEX membership_by_customer ON membership (customer_id);

-- How far everybody was looked at again since the segments changed (runtime/review.py).
CREATE TABLE review (
    one           bool PRIMARY KEY DEFAULT true CHECK (one),
    policy_number int  NOT NULL,
    pass          int  NOT NULL DEFAULT 0,
    after         uuid
);

-- How far everybody was looked at again because time went by; `after` is null between two rounds.
CREATE TABLE sweep (
    one     bool   PRIMARY KEY DEFAULT true CHECK (one),
    began_s bigint NOT NULL DEFAULT 0,
    after   uuid
);
INSERT INTO sweep DEFAULT VALUES;
