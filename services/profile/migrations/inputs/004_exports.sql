-- Copies of all that is kept of a customer, made when somebody asks for them and thrown away after a while.
CREATE TABLE export (
    export_id    uuid        PRIMARY KEY,
    customer_id  uuid        NOT NULL,
    by           text        NOT NULL,
    requested_at timestamptz NOT NULL DEFAULT now(),
    claimed_at   timestamptz,                  -- a process makes it since then; after a while another may
    state        text        NOT NULL DEFAULT 'waiting',
    position     text,                         -- all that lay before it is in the copy
    done_at      timestamptz,
    body         bytea
);
CREATE INDEX export_waiting ON export (requested_at) WHERE state = 'waiting';
CREATE INDEX export_by_customer ON export (customer_id);
