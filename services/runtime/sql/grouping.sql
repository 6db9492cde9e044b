-- Members and groups: see services/runtime/grouping.py.

CREATE TABLE member (
    member_id    uuid   PRIMARY KEY,
    group_id     uuid   NOT NULL,
    epoch        bigint NOT NULL DEFAULT 0,   -- version of the binding that put it there
    n            bigint NOT NULL DEFAULT 0,
    state        text                         -- JSON; the domain writes and reads it
) WITH (fillfactor = 70);
CREATE INDEX member_by_group ON member (group_id);

CREATE TABLE grp (
    group_id     uuid   PRIMARY KEY,
    n            bigint NOT NULL DEFAULT 0,
    log_time_ms  bigint NOT NULL DEFAULT 0,
    due_at       timestamptz,
    part         text                         -- JSON: what is told of the group beside its members' states, if anything
) WITH (fillfactor = 70);
CREATE INDEX grp_due ON grp (due_at) WHERE due_at IS NOT NULL;
