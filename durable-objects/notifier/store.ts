/** The notifier's state in its object's storage: a row a delivery, and only what changed is written. */
import { z } from "zod";
import { channelIdSchema } from "../../worker/domain/ids.ts";
import { noticeSchema } from "../../worker/domain/notice.ts";
import { EMPTY, type Delivery, type NotifierState } from "./state.ts";

const deliverySchema = z.object({
  id: z.string(),
  notice: noticeSchema,
  channelId: channelIdSchema,
  attempts: z.number(),
  dueAt: z.number(),
  lastTriedAt: z.number().nullable(),
  error: z.string().nullable(),
});

const INBOX = "inbox";
const TOLD = "told";
const inboxSchema = z.array(noticeSchema).default([]);
const toldSchema = z.array(z.tuple([z.string(), z.number()])).default([]);

interface DeliveryRow extends Record<string, SqlStorageValue> {
  dead: number;
  /** As JSON. */
  delivery: string;
}

export class NotifierStore {
  readonly #storage: DurableObjectStorage;
  #written: NotifierState = EMPTY;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
    // Ids begin with their time, so that their order is that of the notices.
    storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS delivery (id TEXT PRIMARY KEY, dead INTEGER NOT NULL, delivery TEXT NOT NULL) WITHOUT ROWID",
    );
  }

  load(): NotifierState {
    const pending = new Map<string, Delivery>();
    const dead = new Map<string, Delivery>();
    const rows = this.#storage.sql.exec<DeliveryRow>("SELECT dead, delivery FROM delivery ORDER BY id");
    for (const row of rows) {
      const delivery = deliverySchema.parse(JSON.parse(row.delivery));
      (row.dead === 1 ? dead : pending).set(delivery.id, delivery);
    }
    const { kv } = this.#storage;
    const inbox = inboxSchema.parse(kv.get(INBOX));
    this.#written = { inbox, pending, dead, told: new Map(toldSchema.parse(kv.get(TOLD))) };
    return this.#written;
  }

  save(state: NotifierState): void {
    this.#storage.transactionSync(() => {
      this.#write(state);
    });
    this.#written = state;
  }

  #write(state: NotifierState): void {
    const { sql, kv } = this.#storage;
    const before = this.#written;
    if (state.inbox !== before.inbox) kv.put(INBOX, [...state.inbox]);
    if (state.told !== before.told) kv.put(TOLD, [...state.told]);
    for (const id of [...before.pending.keys(), ...before.dead.keys()]) {
      if (!state.pending.has(id) && !state.dead.has(id)) sql.exec("DELETE FROM delivery WHERE id = ?", id);
    }
    this.#put(before.pending, state.pending, 0);
    this.#put(before.dead, state.dead, 1);
  }

  /** State is immutable, so an entry that is the same object has not changed. */
  #put(before: ReadonlyMap<string, Delivery>, after: ReadonlyMap<string, Delivery>, dead: 0 | 1): void {
    for (const [id, delivery] of after) {
      if (before.get(id) === delivery) continue;
      const row = JSON.stringify(delivery);
      this.#storage.sql.exec("INSERT OR REPLACE INTO delivery VALUES (?, ?, ?)", id, dead, row);
    }
  }
}
