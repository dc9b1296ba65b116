-- Who may sign in. No password in any form but its hash.
CREATE TABLE person (
  id TEXT PRIMARY KEY,
  username TEXT NOT NULL UNIQUE COLLATE NOCASE,
  config TEXT NOT NULL,
  -- scrypt with its parameters; null: signs in elsewhere.
  password TEXT,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

-- A token counts as long as its session is here: signing out, or taking a person's rights away, ends it at once.
CREATE TABLE person_session (
  id TEXT PRIMARY KEY,
  person_id TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX person_session_person ON person_session (person_id);

-- Tries to sign in, by the hash of whom and from where: what slows down guessing.
CREATE TABLE login_attempt (
  subject TEXT PRIMARY KEY,
  tries INTEGER NOT NULL,
  at INTEGER NOT NULL
) WITHOUT ROWID;
