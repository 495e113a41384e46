-- Where a change comes from: the request's address, client and id, as JSON. Of what one request does, deletes and what
-- they entail say it here; the triggers of other changes cannot know it.
ALTER TABLE change_log ADD COLUMN origin TEXT;
ALTER TABLE change_context ADD COLUMN origin TEXT;
