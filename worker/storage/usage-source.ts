/** Where sums are read from: rollups of a range, and for what only keys know, rollups by key beside the keys. */
import { hoursBetween, type UsageRange } from "../domain/usage-range.ts";
import type { SumFilter, UsageDimension, UsageStep } from "../domain/usage-sum.ts";
import { SUM_OF_SUMS } from "./sum-rows.ts";

/** What the rollups themselves tell apart. */
const COLUMNS = {
  key: "key_id",
  account: "account_id",
  model: "model",
  protocol: "protocol",
  provider: "provider",
} as const;

/** What a key says of itself now; a key that is gone says nothing. */
const OF_KEYS = {
  user: { column: "k.config ->> 'ownerId'", join: "" },
  group: { column: "k.config ->> '$.binding.group'", join: "" },
  tag: { column: "t.value", join: "LEFT JOIN json_each(k.config, '$.tags') t" },
} as const;

const isOfKeys = (by: UsageDimension): by is keyof typeof OF_KEYS => by in OF_KEYS;

/** Of a group `g` by its id. Keys, accounts and people have names of their own. */
export const NAMES = {
  key: "(SELECT name FROM relay_key WHERE relay_key.id = g.id)",
  account: "(SELECT name FROM account WHERE account.id = g.id)",
  model: "nullif(g.id, '')",
  protocol: "nullif(g.id, '')",
  provider: "nullif(g.id, '')",
  user: "(SELECT username FROM person WHERE person.id = g.id)",
  group: "nullif(g.id, '')",
  tag: "nullif(g.id, '')",
} as const satisfies Record<UsageDimension, string>;

export interface Source {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

const keysWith = (condition: string) => `key_id IN (SELECT k.id FROM relay_key k WHERE ${condition})`;
const HAS_TAG = "EXISTS (SELECT 1 FROM json_each(k.config, '$.tags') t WHERE t.value = ?)";

/** Whole days are read from the days, which are fewer. */
export function sourceOf(range: UsageRange, filter: SumFilter, step: UsageStep): Source {
  const hours = hoursBetween(range);
  const [table, first, last] =
    step === "day"
      ? (["usage_day", range.firstDay, range.lastDay] as const)
      : (["usage_hour", hours.at(0) ?? 0, hours.at(-1) ?? 0] as const);
  const conditions = [`${step} BETWEEN ? AND ?`];
  const values: (string | number)[] = [first, last];
  const filters = [
    ["key_id = ?", filter.keyId],
    ["account_id = ?", filter.accountId],
    ["model = ?", filter.model],
    ["protocol = ?", filter.protocol],
    ["provider = ?", filter.provider],
    [keysWith("k.config ->> 'ownerId' = ?"), filter.ownerId],
    [keysWith("k.config ->> '$.binding.group' = ?"), filter.group],
    [keysWith(HAS_TAG), filter.tag],
  ] as const;
  for (const [condition, value] of filters) {
    if (value === undefined) continue;
    conditions.push(condition);
    values.push(value);
  }
  return { sql: `FROM ${table} WHERE ${conditions.join(" AND ")}`, values };
}

/** @returns with the column that tells the groups apart; what has no group has the empty text there */
export function groupedSource(
  range: UsageRange,
  filter: SumFilter,
  step: UsageStep,
  by: UsageDimension | null,
): Source & { readonly column: string } {
  const { sql, values } = sourceOf(range, filter, step);
  if (by === null) return { sql, values, column: "''" };
  if (!isOfKeys(by)) return { sql, values, column: COLUMNS[by] };
  const { column, join } = OF_KEYS[by];
  // Added up by key first: keys are few, and each is looked at once a period.
  const byKey = `SELECT ${step}, key_id, ${SUM_OF_SUMS} ${sql} GROUP BY 1, 2`;
  return {
    sql: `FROM (${byKey}) u LEFT JOIN relay_key k ON k.id = u.key_id ${join}`,
    values,
    column: `coalesce(${column}, '')`,
  };
}
