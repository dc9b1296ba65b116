-- Keys whose last change has not come to their object and to the edge: what a worker left unfinished, a job finishes.
ALTER TABLE relay_key ADD COLUMN untold INTEGER NOT NULL DEFAULT 0;
CREATE INDEX relay_key_untold ON relay_key (id) WHERE untold = 1;
-- Texts that were rotated out, by when they end.
CREATE INDEX relay_key_previous ON relay_key (config ->> '$.previous.until')
  WHERE config ->> '$.previous.until' IS NOT NULL;

-- Of a code only the hash. A card is redeemed when there is a redemption of it.
CREATE TABLE quota_card (
  id TEXT PRIMARY KEY,
  hash TEXT NOT NULL UNIQUE,
  -- What it adds, as JSON.
  config TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- Epoch ms; null: never.
  expires_at INTEGER,
  revoked_at INTEGER
) WITHOUT ROWID;

-- One row a card at most: whoever comes second fails, and with it everything else in the transaction.
CREATE TABLE quota_redemption (
  id TEXT PRIMARY KEY,
  card_id TEXT NOT NULL UNIQUE,
  key_id TEXT NOT NULL,
  -- What was added and taken back, before and after, as JSON.
  config TEXT NOT NULL,
  redeemed_at INTEGER NOT NULL,
  revoked_at INTEGER
) WITHOUT ROWID;
CREATE INDEX quota_redemption_key ON quota_redemption (key_id, id);
