-- What an admin sets at run time, as JSON: only what differs from the deployment's variables. No secret.
CREATE TABLE setting (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Counts the changes.
  version INTEGER NOT NULL,
  overrides TEXT NOT NULL,
  -- When the time zone was last changed here (epoch ms): day sums of before are of the zone of before.
  time_zone_since INTEGER NOT NULL
);
INSERT INTO setting VALUES (1, 0, '{}', 0);

-- Which of ENCRYPTION_KEYS an object's secrets are sealed with: found, and put right, when the newest key is another.
CREATE TABLE keyring_check (
  -- An account's id, or `notifier`.
  object TEXT PRIMARY KEY,
  -- The newest key at that time.
  newest TEXT NOT NULL,
  -- As JSON.
  key_ids TEXT NOT NULL,
  checked_at INTEGER NOT NULL
) WITHOUT ROWID;
