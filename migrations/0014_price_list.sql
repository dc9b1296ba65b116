-- The public list of prices as it was last fetched, as JSON, and how the last try went.
CREATE TABLE price_list (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Counts the changes; 0: none was ever fetched.
  version INTEGER NOT NULL,
  -- The table in force in the place of the bundled one, with that one's version: it ends with the next bundle.
  body TEXT,
  fetched_at INTEGER,
  tried_at INTEGER NOT NULL,
  -- Of the bundle at the last try.
  bundle TEXT NOT NULL,
  -- Why the last try brought nothing; NULL: it did.
  error TEXT,
  -- The error that people were told of.
  told TEXT
);
INSERT INTO price_list VALUES (1, 0, NULL, NULL, 0, '', NULL, NULL);
