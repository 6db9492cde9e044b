-- What each group event said, so that any can be taken back. `dead`: taken back.
CREATE TABLE group_word (
    event_id  uuid   NOT NULL,
    group_id  uuid   NOT NULL,                 -- the group's record
    type      text   NOT NULL,
    value     text   NOT NULL,
    time_us   bigint NOT NULL,
    facts     text   NOT NULL,                 -- JSON: field → canonical JSON
    member_id uuid,                            -- the record of the person in it
    joins     bool   NOT NULL,                 -- false: he left
    role      text,
    dead      bool   NOT NULL,
    PRIMARY KEY (event_id, group_id)
);
CREATE INDEX group_word_by_member ON group_word (group_id, member_id);
CREATE INDEX group_word_of_member ON group_word (member_id) WHERE member_id IS NOT NULL;

-- Groups and who belongs to them: what stands of all living words, so the rows do not depend on their order.
CREATE TABLE group_record (
    record_id uuid   PRIMARY KEY,
    type      text   NOT NULL,
    value     text   NOT NULL,
    since_us  bigint NOT NULL,
    facts     text   NOT NULL                  -- JSON: field → [time_us, event id, canonical JSON]
);

CREATE TABLE group_part (
    group_id    uuid   NOT NULL,
    member_id   uuid   NOT NULL,
    since_us    bigint,                        -- null: no member now
    since_event uuid,
    said_us     bigint,                        -- who said the role
    said_event  uuid,
    role        text,
    left_us     bigint,
    left_event  uuid,
    PRIMARY KEY (group_id, member_id)
);
CREATE INDEX group_part_present ON group_part (group_id) WHERE since_us IS NOT NULL;
CREATE INDEX group_part_by_member ON group_part (member_id) WHERE since_us IS NOT NULL;
