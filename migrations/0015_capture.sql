-- Keys whose requests are or were captured. What was captured is sealed in an object of the key's own, not here.
CREATE TABLE capture (
  key_id TEXT PRIMARY KEY,
  started_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  -- From then on there is nothing left of it.
  erase_at INTEGER NOT NULL,
  -- Requests, and bytes of each request and answer.
  count INTEGER NOT NULL,
  bytes INTEGER NOT NULL
) WITHOUT ROWID;
