-- One-time tickets for realtime connections: the credential behind each, sealed with the ticket itself.
CREATE TABLE realtime_tickets (
    token_hash TEXT COLLATE "C" PRIMARY KEY,
    credential TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ(3) NOT NULL
);
