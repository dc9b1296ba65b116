/** Lists of relay keys, filtered and sorted in D1. */
import { z } from "zod";
import type { EpochMs, PersonId } from "../domain/ids.ts";
import { parseKeyRow, type StoredKey } from "./keys.ts";

/** As far as D1 knows: a lifetime that began with first use ends in the key's object. */
export const KEY_STATES = ["active", "disabled", "expired"] as const;
export type KeyListState = (typeof KEY_STATES)[number];

/** Undefined: any. */
export interface KeyFilter {
  readonly ownerId?: PersonId | undefined;
  readonly tag?: string | undefined;
  /** The group that the key is bound to. */
  readonly group?: string | undefined;
  /** Part of its name, of what is noted of it, of its id, or of its last characters. */
  readonly search?: string | undefined;
  readonly state?: { readonly is: KeyListState; readonly now: EpochMs } | undefined;
  /** What is in the bin, instead of what is not. */
  readonly deleted?: boolean | undefined;
}

const HAS_TAG = "EXISTS (SELECT 1 FROM json_each(k.config, '$.tags') t WHERE t.value = ?)";
/** `LIKE` takes fifty bytes at most. */
const TEXT = ["k.name", "k.config ->> 'description'", "k.id", "k.config ->> 'hint'"]
  .map((text) => `coalesce(${text}, '')`)
  .join(" || char(10) || ");
const IS_LIKE = `instr(lower(${TEXT}), lower(?)) > 0`;
const STATES = {
  active: "k.config ->> 'enabled' AND coalesce(k.config ->> 'expiresAt' > ?, TRUE)",
  disabled: "NOT k.config ->> 'enabled' AND ? IS NOT NULL",
  expired: "k.config ->> 'expiresAt' <= ?",
} as const satisfies Record<KeyListState, string>;

interface Where {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

function whereOf({ ownerId, tag, group, search, state, deleted = false }: KeyFilter): Where {
  const filters = [
    ["k.config ->> 'ownerId' = ?", ownerId],
    [HAS_TAG, tag],
    ["k.config ->> '$.binding.group' = ?", group],
    [IS_LIKE, search],
    [state === undefined ? "" : STATES[state.is], state?.now],
  ] as const;
  const conditions = [`k.config ->> 'deletedAt' IS ${deleted ? "NOT NULL" : "NULL"}`];
  const values: (string | number)[] = [];
  for (const [condition, value] of filters) {
    if (value === undefined) continue;
    conditions.push(`(${condition})`);
    values.push(value);
  }
  return { sql: `WHERE ${conditions.join(" AND ")}`, values };
}

export const KEY_SORTS = ["newest", "oldest", "name", "cost"] as const;
export const KEY_ORDERS = ["asc", "desc"] as const;

/** What of the ledger a ranking adds up: days of the deployment, both included. */
export interface CostDays {
  readonly firstDay: string;
  readonly lastDay: string;
}

export type KeySort =
  | { readonly by: "newest" | "oldest" }
  | { readonly by: "name"; readonly order: (typeof KEY_ORDERS)[number] }
  | { readonly by: "cost"; readonly order: (typeof KEY_ORDERS)[number]; readonly days: CostDays };

const NEWEST: KeySort = { by: "newest" };

export type ListedKey = StoredKey & {
  /** Nano-dollars at list price in the days that keys are ranked by; null: they are not. */
  readonly cost: number | null;
};

const ORDERS = { asc: "ASC", desc: "DESC" } as const;
const COSTS =
  "LEFT JOIN (SELECT key_id, sum(cost) AS cost FROM usage_day WHERE day BETWEEN ? AND ? GROUP BY key_id) u ON u.key_id = k.id";

interface Sorting extends Where {
  readonly cost: string;
  readonly join: string;
}

function sortingOf(sort: KeySort): Sorting {
  switch (sort.by) {
    case "newest":
    case "oldest":
      return { cost: "NULL", join: "", values: [], sql: `k.id ${sort.by === "newest" ? "DESC" : "ASC"}` };
    case "name":
      return {
        cost: "NULL",
        join: "",
        values: [],
        sql: `k.name COLLATE NOCASE ${ORDERS[sort.order]}, k.id DESC`,
      };
    case "cost": {
      const { firstDay, lastDay } = sort.days;
      const cost = "coalesce(u.cost, 0)";
      return { cost, join: COSTS, values: [firstDay, lastDay], sql: `3 ${ORDERS[sort.order]}, k.id DESC` };
    }
  }
}

export async function listKeys(
  db: D1Database,
  page: { readonly limit: number; readonly offset: number },
  filter: KeyFilter = {},
  sort: KeySort = NEWEST,
): Promise<{ items: ListedKey[]; total: number }> {
  const where = whereOf(filter);
  const sorting = sortingOf(sort);
  const [rows, count] = await db.batch([
    db
      .prepare(
        `SELECT k.config, k.hash, ${sorting.cost} AS cost FROM relay_key k ${sorting.join} ${where.sql}
         ORDER BY ${sorting.sql} LIMIT ? OFFSET ?`,
      )
      .bind(...sorting.values, ...where.values, page.limit, page.offset),
    db.prepare(`SELECT count(*) AS total FROM relay_key k ${where.sql}`).bind(...where.values),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  return { items: (rows?.results ?? []).map(parseListed), total };
}

const parseListed = (row: unknown): ListedKey => ({
  ...parseKeyRow(row),
  ...z.object({ cost: z.number().nullable() }).parse(row),
});
