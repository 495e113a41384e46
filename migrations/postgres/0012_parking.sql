-- PostgreSQL notes in a setting of the transaction that unique values are set aside; SQLite needs a column for it.
SELECT 1;
