/** Many keys at once: each by itself as far as it can fail, all together where they are saved. */
import type { Context } from "hono";
import { z } from "zod";
import { keyIdSchema, type KeyId } from "../domain/ids.ts";
import { withTags } from "../domain/key-changes.ts";
import {
  keyFieldsSchema,
  keyPatchSchema,
  refuseInconsistency,
  tagsSchema,
  type KeyConfig,
  type KeyPatch,
} from "../domain/key.ts";
import { deleteCaptureStatement } from "../storage/captures.ts";
import { reachKeys } from "../storage/key-reach.ts";
import { listKeys } from "../storage/key-list.ts";
import { findKeys, keysInBin, type StoredKey } from "../storage/keys.ts";
import type { AdminEnv } from "./context.ts";
import { captureObject } from "./objects.ts";
import { assertOwner, makeKey, patched } from "./key-changes.ts";
import { eraseKeys, reachOf, saveEdited, saveNewKeys, tooMany, type ManyEdited } from "./key-saving.ts";

/** Each key is a question to its object and a write to KV, of which a worker may make a thousand. */
const KEYS_MAX = 500;
const TRIES_MAX = 5;

export const bulkInputSchema = keyFieldsSchema
  .extend({
    /** The keys are named `<name>_1` and so on. */
    name: keyFieldsSchema.shape.name.max(90),
    count: z.int().min(1).max(KEYS_MAX),
  })
  .superRefine(refuseInconsistency);

const idsSchema = z
  .array(keyIdSchema)
  .min(1)
  .max(KEYS_MAX)
  .transform((ids) => [...new Set(ids)]);
export const bulkIdsSchema = z.object({ ids: idsSchema });

export const bulkPatchSchema = z.object({
  ids: idsSchema,
  /** What all of them are to be; a name would be the same for all. */
  changes: keyPatchSchema.omit({ name: true, tags: true }).strict().default({}),
  tags: z
    .strictObject({
      replace: tagsSchema.optional(),
      add: tagsSchema.optional(),
      remove: tagsSchema.optional(),
    })
    .default({}),
});
export type BulkPatch = z.output<typeof bulkPatchSchema>;

interface Failure {
  readonly id: string;
  readonly error: string;
}

export interface BulkResult {
  readonly succeeded: readonly KeyId[];
  readonly failed: readonly Failure[];
}

const NOT_TOLD = "It is saved, but the key did not hear of it yet. It will within some minutes.";

/** Tells objects and the edge. @returns those that could not be told, which a job tells later */
async function tell(context: Context<AdminEnv>, keys: readonly StoredKey[]): Promise<Failure[]> {
  const failures = await reachKeys(keys, reachOf(context));
  return [...failures.keys()].map((id) => ({ id, error: NOT_TOLD }));
}

const without = (ids: readonly KeyId[], failed: readonly Failure[]): KeyId[] => {
  const names = new Set(failed.map(({ id }) => id));
  return ids.filter((id) => !names.has(id));
};

export async function createKeys(
  context: Context<AdminEnv>,
  { count, name, ...options }: z.output<typeof bulkInputSchema>,
) {
  await assertOwner(context, options.ownerId);
  const now = Date.now();
  const names = Array.from({ length: count }, (_, index) => `${name}_${String(index + 1)}`);
  const made = await Promise.all(names.map((each) => makeKey({ ...options, name: each }, now)));
  const stored = await saveNewKeys(
    context,
    made.map((each) => each.stored),
  );
  // A key that was not told of will be: its text works then, so it must not be lost.
  const failed = await tell(context, stored);
  const succeeded = made.map(({ stored: { config }, text }) => ({
    id: config.id,
    name: config.name,
    key: text,
  }));
  return { succeeded, failed };
}

/** @returns as text: why it cannot be done to this key */
type EditOne = (config: KeyConfig) => KeyConfig | string;

interface Sorted {
  readonly edited: readonly ManyEdited[];
  readonly failed: readonly Failure[];
}

function sorted(ids: readonly KeyId[], found: readonly StoredKey[], edit: EditOne): Sorted {
  const byId = new Map(found.map((key) => [key.config.id, key]));
  const edited: ManyEdited[] = [];
  const failed: Failure[] = [];
  for (const id of ids) {
    const before = byId.get(id);
    if (before === undefined) {
      failed.push({ id, error: "There is no such key." });
      continue;
    }
    const config = edit(before.config);
    if (typeof config === "string") failed.push({ id, error: config });
    else edited.push({ before, after: { ...before, config } });
  }
  return { edited, failed };
}

async function editKeys(
  context: Context<AdminEnv>,
  ids: readonly KeyId[],
  action: "key.update" | "key.delete",
  edit: EditOne,
): Promise<BulkResult> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { edited, failed } = sorted(ids, await findKeys(context.env.DB, ids), edit);
    const saved = await saveEdited(context, action, edited);
    if (saved === null) continue;
    const all = [...failed, ...(await tell(context, saved))];
    return { succeeded: without(ids, all), failed: all };
  }
  throw tooMany();
}

const TAGS_TOO_MANY = "tags: a key has 20 at most";

function withChanges(config: KeyConfig, { changes, tags }: BulkPatch): KeyConfig | string {
  const tagged = tagsSchema.safeParse(withTags(config.tags, tags));
  if (!tagged.success) return TAGS_TOO_MANY;
  return patched(config, { ...(changes as KeyPatch), tags: tagged.data });
}

export async function changeKeys(context: Context<AdminEnv>, order: BulkPatch): Promise<BulkResult> {
  await assertOwner(context, order.changes.ownerId ?? null);
  return editKeys(context, order.ids, "key.update", (config) => withChanges(config, order));
}

/** Moves keys to the bin. */
export async function removeKeys(context: Context<AdminEnv>, ids: readonly KeyId[]): Promise<BulkResult> {
  const captured = (await findKeys(context.env.DB, ids)).filter(({ config }) => config.captureUntil !== null);
  const result = await editKeys(context, ids, "key.delete", (config) =>
    config.deletedAt === null
      ? { ...config, captureUntil: null, deletedAt: Date.now() }
      : "This key is in the bin already.",
  );
  // Nobody needs what was said any longer than the key.
  const { DB } = context.env;
  for (const { config } of captured.filter((key) => result.succeeded.includes(key.config.id))) {
    await deleteCaptureStatement(DB, config.id).run();
    await captureObject(context.env, config.id).erase();
  }
  return result;
}

/** Deletes what is in the bin for ever, as much of it as one call can. */
export async function emptyBin(context: Context<AdminEnv>) {
  const { DB } = context.env;
  const keys = await keysInBin(DB, Date.now() + 1, KEYS_MAX);
  const deleted = keys.length > 0 ? await eraseKeys(context, keys) : 0;
  const { total: left } = await listKeys(DB, { limit: 0, offset: 0 }, { deleted: true });
  return { deleted, left };
}
