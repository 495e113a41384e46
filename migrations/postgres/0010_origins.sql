-- Where a change comes from: the request's address, client and id, as JSON.
ALTER TABLE change_log ADD COLUMN origin TEXT COLLATE "C";
