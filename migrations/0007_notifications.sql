-- Where notifications go. No secret in any form: those are sealed in the notifier's object.
CREATE TABLE notification_channel (
  id TEXT PRIMARY KEY,
  config TEXT NOT NULL
) WITHOUT ROWID;
