/** A deployment's own prices in D1, and their snapshot in KV, which the relay prices with. */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";
import {
  NO_OVERRIDES,
  priceOverrideSchema,
  priceOverridesSchema,
  type PriceOverride,
  type PriceOverrides,
} from "../domain/price-override.ts";
import { alone, type Commit } from "./commit.ts";
import type { SnapshotContext } from "./snapshots.ts";

const NEXT_VERSION = "UPDATE price_version SET version = version + 1 WHERE id = 1";
const SNAPSHOT = "prices";
/** The least that KV allows. */
const KV_CACHE_TTL_S = 30;
/** Older ones are still used, but refreshed in the background: no request waits for prices but an isolate's first. */
const FRESH_MS = 30_000;

const rowSchema = z.object({ config: z.string() });

export async function listOverrides(db: D1Database): Promise<PriceOverrides> {
  const [version, rows] = await db.batch([
    db.prepare("SELECT version FROM price_version WHERE id = 1"),
    db.prepare("SELECT config FROM price_override ORDER BY model"),
  ]);
  return {
    version: z.object({ version: z.number() }).parse(version?.results[0]).version,
    overrides: (rows?.results ?? []).map((row) =>
      priceOverrideSchema.parse(JSON.parse(rowSchema.parse(row).config)),
    ),
  };
}

export async function saveOverride(
  db: D1Database,
  override: PriceOverride,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db
      .prepare(
        `INSERT INTO price_override (model, config) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET config = excluded.config`,
      )
      .bind(override.model, JSON.stringify(override)),
    db.prepare(NEXT_VERSION),
  ]);
}

export async function deleteOverride(
  db: D1Database,
  model: string,
  commit: Commit = alone(db),
): Promise<void> {
  await commit([
    db.prepare("DELETE FROM price_override WHERE model = ?").bind(model),
    db.prepare(NEXT_VERSION),
  ]);
}

let cached: { readonly value: PriceOverrides; readonly readAt: EpochMs } | null = null;

/** Keeps the newest, and the same object as long as nothing changed: what is made of it can then be kept, too. */
function keep(read: PriceOverrides, now: EpochMs): PriceOverrides {
  const value = cached !== null && cached.value.version >= read.version ? cached.value : read;
  cached = { value, readAt: now };
  return value;
}

async function readSnapshot({ kv, now }: SnapshotContext): Promise<PriceOverrides> {
  const stored = await kv.get(SNAPSHOT, { type: "json", cacheTtl: KV_CACHE_TTL_S });
  // A snapshot that does not parse must not stop requests: the list's prices stand until the next rebuild.
  return keep(priceOverridesSchema.safeParse(stored).data ?? NO_OVERRIDES, now);
}

/** The prices that stand before the list's; they may be half a minute old. */
export async function findOverrides(context: SnapshotContext): Promise<PriceOverrides> {
  if (cached === null) return readSnapshot(context);
  if (context.now - cached.readAt > FRESH_MS) {
    cached = { value: cached.value, readAt: context.now - FRESH_MS / 2 };
    context.waitUntil(readSnapshot(context));
  }
  return cached.value;
}

export async function putOverrides(value: PriceOverrides, { kv, now }: SnapshotContext): Promise<void> {
  keep(value, now);
  await kv.put(SNAPSHOT, JSON.stringify(value));
}

/** Writes the snapshot if KV has another version of it. */
export async function putMissingOverrides(value: PriceOverrides, context: SnapshotContext): Promise<void> {
  const stored = await context.kv.get(SNAPSHOT, { type: "json" });
  const known = priceOverridesSchema.safeParse(stored ?? NO_OVERRIDES);
  if (!known.success || known.data.version !== value.version) await putOverrides(value, context);
}
