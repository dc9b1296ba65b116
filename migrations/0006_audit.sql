-- Who changed what, one row a change. Each row's hash covers the row and the hash before it, under a key that is not
-- in this database. Two writers at once cannot both follow the same row: `seq` and `previous` are there once.
CREATE TABLE audit_entry (
  seq INTEGER PRIMARY KEY,
  at INTEGER NOT NULL,
  -- null: nobody who is known.
  actor_id TEXT,
  actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  -- JSON without secrets; null: there was, or is, nothing.
  before TEXT,
  after TEXT,
  -- Which of ENCRYPTION_KEYS the hash was made with.
  key_id TEXT NOT NULL,
  previous TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL
);
CREATE INDEX audit_entry_target ON audit_entry (target, action);
