CREATE TABLE api_key (
    key_id     text        PRIMARY KEY,
    name       text        NOT NULL,
    secret     bytea       NOT NULL,          -- SHA-256 of the secret part; the key itself is never stored
    scopes     text[]      NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
