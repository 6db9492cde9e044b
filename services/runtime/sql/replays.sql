-- Generations beside the live one, and what people did about them; inputs, so no generation has to be made anew
-- for them. See services/runtime/replays.py.

-- Replays as events: who started, swapped, rolled back, gave up which generation, when and why. Not in input_event:
-- a database that was lost took its generations with it, so control.events must not bring these back.
CREATE TABLE replay_event (
    originator_id      uuid   NOT NULL,
    originator_version bigint NOT NULL,
    topic              text   NOT NULL,
    state              bytea  NOT NULL,
    notification_id    bigserial,
    PRIMARY KEY (originator_id, originator_version)
);
CREATE UNIQUE INDEX replay_event_by_notification ON replay_event (notification_id);

-- The one generation beside the live one: built by a rebuild, or kept after a swap. Its worker holds the row
-- FOR SHARE while it applies a batch.
CREATE TABLE beside (
    one          bool   PRIMARY KEY DEFAULT true CHECK (one),
    generation   int    NOT NULL,
    state        text   NOT NULL,             -- running, paused
    retired      bool   NOT NULL,             -- it was live, and is kept so that a swap can be rolled back
    events_per_s int    NOT NULL,             -- at most
    tables       text   NOT NULL,             -- fingerprint of its DDL
    build        text   NOT NULL,
    held_at      json,                        -- [[topic, partition, next offset]]: not beyond these, while
    held_until   timestamptz                  -- this has not come
);

-- After a swap: the keys of both generations, walked once, and told where they differ.
CREATE TABLE retelling (
    one          bool   PRIMARY KEY DEFAULT true CHECK (one),
    other        int    NOT NULL,             -- the generation that was told until then
    comparable   bool   NOT NULL,             -- false: what the other told cannot be computed; all is told
    topic        text   NOT NULL DEFAULT '',  -- how far the walk is
    after        uuid   NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    walked       bigint NOT NULL DEFAULT 0,
    told         bigint NOT NULL DEFAULT 0,
    begun_at     timestamptz NOT NULL DEFAULT now(),
    done_at      timestamptz
);

-- Parked records somebody wants to be tried again, or never; by place, so they outlive a generation.
CREATE TABLE retry (
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    first_offset bigint NOT NULL,
    by           text   NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, first_offset)
);

CREATE TABLE discarded (
    topic        text   NOT NULL,
    partition    int    NOT NULL,
    first_offset bigint NOT NULL,
    reason       text   NOT NULL,             -- it was parked for
    because      text   NOT NULL,
    by           text   NOT NULL,
    at           timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (topic, partition, first_offset)
);
