/** A key's state in its object's storage: one row for the key, one a permit, and only what changed is written. */
import { z } from "zod";
import { requestIdSchema, type RequestId } from "../../worker/domain/ids.ts";
import { keyConfigSchema } from "../../worker/domain/key.ts";
import type { RecentIds } from "../recent-ids.ts";
import { add, EMPTY_TALLIES, NOTHING, type Spending } from "./spending.ts";
import { emptyState, type KeyState, type Permit } from "./state.ts";

const ROW = "state";

const spending = z.object({
  requests: z.number(),
  tokens: z.number(),
  cost: z.number(),
  premiumCost: z.number(),
});
const tally = z.object({ start: z.number(), end: z.number(), spent: spending }).nullable();
const talliesSchema = z.object({ window: tally, day: tally, week: tally, total: spending });

const rowSchema = z.object({
  config: keyConfigSchema,
  revoked: z.boolean(),
  settled: z.array(requestIdSchema),
  activatedAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  totals: z.object({ requests: z.number(), tokens: z.number(), cost: z.number() }),
  tallies: talliesSchema.default(EMPTY_TALLIES),
});

interface PermitRow extends Record<string, SqlStorageValue> {
  deadline: number;
  /** The permit without its deadline, as JSON. */
  permit: string;
}

/** A value holds at most 2 MB, and a permit is well under 2 kB. */
const ROWS_PER_STATEMENT = 500;
/** Request, deadline and permit of a row that travels as a list. */
const CELLS = "value ->> 0, value ->> 1, value ->> 2";

export class KeyStore {
  readonly #storage: DurableObjectStorage;
  #written: KeyState | null = null;
  #writtenPermits: ReadonlyMap<RequestId, Permit> = new Map();
  settled: RequestId[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS held_permit (request TEXT PRIMARY KEY, deadline INTEGER NOT NULL, permit TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  load(): KeyState | null {
    const row: unknown = this.#storage.kv.get(ROW);
    if (row === undefined) return null;
    const { settled, ...stored } = rowSchema.parse(row);
    this.settled = settled;
    const permits = new Map<RequestId, Permit>();
    let sweepAt = Infinity;
    let reserved: Spending = NOTHING;
    for (const row of this.#storage.sql.exec<PermitRow>("SELECT deadline, permit FROM held_permit")) {
      const permit: Permit = {
        deadline: row.deadline,
        ...(JSON.parse(row.permit) as Omit<Permit, "deadline">),
      };
      permits.set(permit.draft.requestId, permit);
      sweepAt = Math.min(sweepAt, permit.deadline);
      reserved = add(reserved, permit.reserved);
    }
    this.#writtenPermits = permits;
    this.#written = { ...emptyState(stored.config), ...stored, permits, reserved, sweepAt };
    return this.#written;
  }

  /** Must run inside the object's transaction. */
  save(state: KeyState, settled: RecentIds): void {
    this.#savePermits(state.permits);
    if (this.#written !== null && sameRow(this.#written, state)) return;
    this.#storage.kv.put(ROW, {
      config: state.config,
      revoked: state.revoked,
      settled: settled.newest,
      activatedAt: state.activatedAt,
      lastUsedAt: state.lastUsedAt,
      totals: state.totals,
      tallies: state.tallies,
    } satisfies z.input<typeof rowSchema>);
    this.#written = state;
  }

  /** State is immutable, so an entry that is the same object has not changed. */
  #savePermits(permits: ReadonlyMap<RequestId, Permit>): void {
    const { sql } = this.#storage;
    const changed = [...permits].filter(
      ([requestId, permit]) => this.#writtenPermits.get(requestId) !== permit,
    );
    for (let at = 0; at < changed.length; at += ROWS_PER_STATEMENT) {
      const rows = changed
        .slice(at, at + ROWS_PER_STATEMENT)
        .map(([requestId, { deadline, ...rest }]) => [requestId, deadline, JSON.stringify(rest)]);
      sql.exec(`INSERT OR REPLACE INTO held_permit SELECT ${CELLS} FROM json_each(?)`, JSON.stringify(rows));
    }
    const ended = [...this.#writtenPermits.keys()].filter((requestId) => !permits.has(requestId));
    if (ended.length > 0) {
      sql.exec(
        "DELETE FROM held_permit WHERE request IN (SELECT value FROM json_each(?))",
        JSON.stringify(ended),
      );
    }
    this.#writtenPermits = permits;
  }
}

/** The time of last use alone is not worth a row: it travels with the next change that is. */
const sameRow = (a: KeyState, b: KeyState) =>
  a.config === b.config &&
  a.revoked === b.revoked &&
  a.totals === b.totals &&
  a.tallies === b.tallies &&
  a.activatedAt === b.activatedAt;
