/** What can be done to a relay key, whoever asks for it: the admin's routes, people's own, and older paths. */
import type { Context } from "hono";
import { capturedUntil } from "../domain/capture.ts";
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
import { firstOwner } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { deleteCaptureStatement } from "../storage/captures.ts";
import type { Commit } from "../storage/commit.ts";
import { hashKey } from "../storage/hash.ts";
import { deleteKey, findKey, saveKey, type StoredKey } from "../storage/keys.ts";
import { findPerson } from "../storage/people.ts";
import { deleteKey as deleteSnapshot, putKey } from "../storage/snapshots.ts";
import { audited } from "./audited.ts";
import { idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { captureObject, keyObject } from "./objects.ts";

const HINT_LENGTH = 6;

/** A key with its text, which is shown this once. */
export type NewKeyView = KeyView & { readonly key: string };

export async function keyView(context: Context<AdminEnv>, stored: KeyConfig): Promise<KeyView> {
  const { fingerprint: _fingerprint, booksUsage: _books, ...config } = stored;
  return {
    ...config,
    captureUntil: capturedUntil(config.captureUntil, Date.now()),
    status: await keyObject(context.env, config.id).status(),
  };
}

/** The key of the path. @throws RelayError `not_found` */
export async function requiredKey(context: Context<AdminEnv>): Promise<StoredKey> {
  const id = idParam(keyIdSchema, context.req.param("id") ?? "");
  const key = await findKey(context.env.DB, id);
  if (key === null) throw notFound();
  return key;
}

/** The object first: it is the authority. Then D1, then the snapshot that lets the edge find it. */
export async function storeKey(context: Context<AdminEnv>, key: StoredKey, commit: Commit): Promise<void> {
  await keyObject(context.env, key.config.id).configure(key.config);
  await saveKey(context.env.DB, key, commit);
  await putKey(key.hash, key.config, snapshotsOf(context));
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

async function isPerson({ DB, ADMIN_USERNAME }: Env, id: PersonId): Promise<boolean> {
  return id === firstOwner(ADMIN_USERNAME).id || (await findPerson(DB, id)) !== null;
}

async function assertConsistent({ env }: Context<AdminEnv>, config: KeyConfig): Promise<void> {
  const problem = inconsistency(config);
  if (problem !== null) throw new RelayError("invalid_request", problem);
  if (config.ownerId !== null && !(await isPerson(env, config.ownerId))) {
    throw new RelayError("invalid_request", "ownerId: there is no such person");
  }
}

export async function createKey(context: Context<AdminEnv>, input: KeyInput): Promise<NewKeyView> {
  const now = Date.now();
  const { text, hash } = await newText();
  const config: KeyConfig = {
    ...input,
    ...marksOf(text, hash),
    id: newKeyId(now, crypto.getRandomValues(new Uint8Array(16))),
    deletedAt: null,
    booksUsage: true,
    captureUntil: null,
    createdAt: now,
    updatedAt: now,
  };
  await assertConsistent(context, config);
  await storeKey(context, { config, hash }, audited(context, "key.create", config.id, { after: config }));
  return { ...(await keyView(context, config)), key: text };
}

export async function changeKey(
  context: Context<AdminEnv>,
  { config: before, hash }: StoredKey,
  patch: KeyPatch,
): Promise<KeyView> {
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const config = {
    ...before,
    ...(Object.fromEntries(given) as Partial<KeyConfig>),
    updatedAt: Date.now(),
  };
  await assertConsistent(context, config);
  const commit = audited(context, "key.update", config.id, { before, after: config });
  await storeKey(context, { config, hash }, commit);
  return keyView(context, config);
}

/** Gives a key a new text; the old one ends at once. */
export async function rotateKey(
  context: Context<AdminEnv>,
  { config: before, hash: oldHash }: StoredKey,
): Promise<NewKeyView> {
  const { text, hash } = await newText();
  const config = { ...before, ...marksOf(text, hash), updatedAt: Date.now() };
  await storeKey(
    context,
    { config, hash },
    audited(context, "key.rotate", config.id, { before, after: config }),
  );
  await deleteSnapshot(oldHash, snapshotsOf(context));
  return { ...(await keyView(context, config)), key: text };
}

export async function removeKey(context: Context<AdminEnv>, { config, hash }: StoredKey): Promise<void> {
  await keyObject(context.env, config.id).revoke();
  await deleteSnapshot(hash, snapshotsOf(context));
  await captureObject(context.env, config.id).erase();
  const commit = audited(context, "key.delete", config.id, { before: config });
  await deleteKey(context.env.DB, config.id, (statements) =>
    commit([...statements, deleteCaptureStatement(context.env.DB, config.id)]),
  );
}
