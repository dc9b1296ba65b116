-- Whom a directory or an OpenID provider knows a person as; null: people who sign in with a password kept here.
ALTER TABLE person ADD COLUMN subject TEXT;
CREATE UNIQUE INDEX person_subject ON person (subject) WHERE subject IS NOT NULL;

-- States of sign-ins at an OpenID provider that were brought back: each counts once.
CREATE TABLE oidc_state (
  state TEXT PRIMARY KEY,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
