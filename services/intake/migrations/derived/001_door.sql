-- What was parked at the HTTP door stands in `parked` too, of topic `http`: its numbers are its offsets, the request it
-- came in, whole, its value.
CREATE SEQUENCE parked_at_door;

