-- What an update's `record` leaves out: long values that did not change, `t:` and the key of a text, `j:` and that of a JSON
-- value, a comma after each. NULL unless the record had a long value before the change. What is left out is found in the
-- `previous` of the record's next entry that has it, or else in the record. An update's `previous` holds what changed.
ALTER TABLE change_log ADD COLUMN omitted TEXT COLLATE "C";
CREATE INDEX change_log_long_values ON change_log (record_id, position) WHERE omitted IS NOT NULL;
-- The last position at which fields of the collection had other names.
ALTER TABLE collections ADD COLUMN fields_renamed BIGINT NOT NULL DEFAULT 0;
