-- What a service was told, as events; kept for ever, and told on control.events. See services/runtime/eventstore.py.

CREATE TABLE input_event (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX input_event_by_notification ON input_event (notification_id);

-- The last event that control.events surely has: see services/runtime/control.py.
CREATE TABLE input_told (
    one        bool   PRIMARY KEY DEFAULT true CHECK (one),
    told_up_to bigint NOT NULL DEFAULT 0
);
INSERT INTO input_told DEFAULT VALUES;

-- Which number of a policy counts: held while a batch decides by it. See services/runtime/policies.py.
CREATE TABLE in_force (
    name       text PRIMARY KEY,
    number     int  NOT NULL
);
