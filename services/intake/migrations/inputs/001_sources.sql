CREATE TABLE source (
    name       text        PRIMARY KEY,
    settings   json        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE write_key (
    key_hash   bytea       PRIMARY KEY,       -- SHA-256; the key itself is never stored
    source     text        NOT NULL REFERENCES source (name),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
