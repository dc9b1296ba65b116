-- People's second factors. A seed is sealed with its person as additional data; of recovery codes only hashes are kept.
CREATE TABLE person_totp (
  person_id TEXT PRIMARY KEY,
  seed TEXT NOT NULL,
  -- null: set up, but not yet shown to work.
  confirmed_at INTEGER,
  -- The newest period whose code was used: no code works twice.
  last_step INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

CREATE TABLE person_recovery_code (
  person_id TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (person_id, hash)
) WITHOUT ROWID;

CREATE TABLE person_passkey (
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  -- COSE, base64url. Public: it opens nothing.
  public_key TEXT NOT NULL,
  counter INTEGER NOT NULL,
  transports TEXT NOT NULL,
  name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER
) WITHOUT ROWID;
CREATE INDEX person_passkey_person ON person_passkey (person_id, created_at);

-- What was asked of a passkey, by its hash: whoever answers takes it away.
CREATE TABLE passkey_challenge (
  hash TEXT PRIMARY KEY,
  purpose TEXT NOT NULL,
  -- null: whoever has the passkey.
  person_id TEXT,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Passwords that were right and wait for a second factor, by the hash of their ticket.
CREATE TABLE sign_in_ticket (
  hash TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Where a session was begun, for its own person to see.
ALTER TABLE person_session ADD COLUMN address TEXT NOT NULL DEFAULT '';
ALTER TABLE person_session ADD COLUMN agent TEXT NOT NULL DEFAULT '';
