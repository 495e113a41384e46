-- What the trail tells of definitions is read whenever personal data in it is masked.
CREATE INDEX audit_log_definitions ON audit_log (id) WHERE table_name = 'collections';
