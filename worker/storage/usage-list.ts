/** The ledger in D1, request by request: every list is a walk along an index, as long as the page and no longer. */
import { z } from "zod";
import { firstRequestIdAt, type EpochMs, type PersonId, type RequestId } from "../domain/ids.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import { routingSchema } from "../domain/routing.ts";
import type { Outcome, RequestView, UsageView } from "../domain/usage.ts";
import { KEYS_OF_OWNER } from "./owner-keys.ts";
import { SELECT_VIEWS, toView } from "./usage-rows.ts";

/** One record of a person's keys; null: there is none among them. */
export async function findRequestOf(
  db: D1Database,
  id: RequestId,
  ownerId: PersonId,
): Promise<UsageView | null> {
  const row = await db
    .prepare(`${SELECT_VIEWS} WHERE u.request_id = ? AND u.key_id IN (${KEYS_OF_OWNER})`)
    .bind(id, ownerId)
    .first();
  return row === null ? null : toView(row);
}

/** One record, with what is known of its way; null: there is none. */
export async function findRequest(db: D1Database, id: RequestId): Promise<RequestView | null> {
  const row = await db.prepare(`${SELECT_VIEWS} WHERE u.request_id = ?`).bind(id).first();
  if (row === null) return null;
  const { routing } = z.object({ routing: z.string().nullable() }).parse(row);
  return { ...toView(row), routing: routing === null ? null : routingSchema.parse(JSON.parse(routing)) };
}

/** Empties the routing of records between two ids, the second one excluded. */
export async function forgetRouting(db: D1Database, fromId: string, toId: string): Promise<void> {
  await db
    .prepare(
      `UPDATE usage_record SET routing = NULL
       WHERE request_id >= ? AND request_id < ? AND routing IS NOT NULL`,
    )
    .bind(fromId, toId)
    .run();
}

/** Undefined: any. */
export interface UsageFilter {
  /** Of this person's keys. */
  readonly ownerId?: PersonId | undefined;
  readonly keyId: string | undefined;
  readonly accountId: string | undefined;
  /** The one that was billed. */
  readonly model: string | undefined;
  readonly protocol: ProtocolId | undefined;
  readonly outcome: Outcome | undefined;
  /** Inclusive, by the request's start. */
  readonly from: EpochMs | undefined;
  /** Exclusive. */
  readonly to: EpochMs | undefined;
}

export const USAGE_SORTS = ["newest", "oldest"] as const;
export type UsageSort = (typeof USAGE_SORTS)[number];

export interface UsagePage {
  readonly sort: UsageSort;
  /** The last request of the page before. */
  readonly after: RequestId | undefined;
  readonly limit: number;
  readonly offset: number;
}

export interface UsageListing {
  readonly items: UsageView[];
  readonly total: number;
  /** There are more than `total`: counting ends somewhere, so that a page takes no longer as the ledger grows. */
  readonly isTotalCapped: boolean;
  /** What to ask for `after`; null: this page is the last one. */
  readonly next: RequestId | null;
}

const TOTAL_MAX = 10_000;
/** A request's id is made before its body is read, its start noted after. */
const READING_MS_MAX = 3_600_000;

interface Where {
  readonly sql: string;
  readonly values: readonly (string | number)[];
}

function whereOf(filter: UsageFilter): Where {
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const add = (condition: string, value: string | number | undefined) => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  add("u.request_id >= ?", firstRequestIdAt((filter.from ?? 0) - READING_MS_MAX));
  add("u.request_id < ?", filter.to === undefined ? undefined : firstRequestIdAt(filter.to));
  // The database knows no figures of its tables and would choose at random among indexes: a `+` takes the choice away
  // from all filters but the one that leaves the fewest records.
  let isFirst = true;
  const addIndexed = (column: string, value: string | undefined, partial = "") => {
    if (value === undefined) return;
    add(`${isFirst ? "" : "+"}u.${column} = ?${isFirst ? partial : ""}`, value);
    isFirst = false;
  };
  addIndexed("key_id", filter.keyId);
  if (filter.ownerId !== undefined) {
    add(`${isFirst ? "" : "+"}u.key_id IN (${KEYS_OF_OWNER})`, filter.ownerId);
    isFirst = false;
  }
  addIndexed("account_id", filter.accountId);
  // Said in the words of the partial index, which is used only then; those that completed are nearly all.
  const isRare = filter.outcome !== undefined && filter.outcome !== "completed";
  if (isRare) addIndexed("outcome", filter.outcome, " AND u.outcome <> 'completed'");
  addIndexed("model", filter.model);
  addIndexed("protocol", filter.protocol);
  if (!isRare) add("+u.outcome = ?", filter.outcome);
  add("u.started_at >= ?", filter.from);
  add("u.started_at < ?", filter.to);
  return { sql: `WHERE ${conditions.join(" AND ")}`, values };
}

const ORDERS = { newest: { by: "DESC", past: "<" }, oldest: { by: "ASC", past: ">" } } as const;

/** The statement of one page. What is skipped is read from the index alone. */
function usagePage(db: D1Database, filter: UsageFilter, page: UsagePage): D1PreparedStatement {
  const { sql, values } = whereOf(filter);
  const { by, past } = ORDERS[page.sort];
  const cursor = page.after === undefined ? "" : `AND u.request_id ${past} ?`;
  const after = page.after === undefined ? [] : [page.after];
  return db
    .prepare(
      `${SELECT_VIEWS} WHERE u.request_id IN (
         SELECT u.request_id FROM usage_record u ${sql} ${cursor} ORDER BY u.request_id ${by} LIMIT ? OFFSET ?)
       ORDER BY u.request_id ${by}`,
    )
    .bind(...values, ...after, page.limit, page.offset);
}

/**
 * Whether the sums know of such records. They are few, whatever the ledger's size; without them a key and a model that
 * never met would be looked for among all records of the key.
 */
async function haveMet(db: D1Database, { keyId, accountId, model }: UsageFilter): Promise<boolean> {
  const given = [
    ["key_id = ?", keyId],
    ["account_id = ?", accountId],
    ["model = ?", model],
  ].filter(([, value]) => value !== undefined);
  if (given.length < 2) return true;
  const row = await db
    .prepare(`SELECT 1 FROM usage_day WHERE ${given.map(([condition]) => condition).join(" AND ")} LIMIT 1`)
    .bind(...given.map(([, value]) => value))
    .first();
  return row !== null;
}

/** Records with the names of key and account. */
export async function findUsage(db: D1Database, filter: UsageFilter, page: UsagePage): Promise<UsageListing> {
  if (!(await haveMet(db, filter))) return { items: [], total: 0, isTotalCapped: false, next: null };
  const { sql, values } = whereOf(filter);
  const [found, count] = await db.batch([
    // One more tells whether there is another page.
    usagePage(db, filter, { ...page, limit: page.limit + 1 }),
    db
      .prepare(`SELECT count(*) AS total FROM (SELECT 1 FROM usage_record u ${sql} LIMIT ?)`)
      .bind(...values, TOTAL_MAX + 1),
  ]);
  const { total } = z.object({ total: z.number() }).parse(count?.results[0]);
  const views = (found?.results ?? []).map(toView);
  const items = views.slice(0, page.limit);
  return {
    items,
    total: Math.min(total, TOTAL_MAX),
    isTotalCapped: total > TOTAL_MAX,
    next: views.length > page.limit ? (items.at(-1)?.requestId ?? null) : null,
  };
}

/** Records page by page, each page asked for when the one before it was taken. */
export async function* eachUsage(
  db: D1Database,
  filter: UsageFilter,
  sort: UsageSort,
): AsyncGenerator<readonly UsageView[]> {
  let after: RequestId | undefined;
  for (;;) {
    const { results } = await usagePage(db, filter, { sort, after, limit: EXPORT_PAGE, offset: 0 }).all();
    const views = results.map(toView);
    after = views.at(-1)?.requestId;
    if (after === undefined) return;
    yield views;
    if (views.length < EXPORT_PAGE) return;
  }
}

/** Half a megabyte or so. */
const EXPORT_PAGE = 1000;
