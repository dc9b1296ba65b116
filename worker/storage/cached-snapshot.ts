/**
 * One value that D1 owns and a KV snapshot shows, with a cache of it in the isolate. Only an isolate's first request
 * waits for it; after that it may be half a minute old or so, and is read anew beside a request, not before it.
 */
import type { EpochMs } from "../domain/ids.ts";
import type { SnapshotContext } from "./snapshots.ts";

/** The least that KV allows. */
const KV_CACHE_TTL_S = 30;
/** Older ones are still used, but refreshed in the background, unless the rules say another time. */
const FRESH_MS = 30_000;

interface Versioned {
  /** Counts the changes. */
  readonly version: number;
}

export interface SnapshotRules<Value extends Versioned> {
  /** In KV. */
  readonly name: string;
  /** null: it is not such a value, and nothing stands in its place, so that requests go on. */
  readonly read: (stored: unknown) => Value | null;
  readonly nothing: Value;
  /** How old it may be before it is read anew, in ms. */
  readonly freshMs?: number;
}

export class CachedSnapshot<Value extends Versioned> {
  readonly #rules: SnapshotRules<Value>;
  #cached: { readonly value: Value; readonly readAt: EpochMs } | null = null;

  constructor(rules: SnapshotRules<Value>) {
    this.#rules = rules;
  }

  /** Keeps the newest, and the same object as long as nothing changed: what is made of it can then be kept, too. */
  #keep(read: Value, now: EpochMs): Value {
    const cached = this.#cached;
    const value = cached !== null && cached.value.version >= read.version ? cached.value : read;
    this.#cached = { value, readAt: now };
    return value;
  }

  async #read({ kv, now }: SnapshotContext): Promise<Value> {
    const { name, read, nothing } = this.#rules;
    const stored = await kv.get(name, { type: "json", cacheTtl: KV_CACHE_TTL_S });
    return this.#keep((stored === null ? null : read(stored)) ?? nothing, now);
  }

  /** What is known, without waiting; null: this isolate has not read it yet. */
  known(context: SnapshotContext): Value | null {
    const cached = this.#cached;
    const { freshMs = FRESH_MS } = this.#rules;
    if (cached !== null && context.now - cached.readAt > freshMs) {
      this.#cached = { value: cached.value, readAt: context.now - freshMs / 2 };
      // What could not be read is read by a later request; until then the last stands.
      context.waitUntil(this.#read(context).catch(() => undefined));
    }
    return cached?.value ?? null;
  }

  async find(context: SnapshotContext): Promise<Value> {
    return this.known(context) ?? this.#read(context);
  }

  async put(value: Value, { kv, now }: SnapshotContext): Promise<void> {
    this.#keep(value, now);
    await kv.put(this.#rules.name, JSON.stringify(value));
  }

  /** Writes the snapshot if KV has another version of it. */
  async putMissing(value: Value, context: SnapshotContext): Promise<void> {
    const { name, read, nothing } = this.#rules;
    const stored = await context.kv.get(name, { type: "json" });
    const known = stored === null ? nothing : read(stored);
    if (known?.version !== value.version) await this.put(value, context);
  }
}
