-- Joins that wait for somebody's word, because both sides are so large; kept with what was decided last.
CREATE TABLE held (
    a      uuid NOT NULL,
    b      uuid NOT NULL,
    reason text NOT NULL,                      -- held, or oversized: the strongest pair that was cut
    PRIMARY KEY (a, b),
    CHECK (a < b)
);
CREATE INDEX held_by_b ON held (b);
