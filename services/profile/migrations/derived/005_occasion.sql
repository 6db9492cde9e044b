-- What is still to be told of customers because it comes to pass, at its time, or when they are shown; follows the
-- sections. `word` is the first of `words`, by which it is known (domain/occasions.py).
CREATE TABLE occasion (
    customer_id uuid   NOT NULL,
    kind        text   COLLATE "C" NOT NULL,              -- the event's type
    word        uuid   NOT NULL,
    words       uuid[] NOT NULL,
    due_us      bigint NOT NULL,                          -- 0: at once
    about       text   NOT NULL,                          -- JSON as it will be told
    shown       bool   NOT NULL,                          -- of who is not shown nothing is told
    PRIMARY KEY (customer_id, kind, word)
);
CREATE INDEX occasion_due ON occasion (due_us) WHERE shown;

-- Of which words an occasion was told, whoever was the customer.
CREATE TABLE occasion_told (
    word uuid PRIMARY KEY
);
