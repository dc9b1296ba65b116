/** Takes booked records to D1, in their order and again and again until they are there, and shows them to the feed. */
import { feedEventOf } from "../../worker/domain/feed.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { UsageRecord } from "../../worker/domain/usage.ts";
import type { Env } from "../../worker/env.ts";
import { systemError } from "../../worker/notify/system-error.ts";
import { tell } from "../../worker/notify/tell.ts";
import { bookUsage } from "../../worker/storage/usage-records.ts";
import { isFeedQuiet, tellFeed } from "../feed-teller.ts";
import type { ObjectSettings } from "../object-settings.ts";
import type { Outbox } from "./outbox.ts";

const INCARNATION = "incarnation";
/** Records are gathered this long before they go to D1, in ms: they must be there within five seconds. */
const SHIP_AFTER_MS = 1000;
const SHIP_RETRY_FIRST_MS = 2000;
const SHIP_RETRY_MAX_MS = 60_000;
/** So many failures one after the other are worth a message. */
const SHIP_FAILURES_TOLD = 3;
/** Records of one D1 transaction. */
const RECORDS_PER_BATCH = 500;

interface Surroundings {
  readonly env: Env;
  readonly ctx: DurableObjectState;
  readonly outbox: Outbox;
  readonly settings: ObjectSettings;
  /** null: nobody configured the key yet. */
  readonly key: () => KeyConfig | null;
}

export class Shipping {
  readonly #around: Surroundings;
  #running: Promise<void> | null = null;
  #failures = 0;
  #at: EpochMs = Infinity;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** When records are due to go; Infinity: there are none. */
  get at(): EpochMs {
    return this.#at;
  }

  /** Whatever there is goes in a moment, unless it goes sooner or waits for another try. */
  schedule(): void {
    if (!this.#around.outbox.isEmpty && this.#at === Infinity) this.#at = Date.now() + SHIP_AFTER_MS;
  }

  /** Never throws: what fails is tried again later. */
  async run(): Promise<void> {
    this.#running ??= this.#shipAll().finally(() => {
      this.#running = null;
    });
    await this.#running;
  }

  /** Batches go one after the other, in the order of their sequence. */
  async #shipAll(): Promise<void> {
    const { env, outbox, settings } = this.#around;
    try {
      const { timeZone } = await settings.read();
      for (let parcel = outbox.next(RECORDS_PER_BATCH); parcel !== null;) {
        await bookUsage(env.DB, { sender: this.#sender(), ...parcel, timeZone });
        outbox.shipped(parcel.through);
        this.#show(parcel.records);
        parcel = outbox.next(RECORDS_PER_BATCH);
      }
      this.#failures = 0;
      this.#at = Infinity;
    } catch (error) {
      await this.#retryLater(error);
    }
  }

  async #retryLater(error: unknown): Promise<void> {
    const delayMs = Math.min(SHIP_RETRY_MAX_MS, SHIP_RETRY_FIRST_MS * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
    this.#at = Date.now() + delayMs;
    const message = error instanceof Error ? error.message : String(error);
    console.error(JSON.stringify({ event: "ledger_batch_failed", retryInMs: delayMs, message }));
    if (this.#failures !== SHIP_FAILURES_TOLD) return;
    const line = "Usage records do not reach D1. They are kept, and sent as soon as it takes them.";
    await tell(this.#around.env, [systemError("the ledger", [line], Date.now())]);
  }

  /** To whoever looks at the live feed: nothing is made for nobody. */
  #show(records: readonly UsageRecord[]): void {
    const { env, ctx } = this.#around;
    const now = Date.now();
    const key = this.#around.key();
    if (key === null || isFeedQuiet(now)) return;
    const events = records.map((record) => feedEventOf(record, key));
    ctx.waitUntil(tellFeed(env, events, now));
  }

  /** Names this object's sequence in D1's fence; a new one if the object's storage ever starts anew. */
  #sender(): string {
    const { kv } = this.#around.ctx.storage;
    const known = kv.get<string>(INCARNATION);
    if (known !== undefined) return known;
    const sender = `${this.#around.key()?.id ?? "key"}/${crypto.randomUUID()}`;
    kv.put(INCARNATION, sender);
    return sender;
  }
}
