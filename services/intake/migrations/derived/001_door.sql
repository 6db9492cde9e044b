-- What was parked at the HTTP door stands in `parked` too, of topic `http`: its numbers are its offsets, the request it
-- came in, whole, its value.
CREATE SEQUENCE parked_at_door;

-- Whoever holds a source's write key asks for its newest, however many there are.
CREATE INDEX parked_by_source ON parked (source, parked_at DESC);
