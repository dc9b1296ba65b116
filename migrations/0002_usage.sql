-- The ledger. A record's id begins with its time, so "newest first" is the primary key's order.
CREATE TABLE usage_record (
  request_id TEXT PRIMARY KEY,
  key_id TEXT NOT NULL,
  account_id TEXT,
  provider TEXT,
  protocol TEXT NOT NULL,
  model TEXT NOT NULL,
  requested_model TEXT NOT NULL,
  stream INTEGER NOT NULL,
  status INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  estimated INTEGER NOT NULL,
  started_at INTEGER NOT NULL,
  first_byte_at INTEGER,
  ended_at INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL,
  cache_write_1h INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  web_searches INTEGER NOT NULL,
  service_tier TEXT,
  -- Nano-dollars, and the price list they were computed with; no list: the model has no price.
  cost INTEGER NOT NULL,
  price_version TEXT,
  error TEXT
) WITHOUT ROWID;
CREATE INDEX usage_record_by_key ON usage_record (key_id, request_id);
CREATE INDEX usage_record_by_account ON usage_record (account_id, request_id);

-- Sums by hour (epoch ms of its start) and by day (in the deployment's time zone).
CREATE TABLE usage_hour (
  hour INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL,
  cache_write_1h INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  web_searches INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (hour, key_id, account_id, model)
) WITHOUT ROWID;

CREATE TABLE usage_day (
  day TEXT NOT NULL,
  key_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  model TEXT NOT NULL,
  requests INTEGER NOT NULL,
  failed INTEGER NOT NULL,
  unpriced INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  cache_write_5m INTEGER NOT NULL,
  cache_write_1h INTEGER NOT NULL,
  cache_read INTEGER NOT NULL,
  web_searches INTEGER NOT NULL,
  cost INTEGER NOT NULL,
  PRIMARY KEY (day, key_id, account_id, model)
) WITHOUT ROWID;

-- How far each key's outbox has been booked: a batch that comes again does nothing.
CREATE TABLE ledger_fence (
  sender TEXT PRIMARY KEY,
  through INTEGER NOT NULL
) WITHOUT ROWID;
