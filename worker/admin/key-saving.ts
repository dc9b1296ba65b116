/**
 * How a change of keys is saved: in D1 with who made it, in one transaction, then told to their objects and the edge.
 * What a worker that dies leaves untold, a job tells.
 */
import type { Context } from "hono";
import type { AuditAction, Change } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { changedAt } from "../domain/key-changes.ts";
import type { KeyConfig } from "../domain/key.ts";
import type { Env } from "../env.ts";
import { eraseKeys as erase, reachKeys, type Reach } from "../storage/key-reach.ts";
import { addKeyWithin } from "../storage/owner-keys.ts";
import {
  findKey,
  findKeys,
  insertKeys,
  isStale,
  replacements,
  type KeyChange,
  type StoredKey,
} from "../storage/keys.ts";
import { audited, auditedAll } from "./audited.ts";
import { holdsAfter, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { captureObject, keyObject } from "./objects.ts";

/** Each time somebody else's change of the same key went through. */
const TRIES_MAX = 10;

export const reachOf = (context: Context<AdminEnv>): Reach => ({
  db: context.env.DB,
  snapshots: snapshotsOf(context),
  configure: async (config) => {
    holdsAfter(context, await keyObject(context.env, config.id).configure(config));
  },
});

/** One key's object at least must have heard of it before anybody is told that it is done. */
export async function reachKey(context: Context<AdminEnv>, key: StoredKey): Promise<void> {
  const failures = await reachKeys([key], reachOf(context));
  const cause = failures.get(key.config.id);
  if (cause === undefined) return;
  const message = "The change is saved, but the key did not hear of it yet. It will within some minutes.";
  throw new RelayError("no_account_available", message, { cause });
}

/** Keys as they are in D1 after a change: whether one is suspended is its owner's matter, and decided there. */
async function asSaved({ DB }: Env, keys: readonly StoredKey[]): Promise<readonly StoredKey[]> {
  if (keys.every(({ config }) => config.ownerId === null)) return keys;
  const found = await findKeys(
    DB,
    keys.map(({ config }) => config.id),
  );
  return keys.map((key) => found.find(({ config }) => config.id === key.config.id) ?? key);
}

export async function saveNewKeys(
  context: Context<AdminEnv>,
  keys: readonly StoredKey[],
): Promise<readonly StoredKey[]> {
  const changes = keys.map(({ config }) => ({ target: config.id, change: { after: config } }));
  await insertKeys(context.env.DB, keys, auditedAll(context, "key.create", changes));
  return asSaved(context.env, keys);
}

/** A person's own new key. @throws RelayError `conflict` when they have as many as they may */
export async function saveOwnKey(
  context: Context<AdminEnv>,
  key: StoredKey,
  keysMax: number,
): Promise<readonly StoredKey[]> {
  const commit = audited(context, "key.create", key.config.id, { after: key.config });
  if (await addKeyWithin(context.env.DB, key, keysMax, commit)) return [key];
  throw new RelayError(
    "conflict",
    `You may have ${String(keysMax)} keys. Delete one, or ask an owner for more.`,
  );
}

/** What an edit makes of a key as it is. Called again for the newer key if somebody else was faster. */
export type Edit = (key: StoredKey) => StoredKey | Promise<StoredKey>;

const withNewTime = (before: StoredKey, { config, hash }: StoredKey): StoredKey => ({
  config: { ...config, updatedAt: changedAt(before.config, Date.now()) },
  hash,
});

/** What a change is called in the log, and what is saved and written down together with it. */
interface Order {
  readonly action: AuditAction;
  readonly statements: readonly D1PreparedStatement[];
  /** Instead of the key before and after. */
  readonly note?: Change;
}

/** Changes a key by what it is when the change is made, and not by what it was when somebody looked. */
export async function editKey(
  context: Context<AdminEnv>,
  found: StoredKey,
  order: AuditAction | Order,
  edit: Edit,
): Promise<StoredKey> {
  const { DB } = context.env;
  const { action, statements, note } =
    typeof order === "string"
      ? { action: order, statements: [], note: undefined }
      : { note: undefined, ...order };
  let before: StoredKey | null = found;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    if (before === null) throw notFound();
    const key = withNewTime(before, await edit(before));
    const change = note ?? { before: before.config, after: key.config };
    const commit = audited(context, action, key.config.id, change);
    const replacement = replacements(DB, [{ key, basedOn: before.config.updatedAt }]);
    try {
      await commit([...replacement, ...statements]);
      const [saved = key] = await asSaved(context.env, [key]);
      await reachKey(context, saved);
      return saved;
    } catch (error) {
      if (!isStale(error)) throw error;
      before = await findKey(DB, found.config.id);
    }
  }
  throw tooMany();
}

export interface ManyEdited {
  readonly before: StoredKey;
  readonly after: StoredKey;
}

/** Changes many keys in one transaction. @returns false: somebody changed one of them; look again */
export async function saveEdited(
  context: Context<AdminEnv>,
  action: AuditAction,
  edited: readonly ManyEdited[],
): Promise<readonly StoredKey[] | null> {
  if (edited.length === 0) return [];
  const changes: KeyChange[] = edited.map(({ before, after }) => ({
    key: withNewTime(before, after),
    basedOn: before.config.updatedAt,
  }));
  const notes = edited.map(({ before, after }) => ({
    target: after.config.id,
    change: { before: before.config, after: after.config },
  }));
  try {
    await auditedAll(context, action, notes)(replacements(context.env.DB, changes));
  } catch (error) {
    if (isStale(error)) return null;
    throw error;
  }
  return asSaved(
    context.env,
    changes.map(({ key }) => key),
  );
}

export const tooMany = () =>
  new RelayError("conflict", "This key is being changed by others. Look at it again, then try again.");

/** Deletes keys of the bin for ever. @returns how many are gone */
export async function eraseKeys(context: Context<AdminEnv>, keys: readonly StoredKey[]): Promise<number> {
  const { env } = context;
  const changes = keys.map(({ config }) => ({ target: config.id, change: { before: config } }));
  const revoke = async (id: KeyConfig["id"]) => {
    holdsAfter(context, await keyObject(env, id).revoke());
    await captureObject(env, id).erase();
  };
  const gone = await erase(env.DB, keys, auditedAll(context, "key.erase", changes), revoke);
  return gone.length;
}
