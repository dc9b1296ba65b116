-- What admins configure. No credential in any form: losing an export of this database loses no account.
CREATE TABLE account (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE relay_key (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  -- SHA-256 of the key text, in hex.
  hash TEXT NOT NULL UNIQUE,
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- One-time state of sign-ins that wait for their code.
CREATE TABLE oauth_session (
  id TEXT PRIMARY KEY,
  provider TEXT NOT NULL,
  admin TEXT NOT NULL,
  -- Sealed: state and PKCE verifier.
  secrets TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Counts up with each change of the account directory, so that an older snapshot never replaces a newer one.
CREATE TABLE directory_version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
);
INSERT INTO directory_version VALUES (1, 0);
