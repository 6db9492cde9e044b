-- What a service decided, as events; remade with each generation. See services/runtime/eventstore.py.

CREATE TABLE decision (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX decision_by_notification ON decision (notification_id);
