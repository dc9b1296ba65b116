/** The tags of keys, as they stand in their configurations. No limit hangs on one, so only D1 needs to know them. */
import { z } from "zod";
import type { EpochMs } from "../domain/ids.ts";
import type { Commit } from "./commit.ts";

export interface TagCount {
  readonly name: string;
  /** Keys that have it, without those in the bin. */
  readonly keys: number;
}

const countSchema = z.object({ name: z.string(), keys: z.number() });

/** Tags in use, the most used first. */
export async function listTags(db: D1Database): Promise<TagCount[]> {
  const { results } = await db
    .prepare(
      `SELECT t.value AS name, count(*) AS keys FROM relay_key k, json_each(k.config, '$.tags') t
       WHERE k.config ->> 'deletedAt' IS NULL GROUP BY 1 ORDER BY 2 DESC, 1`,
    )
    .all();
  return z.array(countSchema).parse(results);
}

const HAS_TAG = "EXISTS (SELECT 1 FROM json_each(relay_key.config, '$.tags') t WHERE t.value = ?1)";

/** How many keys have the tag, wherever they are. */
export async function keysTagged(db: D1Database, tag: string): Promise<number> {
  const row = await db.prepare(`SELECT count(*) AS total FROM relay_key WHERE ${HAS_TAG}`).bind(tag).first();
  return z.object({ total: z.number() }).parse(row).total;
}

/** Each key's tags in their order, each once, with `replacement` in the tag's place. */
const rewritten = (replacement: string) => `
  UPDATE relay_key SET config = json_set(config,
    '$.tags', json((SELECT json_group_array(tag) FROM (
      SELECT ${replacement} AS tag, min(key) AS place FROM json_each(relay_key.config, '$.tags') t
      GROUP BY 1 HAVING tag IS NOT NULL ORDER BY 2))),
    '$.updatedAt', max(?2, config ->> 'updatedAt' + 1))
  WHERE ${HAS_TAG}`;

/** On every key, those in the bin included; a key that has both names keeps one. */
export async function renameTag(
  db: D1Database,
  { from, to }: { readonly from: string; readonly to: string },
  now: EpochMs,
  commit: Commit,
): Promise<void> {
  await commit([db.prepare(rewritten("iif(t.value = ?1, ?3, t.value)")).bind(from, now, to)]);
}

export async function deleteTag(db: D1Database, tag: string, now: EpochMs, commit: Commit): Promise<void> {
  await commit([db.prepare(rewritten("nullif(t.value, ?1)")).bind(tag, now)]);
}
