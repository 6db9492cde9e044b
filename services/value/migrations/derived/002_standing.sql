-- What a model says of a customer as of the last day on which anything of it changed, beside what is told of him: so
-- that silence finds whom it moves next, and lists need not look at everybody. Written under the customer's lock.
CREATE TABLE standing (
    group_id uuid PRIMARY KEY,
    day      int  NOT NULL,                    -- days since 1970-01-01: as of then he was told
    grade    text NOT NULL,                    -- '' where revenue grades
    state    text,                             -- active, at_risk, lapsed, defected; null: he never bought
    left_day int,                              -- since when he is lapsed or defected
    cause    text,                             -- why, of who is lapsed or defected; null: nobody knows
    due_day  int                               -- the day on which silence changes any of it; null: no day
);
CREATE INDEX standing_due ON standing (due_day) WHERE due_day IS NOT NULL;
CREATE INDEX standing_left ON standing (left_day) WHERE left_day IS NOT NULL;
