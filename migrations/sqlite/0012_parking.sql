-- Where the log ended when unique values were set aside to be exchanged; NULL otherwise, and after every transaction.
ALTER TABLE change_context ADD COLUMN parked_after INTEGER;
