/** A deployment's own prices in D1, and their snapshot in KV, which the relay prices with. */
import { z } from "zod";
import {
  NO_OVERRIDES,
  priceOverrideSchema,
  priceOverridesSchema,
  type PriceOverride,
  type PriceOverrides,
} from "../domain/price-override.ts";
import { CachedSnapshot } from "./cached-snapshot.ts";
import { alone, type Commit } from "./commit.ts";
import type { SnapshotContext } from "./snapshots.ts";

const NEXT_VERSION = "UPDATE price_version SET version = version + 1 WHERE id = 1";
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

const snapshot = new CachedSnapshot<PriceOverrides>({
  name: "prices",
  read: (stored) => priceOverridesSchema.safeParse(stored).data ?? null,
  nothing: NO_OVERRIDES,
});

/** The prices that stand before the list's; they may be half a minute old. */
export const findOverrides = (context: SnapshotContext): Promise<PriceOverrides> => snapshot.find(context);

export const putOverrides = (value: PriceOverrides, context: SnapshotContext): Promise<void> =>
  snapshot.put(value, context);

/** Writes the snapshot if KV has another version of it. */
export const putMissingOverrides = (value: PriceOverrides, context: SnapshotContext): Promise<void> =>
  snapshot.putMissing(value, context);
