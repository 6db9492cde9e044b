-- What each event says of money: kept, so that an order is always folded of all its entries.
CREATE TABLE entry (
    event_id  uuid NOT NULL,
    record_id uuid NOT NULL,
    order_id  uuid NOT NULL,                   -- of the business key, whatever records its entries came under
    body      text NOT NULL,                   -- domain/entries.py
    withdrawn bool NOT NULL,
    PRIMARY KEY (event_id, record_id)
);
CREATE INDEX entry_by_order ON entry (order_id);
CREATE INDEX entry_by_record ON entry (record_id);         -- to forget what an erased person said

-- One row per business key (order, invoice, charge, cost): where its entries meet. `cells` is what it has added
-- to the days of its owner, and is taken out again when it becomes another.
CREATE TABLE orders (
    order_id   uuid   PRIMARY KEY,
    key        text   NOT NULL DEFAULT '',
    owner      uuid,
    currency   text,
    ordered_us bigint,                         -- null: it is nobody's yet, or counts as if it never had been
    status     text   NOT NULL DEFAULT 'waiting',
    shadowed   int    NOT NULL DEFAULT 0,
    flags      text[] NOT NULL DEFAULT '{}',
    cells      text   NOT NULL DEFAULT '[]',
    items      text   NOT NULL DEFAULT '[]'    -- JSON: the products of an order of which anything is left
) WITH (fillfactor = 80);
CREATE INDEX orders_by_owner ON orders (owner, ordered_us);

-- A record's business days, by area ('' is all of them) and currency; amounts in 10⁻⁴ of the unit.
CREATE TABLE day (
    record_id   uuid   NOT NULL,
    day         int    NOT NULL,               -- days since 1970-01-01
    area        text   NOT NULL,
    currency    text   NOT NULL,
    orders      bigint NOT NULL,
    net         bigint NOT NULL,
    paid        bigint NOT NULL,
    refunds     bigint NOT NULL,
    margin      bigint NOT NULL,
    unknown_net bigint NOT NULL,
    cost        bigint NOT NULL,
    PRIMARY KEY (record_id, day, area, currency)
) WITH (fillfactor = 80);

-- How far everybody was looked at again since the policy changed (runtime/review.py).
CREATE TABLE review (
    one           bool PRIMARY KEY DEFAULT true CHECK (one),
    policy_number int  NOT NULL,
    pass          int  NOT NULL DEFAULT 0,
    after         uuid
);
