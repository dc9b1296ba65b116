-- Proxies that accounts share. No password in any form: those are sealed in the proxies' own objects.
CREATE TABLE proxy (
  id TEXT PRIMARY KEY,
  config TEXT NOT NULL
) WITHOUT ROWID;

-- Who has been reminded of which end, so that each reminder is sent once.
CREATE TABLE expiry_reminder (
  subject TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  stage TEXT NOT NULL,
  PRIMARY KEY (subject, expires_at, stage)
) WITHOUT ROWID;

-- Keys that end are looked for every few minutes, and most have no end.
CREATE INDEX relay_key_by_expiry ON relay_key (config ->> 'expiresAt') WHERE config ->> 'expiresAt' IS NOT NULL;

-- Deleting an account asks for the keys that are bound to it.
CREATE INDEX relay_key_by_account ON relay_key (config ->> '$.binding.accountId')
  WHERE config ->> '$.binding.accountId' IS NOT NULL;
