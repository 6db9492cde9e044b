-- What the nightly refit came to, one row a business day on which it was due. Losing it costs one more refit.
CREATE TABLE refit (
    day      int         PRIMARY KEY,             -- days since 1970-01-01, of the hour at which it was due
    outcome  text        NOT NULL CHECK (outcome IN ('promoted', 'refused', 'too_little')),
    version  int,                                 -- of the model that was fitted
    reasons  text[]      NOT NULL DEFAULT '{}',   -- what spoke against it
    document text,                                -- of what was refused the policy that has it, as JSON
    at       timestamptz NOT NULL DEFAULT now()
);
