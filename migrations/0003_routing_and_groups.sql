-- How each request found its account, as JSON; emptied after a while.
ALTER TABLE usage_record ADD COLUMN routing TEXT;

-- Groups of accounts that are more than a name: how requests are spread over them.
CREATE TABLE account_group (
  name TEXT PRIMARY KEY,
  config TEXT NOT NULL
) WITHOUT ROWID;
