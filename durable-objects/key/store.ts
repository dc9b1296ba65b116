/** A key's state in its object's storage: one row for the key, one a permit, and only what changed is written. */
import { z } from "zod";
import { requestIdSchema, type RequestId } from "../../worker/domain/ids.ts";
import { keyConfigSchema } from "../../worker/domain/key.ts";
import type { RecentIds } from "./recent-ids.ts";
import { emptyState, type KeyState, type Permit } from "./state.ts";

const ROW = "state";

const rowSchema = z.object({
  config: keyConfigSchema,
  revoked: z.boolean(),
  settled: z.array(requestIdSchema),
  activatedAt: z.number().nullable(),
  lastUsedAt: z.number().nullable(),
  totals: z.object({ requests: z.number(), tokens: z.number(), cost: z.number() }),
});

interface PermitRow extends Record<string, SqlStorageValue> {
  deadline: number;
  draft: string;
}

export class KeyStore {
  readonly #storage: DurableObjectStorage;
  #written: KeyState | null = null;
  #writtenPermits: ReadonlyMap<RequestId, Permit> = new Map();
  settled: RequestId[] = [];

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS permit (request TEXT PRIMARY KEY, deadline INTEGER NOT NULL, draft TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  load(): KeyState | null {
    const row: unknown = this.#storage.kv.get(ROW);
    if (row === undefined) return null;
    const { settled, ...stored } = rowSchema.parse(row);
    this.settled = settled;
    const permits = new Map<RequestId, Permit>();
    let sweepAt = Infinity;
    for (const { deadline, draft } of this.#storage.sql.exec<PermitRow>(
      "SELECT deadline, draft FROM permit",
    )) {
      const permit: Permit = { deadline, draft: JSON.parse(draft) as Permit["draft"] };
      permits.set(permit.draft.requestId, permit);
      sweepAt = Math.min(sweepAt, deadline);
    }
    this.#writtenPermits = permits;
    this.#written = { ...emptyState(stored.config), ...stored, permits, sweepAt };
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
    } satisfies z.input<typeof rowSchema>);
    this.#written = state;
  }

  /** State is immutable, so an entry that is the same object has not changed. */
  #savePermits(permits: ReadonlyMap<RequestId, Permit>): void {
    const { sql } = this.#storage;
    for (const [requestId, permit] of permits) {
      if (this.#writtenPermits.get(requestId) === permit) continue;
      const draft = JSON.stringify(permit.draft);
      sql.exec("INSERT OR REPLACE INTO permit VALUES (?, ?, ?)", requestId, permit.deadline, draft);
    }
    for (const requestId of this.#writtenPermits.keys()) {
      if (!permits.has(requestId)) sql.exec("DELETE FROM permit WHERE request = ?", requestId);
    }
    this.#writtenPermits = permits;
  }
}

/** The time of last use alone is not worth a row: it travels with the next change that is. */
const sameRow = (a: KeyState, b: KeyState) =>
  a.config === b.config &&
  a.revoked === b.revoked &&
  a.totals === b.totals &&
  a.activatedAt === b.activatedAt;
