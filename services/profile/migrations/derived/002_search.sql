-- What customers are sorted and filtered by; those that identity does not tell, or no longer, are not `shown`.
-- Every list is led by the grade: one grade is a walk along its index, all of them are five, merged.
CREATE TABLE listed (
    customer_id uuid    PRIMARY KEY,
    shown       bool    NOT NULL,
    name        text    COLLATE "C" NOT NULL,             -- folded; '' for none
    unnamed     bool    GENERATED ALWAYS AS (name = '') STORED,
    grade       text    COLLATE "C" NOT NULL,             -- '' for none
    revenue     numeric NOT NULL,                         -- in the customer's own currency
    seen        int     NOT NULL                          -- quarter hours since 1970: else each event would write it
) WITH (fillfactor = 80);
CREATE INDEX listed_by_name ON listed (grade, unnamed, name, customer_id) WHERE shown;
CREATE INDEX listed_by_seen ON listed (grade, seen, customer_id) WHERE shown;
CREATE INDEX listed_by_revenue ON listed (grade, revenue, customer_id) WHERE shown;

-- By what a customer is found. `name_keys`: numbers of his name's words, each less one letter, and their beginnings.
CREATE TABLE sought (
    customer_id uuid   PRIMARY KEY,
    name_keys   int[]  NOT NULL,
    keys        text[] NOT NULL                           -- his rows of search_key
);
-- Without a list of what is still to be sorted in: whoever comes when it is full would wait for all of it.
CREATE INDEX sought_by_name ON sought USING gin (name_keys) WITH (fastupdate = off);

CREATE TABLE search_key (
    key         text   COLLATE "C" NOT NULL,              -- kind and value: domain/finding.py
    customer_id uuid   NOT NULL,
    PRIMARY KEY (key, customer_id)
);
