/** What can be done to a relay key, whoever asks for it: the admin's routes, people's own, and older paths. */
import type { Context } from "hono";
import { toHex } from "../domain/encoding.ts";
import { capturedUntil } from "../domain/capture.ts";
import { RelayError } from "../domain/errors.ts";
import {
  fingerprintOf,
  keyIdSchema,
  newKeyId,
  type EpochMs,
  type KeyHash,
  type PersonId,
} from "../domain/ids.ts";
import { extended, rotated, type Lifetime } from "../domain/key-changes.ts";
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
import { hashKey } from "../storage/hash.ts";
import { findKey, type StoredKey } from "../storage/keys.ts";
import { findPerson } from "../storage/people.ts";
import { noted } from "./audited.ts";
import { idParam, notFound, type AdminEnv } from "./context.ts";
import { editKey, eraseKeys, reachKey, saveNewKeys, saveOwnKey } from "./key-saving.ts";
import { captureObject, keyObject } from "./objects.ts";

const HINT_LENGTH = 6;
const MINUTE_MS = 60_000;

/** A key with its text, which is shown this once. */
export type NewKeyView = KeyView & { readonly key: string };

/** A key that D1 does not have yet, and its text. */
export interface MadeKey {
  readonly stored: StoredKey;
  readonly text: string;
}

export async function keyView(context: Context<AdminEnv>, stored: KeyConfig): Promise<KeyView> {
  const { fingerprint: _fingerprint, booksUsage: _books, previous, ...config } = stored;
  const status = await keyObject(context.env, config.id).status();
  const captureUntil = capturedUntil(config.captureUntil, Date.now());
  return { ...config, captureUntil, previousUntil: previous?.until ?? null, status };
}

/** Says no to a change of a key as it is now, which may not be as it was when it was looked up. */
export type Guard = (key: KeyConfig) => void;
const anybody: Guard = () => undefined;

/** The key of the path, wherever it is: in the bin, too. @throws RelayError `not_found` */
export async function requiredKey(context: Context<AdminEnv>): Promise<StoredKey> {
  const id = idParam(keyIdSchema, context.req.param("id") ?? "");
  const key = await findKey(context.env.DB, id);
  if (key === null) throw notFound();
  return key;
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

export async function assertOwner({ env }: Context<AdminEnv>, id: PersonId | null): Promise<void> {
  if (id !== null && !(await isPerson(env, id))) {
    throw new RelayError("invalid_request", "ownerId: there is no such person");
  }
}

function assertConsistent(config: KeyConfig): void {
  const problem = inconsistency(config);
  if (problem !== null) throw new RelayError("invalid_request", problem);
}

const IN_BIN = "This key is in the bin. Restore it first.";

function assertNotInBin({ deletedAt }: KeyConfig): void {
  if (deletedAt !== null) throw new RelayError("conflict", IN_BIN);
}

export async function makeKey(input: KeyInput, now: EpochMs): Promise<MadeKey> {
  const { text, hash } = await newText();
  const config: KeyConfig = {
    ...input,
    ...marksOf(text, hash),
    id: newKeyId(now, crypto.getRandomValues(new Uint8Array(16))),
    previous: null,
    deletedAt: null,
    booksUsage: true,
    suspended: false,
    captureUntil: null,
    createdAt: now,
    updatedAt: now,
  };
  return { stored: { config, hash }, text };
}

/** @param keysMax of an owner who may have only so many. @throws RelayError `conflict` where they have them all */
export async function createKey(
  context: Context<AdminEnv>,
  input: KeyInput,
  keysMax: number | null = null,
): Promise<NewKeyView> {
  await assertOwner(context, input.ownerId);
  const { stored, text } = await makeKey(input, Date.now());
  assertConsistent(stored.config);
  const saved =
    keysMax === null ? await saveNewKeys(context, [stored]) : await saveOwnKey(context, stored, keysMax);
  const [key = stored] = saved;
  await reachKey(context, key);
  return { ...(await keyView(context, key.config)), key: text };
}

/** A change as it stands in a patch: what is absent stays as it is. @returns as text: what is wrong with it */
export function patched(before: KeyConfig, patch: KeyPatch): KeyConfig | string {
  if (before.deletedAt !== null) return IN_BIN;
  const given = Object.entries(patch).filter(([, value]) => value !== undefined);
  const config = { ...before, ...(Object.fromEntries(given) as Partial<KeyConfig>) };
  return inconsistency(config) ?? config;
}

export async function changeKey(
  context: Context<AdminEnv>,
  found: StoredKey,
  patch: KeyPatch,
  guard = anybody,
): Promise<KeyView> {
  await assertOwner(context, patch.ownerId ?? null);
  const { config } = await editKey(context, found, "key.update", ({ config: before, hash }) => {
    guard(before);
    assertNotInBin(before);
    const after = patched(before, patch);
    if (typeof after === "string") throw new RelayError("invalid_request", after);
    return { config: after, hash };
  });
  return keyView(context, config);
}

/** Gives a key a new text; the old one ends at once, or works for a while yet. */
export async function rotateKey(
  context: Context<AdminEnv>,
  found: StoredKey,
  { graceMinutes = 0, guard = anybody }: { readonly graceMinutes?: number; readonly guard?: Guard } = {},
): Promise<NewKeyView> {
  const { text, hash } = await newText();
  const { config } = await editKey(context, found, "key.rotate", (before) => {
    guard(before.config);
    assertNotInBin(before.config);
    const until = Date.now() + graceMinutes * MINUTE_MS;
    return { config: rotated(before, marksOf(text, hash), until), hash };
  });
  return { ...(await keyView(context, config)), key: text };
}

/** Moves a key to the bin, where it is refused as if it had never been. */
export async function removeKey(
  context: Context<AdminEnv>,
  found: StoredKey,
  guard = anybody,
): Promise<void> {
  const { id } = found.config;
  const edit = ({ config, hash }: StoredKey): StoredKey => {
    guard(config);
    if (config.deletedAt !== null) {
      throw new RelayError("conflict", "This key is in the bin already. Add `?forever=true` to delete it.");
    }
    return { config: { ...config, captureUntil: null, deletedAt: Date.now() }, hash };
  };
  const statements = [deleteCaptureStatement(context.env.DB, id)];
  await editKey(context, found, { action: "key.delete", statements }, edit);
  // Nobody needs what was said any longer than the key.
  if (found.config.captureUntil !== null) await captureObject(context.env, id).erase();
}

/** Takes a key out of the bin: its text works again, and its counters are what they were. */
export async function restoreKey(context: Context<AdminEnv>, found: StoredKey): Promise<KeyView> {
  const { config } = await editKey(context, found, "key.restore", ({ config: before, hash }) => {
    if (before.deletedAt === null) throw new RelayError("conflict", "This key is not in the bin.");
    return { config: { ...before, deletedAt: null }, hash };
  });
  return keyView(context, config);
}

/** Deletes a key for ever. What it used stays in the ledger, under its id. */
export async function eraseKey(context: Context<AdminEnv>, found: StoredKey): Promise<void> {
  if (found.config.deletedAt === null) await removeKey(context, found);
  if ((await eraseKeys(context, [found])) > 0) return;
  throw new RelayError(
    "conflict",
    "The key has not heard yet that it is in the bin. Try again in a few minutes.",
  );
}

export async function extendKey(
  context: Context<AdminEnv>,
  found: StoredKey,
  lifetime: Lifetime,
): Promise<KeyView> {
  const { config } = await editKey(context, found, "key.extend", async ({ config: before, hash }) => {
    assertNotInBin(before);
    const status = await keyObject(context.env, before.id).status();
    const after = extended(before, status?.activatedAt ?? null, lifetime, Date.now());
    if (typeof after === "string") throw new RelayError("conflict", after);
    return { config: after, hash };
  });
  return keyView(context, config);
}

/** Every budget and window begins anew. What the ledger has, and totals, stay. */
export async function resetKeyUsage(context: Context<AdminEnv>, { config }: StoredKey): Promise<KeyView> {
  assertNotInBin(config);
  const object = keyObject(context.env, config.id);
  const { limits = [] } = (await object.status()) ?? {};
  await object.resetUsage();
  const used = Object.fromEntries(limits.map((limit) => [limit.id, limit.used]));
  await noted(context, "key.reset_usage", config.id, { before: { used } });
  return keyView(context, config);
}
