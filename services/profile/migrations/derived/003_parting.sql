-- Whose a record was before it came to be its own customer, until that customer was told as parted from him.
ALTER TABLE binding ADD COLUMN former uuid;
CREATE INDEX binding_parting ON binding (record_id) INCLUDE (former) WHERE former IS NOT NULL;
