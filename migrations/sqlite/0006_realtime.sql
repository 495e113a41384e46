-- One-time tickets for realtime connections: the credential behind each, sealed with the ticket itself.
CREATE TABLE realtime_tickets (
    token_hash TEXT PRIMARY KEY,
    credential TEXT NOT NULL,
    expires_at TEXT NOT NULL
);
