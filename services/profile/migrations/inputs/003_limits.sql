-- From which origins browsers may ask with a key (none: from none), and how often; null: as the settings say.
ALTER TABLE api_key ADD COLUMN origins text[] NOT NULL DEFAULT '{}', ADD COLUMN requests_per_s int;

-- Who read personal data of which customer, minute by minute. Nothing personal is in it; scopes are as they were then.
CREATE TABLE personal_read (
    customer_id uuid        NOT NULL,
    minute      timestamptz NOT NULL,
    key_id      text        NOT NULL,
    call        text        NOT NULL,                      -- method and path as in the OpenAPI document
    key_name    text        NOT NULL,
    scopes      text[]      NOT NULL,
    reads       int         NOT NULL,
    first_at    timestamptz NOT NULL,
    last_at     timestamptz NOT NULL,
    PRIMARY KEY (customer_id, minute, key_id, call)
);
CREATE INDEX personal_read_newest ON personal_read (minute, customer_id, key_id, call);
CREATE INDEX personal_read_by_key ON personal_read (key_id, minute, customer_id, call);
