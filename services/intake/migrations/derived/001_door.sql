-- What was parked at the HTTP door; records of the raw topic are parked in `parked`.
CREATE TABLE door_parked (
    parked_id  bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source     text        NOT NULL,
    reason     text        NOT NULL,
    detail     text        NOT NULL,
    body       bytea       NOT NULL,          -- the request it came in, whole
    item       int         NOT NULL,          -- which event of the request
    parked_at  timestamptz NOT NULL DEFAULT now()
);
