/** What can be done to a relay key, whoever asks for it: the admin's routes, people's own, and older paths. */
import type { Context } from "hono";
import { toHex } from "../domain/encoding.ts";
import { RelayError } from "../domain/errors.ts";
import { fingerprintOf, keyIdSchema, newKeyId, type KeyHash, type PersonId } from "../domain/ids.ts";
import {
  inconsistency,
  KEY_PREFIX,
  type KeyConfig,
  type KeyInput,
  type KeyPatch,
  type KeyView,
} from "../domain/key.ts";
import { firstOwner, type Person } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { alone, type Commit } from "../storage/commit.ts";
import { hashKey } from "../storage/hash.ts";
import { addKeyWithin, deleteKey, findKey, listKeys, saveKey, type StoredKey } from "../storage/keys.ts";
import { findPerson } from "../storage/people.ts";
import { deleteKey as deleteSnapshot, putKey } from "../storage/snapshots.ts";
import { audited } from "./audited.ts";
import { idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { keyObject } from "./objects.ts";

const HINT_LENGTH = 6;

/** A key with its text, which is shown this once. */
export type NewKeyView = KeyView & { readonly key: string };

export async function keyView(context: Context<AdminEnv>, stored: KeyConfig): Promise<KeyView> {
  const { fingerprint: _fingerprint, booksUsage: _books, ...config } = stored;
  return { ...config, status: await keyObject(context.env, config.id).status() };
}

/** The key of the path. @throws RelayError `not_found` */
export async function requiredKey(context: Context<AdminEnv>): Promise<StoredKey> {
  const id = idParam(keyIdSchema, context.req.param("id") ?? "");
  const key = await findKey(context.env.DB, id);
  if (key === null) throw notFound();
  return key;
}

/** The object first: it is the authority. Then D1, then the snapshot that lets the edge find it. */
async function store(context: Context<AdminEnv>, key: StoredKey, commit: Commit): Promise<void> {
  await keyObject(context.env, key.config.id).configure(key.config);
  await saveKey(context.env.DB, key, commit);
  await putKey(key.hash, key.config, snapshotsOf(context));
}

/** Like `store`, unless the owner has as many keys as they may. */
async function storeWithin(
  context: Context<AdminEnv>,
  key: StoredKey,
  { keysMax, commit }: { readonly keysMax: number; readonly commit: Commit },
): Promise<void> {
  const { DB } = context.env;
  const full = () =>
    new RelayError("conflict", `You may have ${String(keysMax)} keys. Delete one, or ask an owner for more.`);
  // Asked before, too, so that whoever goes on trying does not make an object each time.
  if ((await listKeys(DB, { limit: 1, offset: 0 }, ownerFilter(key.config))).total >= keysMax) throw full();
  const object = keyObject(context.env, key.config.id);
  await object.configure(key.config);
  if (!(await addKeyWithin(DB, key, keysMax, commit))) {
    await object.revoke();
    throw full();
  }
  await putKey(key.hash, key.config, snapshotsOf(context));
}

const ownerFilter = ({ ownerId }: KeyConfig) => ({ ownerId: ownerId ?? undefined });

/** An owner who was switched off while their key was changed must find it suspended all the same. */
async function stillSettled(context: Context<AdminEnv>, key: StoredKey): Promise<KeyConfig> {
  if (key.config.suspended || key.config.ownerId === null) return key.config;
  const owner = await ownerOf(context.env, key.config.ownerId);
  if (owner?.enabled === true) return key.config;
  const config = { ...key.config, suspended: true };
  await store(context, { ...key, config }, alone(context.env.DB));
  return config;
}

async function newText(): Promise<{ readonly text: string; readonly hash: KeyHash }> {
  const text = KEY_PREFIX + toHex(crypto.getRandomValues(new Uint8Array(32)));
  return { text, hash: await hashKey(text) };
}

/** What a key's configuration says of its text. */
const marksOf = (text: string, hash: KeyHash) => ({
  hint: text.slice(-HINT_LENGTH),
  fingerprint: fingerprintOf(hash),
});

/** null: there is no such person. */
async function ownerOf({ DB, ADMIN_USERNAME }: Env, id: PersonId): Promise<Person | null> {
  const first = firstOwner(ADMIN_USERNAME);
  return id === first.id ? first : ((await findPerson(DB, id))?.person ?? null);
}

/** The key as it may be stored: consistent, and suspended if its owner is. @throws RelayError `invalid_request` */
async function settledConfig({ env }: Context<AdminEnv>, config: KeyConfig): Promise<KeyConfig> {
  const problem = inconsistency(config);
  if (problem !== null) throw new RelayError("invalid_request", problem);
  if (config.ownerId === null) return { ...config, suspended: false };
  const owner = await ownerOf(env, config.ownerId);
  if (owner === null) throw new RelayError("invalid_request", "ownerId: there is no such person");
  return { ...config, suspended: !owner.enabled };
}

/** @param keysMax of an owner who may have only so many. @throws RelayError `conflict` where they have them all */
export async function createKey(
  context: Context<AdminEnv>,
  input: KeyInput,
  keysMax: number | null = null,
): Promise<NewKeyView> {
  const now = Date.now();
  const { text, hash } = await newText();
  const config = await settledConfig(context, {
    ...input,
    ...marksOf(text, hash),
    id: newKeyId(now, crypto.getRandomValues(new Uint8Array(16))),
    deletedAt: null,
    booksUsage: true,
    suspended: false,
    createdAt: now,
    updatedAt: now,
  });
  const commit = audited(context, "key.create", config.id, { after: config });
  if (keysMax === null) await store(context, { config, hash }, commit);
  else await storeWithin(context, { config, hash }, { keysMax, commit });
  return { ...(await keyView(context, config)), key: text };
}

export async function changeKey(
  context: Context<AdminEnv>,
  { config: before, hash }: StoredKey,
  patch: KeyPatch,
): Promise<KeyView> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const config = await settledConfig(context, {
    ...before,
    ...(Object.fromEntries(given) as Partial<KeyConfig>),
    updatedAt: Date.now(),
  });
  const commit = audited(context, "key.update", config.id, { before, after: config });
  await store(context, { config, hash }, commit);
  return keyView(context, await stillSettled(context, { config, hash }));
}

/** Gives a key a new text; the old one ends at once. */
export async function rotateKey(
  context: Context<AdminEnv>,
  { config: before, hash: oldHash }: StoredKey,
): Promise<NewKeyView> {
  const { text, hash } = await newText();
  const config = { ...before, ...marksOf(text, hash), updatedAt: Date.now() };
  await store(
    context,
    { config, hash },
    audited(context, "key.rotate", config.id, { before, after: config }),
  );
  await deleteSnapshot(oldHash, snapshotsOf(context));
  const kept = await stillSettled(context, { config, hash });
  return { ...(await keyView(context, kept)), key: text };
}

export async function removeKey(context: Context<AdminEnv>, { config, hash }: StoredKey): Promise<void> {
  await keyObject(context.env, config.id).revoke();
  await deleteSnapshot(hash, snapshotsOf(context));
  const commit = audited(context, "key.delete", config.id, { before: config });
  await deleteKey(context.env.DB, config.id, commit);
}
