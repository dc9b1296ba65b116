-- Sums tell protocols and providers apart, too. Hours are summed anew from the records. Where a day begins is not
-- known here, so days from before have their account's provider and no protocol; `POST /admin/usage/reconcile` with
-- `repair` sums them anew.
CREATE TABLE usage_hour_by_protocol (
  hour INTEGER NOT NULL,
  key_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  model TEXT NOT NULL,
  protocol TEXT NOT NULL,
  provider TEXT NOT NULL,
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
  PRIMARY KEY (hour, key_id, account_id, model, protocol, provider)
) WITHOUT ROWID;
INSERT INTO usage_hour_by_protocol
SELECT ended_at / 3600000 * 3600000, key_id, coalesce(account_id, ''), model, protocol, coalesce(provider, ''),
  count(*), sum(outcome NOT IN ('completed', 'client_gone')), sum(price_version IS NULL AND output > 0), sum(input),
  sum(output), sum(cache_write_5m), sum(cache_write_1h), sum(cache_read), sum(web_searches), sum(cost)
FROM usage_record GROUP BY 1, 2, 3, 4, 5, 6;
DROP TABLE usage_hour;
ALTER TABLE usage_hour_by_protocol RENAME TO usage_hour;

CREATE TABLE usage_day_by_protocol (
  day TEXT NOT NULL,
  key_id TEXT NOT NULL,
  account_id TEXT NOT NULL,
  model TEXT NOT NULL,
  protocol TEXT NOT NULL,
  provider TEXT NOT NULL,
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
  PRIMARY KEY (day, key_id, account_id, model, protocol, provider)
) WITHOUT ROWID;
INSERT INTO usage_day_by_protocol
SELECT day, key_id, account_id, model, '', coalesce((SELECT provider FROM usage_record
    WHERE account_id = usage_day.account_id AND provider IS NOT NULL LIMIT 1), ''),
  requests, failed, unpriced, input, output, cache_write_5m, cache_write_1h, cache_read, web_searches, cost
FROM usage_day;
DROP TABLE usage_day;
ALTER TABLE usage_day_by_protocol RENAME TO usage_day;

-- What the first page of a filtered list walks. Nearly every request completes, so only the others are indexed.
-- Those of keys and accounts carry what else is filtered by, so that counting reads no record.
DROP INDEX usage_record_by_key;
CREATE INDEX usage_record_by_key ON usage_record (key_id, request_id, model, protocol, outcome, started_at, account_id);
DROP INDEX usage_record_by_account;
CREATE INDEX usage_record_by_account ON usage_record (account_id, request_id, model, protocol, outcome, started_at);
CREATE INDEX usage_record_by_model ON usage_record (model, request_id);
CREATE INDEX usage_record_by_protocol ON usage_record (protocol, request_id);
CREATE INDEX usage_record_not_completed ON usage_record (outcome, request_id) WHERE outcome <> 'completed';

-- `fast` or `standard` where they are billed apart: a price applied later needs to know.
ALTER TABLE usage_record ADD COLUMN speed TEXT;

-- Up to when records may have been deleted (epoch ms, by their end): from there on they are whole.
CREATE TABLE usage_retention (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  records_from INTEGER NOT NULL
);
INSERT INTO usage_retention VALUES (1, 0);

-- The last comparison of sums and records: the day it ran on, and what it found, as JSON.
CREATE TABLE usage_audit (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  day TEXT NOT NULL,
  report TEXT
);
INSERT INTO usage_audit VALUES (1, '', NULL);

-- Prices of this deployment's own, as JSON, and a count of their changes, which is part of the price version.
CREATE TABLE price_override (
  model TEXT PRIMARY KEY,
  config TEXT NOT NULL
) WITHOUT ROWID;
CREATE TABLE price_version (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  version INTEGER NOT NULL
);
INSERT INTO price_version VALUES (1, 0);
