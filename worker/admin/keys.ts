/** Relay keys: create, list, change, rotate, delete. The key text is shown once and never stored. */
import { Hono, type Context } from "hono";
import { RelayError } from "../domain/errors.ts";
import { fingerprintOf, keyIdSchema, newKeyId } from "../domain/ids.ts";
import {
  inconsistency,
  KEY_PREFIX,
  keyInputSchema,
  keyPatchSchema,
  type KeyConfig,
  type KeyView,
} from "../domain/key.ts";
import { toHex } from "../domain/encoding.ts";
import { hashKey } from "../storage/hash.ts";
import { deleteKey, findKey, listKeys, saveKey, type StoredKey } from "../storage/keys.ts";
import type { Commit } from "../storage/commit.ts";
import { deleteKey as deleteSnapshot, putKey } from "../storage/snapshots.ts";
import {
  body,
  idParam,
  notFound,
  offsetOf,
  pageSchema,
  query,
  snapshotsOf,
  type AdminEnv,
} from "./context.ts";
import { keyAnswer, newKeyAnswer, pageOf } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { keyObject } from "./objects.ts";

const HINT_LENGTH = 6;

async function viewOf(context: Context<AdminEnv>, stored: KeyConfig): Promise<KeyView> {
  const { fingerprint: _, ...config } = stored;
  return { ...config, status: await keyObject(context.env, config.id).status() };
}

const newKeyText = () => KEY_PREFIX + toHex(crypto.getRandomValues(new Uint8Array(32)));

/** The object first: it is the authority. Then D1, then the snapshot that lets the edge find it. */
async function store(context: Context<AdminEnv>, key: StoredKey, commit: Commit): Promise<void> {
  await keyObject(context.env, key.config.id).configure(key.config);
  await saveKey(context.env.DB, key, commit);
  await putKey(key.hash, key.config, snapshotsOf(context));
}

async function required(context: Context<AdminEnv>): Promise<StoredKey> {
  const id = idParam(keyIdSchema, context.req.param("id") ?? "");
  const key = await findKey(context.env.DB, id);
  if (key === null) throw notFound();
  return key;
}

export const keyRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists keys, the newest first.", { 200: pageOf(keyAnswer) }),
    query(pageSchema),
    async (context) => {
      const { items, total } = await listKeys(context.env.DB, offsetOf(context.req.valid("query")));
      return context.json({
        items: await Promise.all(items.map(({ config }) => viewOf(context, config))),
        total,
      });
    },
  )
  .post(
    "/",
    documented("Makes a key; its text is shown this once.", { 201: newKeyAnswer }),
    body(keyInputSchema),
    async (context) => {
      const now = Date.now();
      const key = newKeyText();
      const hash = await hashKey(key);
      const config: KeyConfig = {
        ...context.req.valid("json"),
        id: newKeyId(now, crypto.getRandomValues(new Uint8Array(16))),
        hint: key.slice(-HINT_LENGTH),
        fingerprint: fingerprintOf(hash),
        createdAt: now,
        updatedAt: now,
      };
      await store(context, { config, hash }, audited(context, "key.create", config.id, { after: config }));
      return context.json({ ...(await viewOf(context, config)), key }, 201);
    },
  )
  .get("/:id", documented("Shows a key.", { 200: keyAnswer }), async (context) =>
    context.json(await viewOf(context, (await required(context)).config)),
  )
  .patch(
    "/:id",
    documented("Changes a key; what is left out stays as it is.", { 200: keyAnswer }),
    body(keyPatchSchema),
    async (context) => {
      const { config: before, hash } = await required(context);
      const given = Object.entries(context.req.valid("json")).filter(([, value]) => value !== undefined);
      const config = {
        ...before,
        ...(Object.fromEntries(given) as Partial<KeyConfig>),
        updatedAt: Date.now(),
      };
      const problem = inconsistency(config);
      if (problem !== null) throw new RelayError("invalid_request", problem);
      const commit = audited(context, "key.update", config.id, { before, after: config });
      await store(context, { config, hash }, commit);
      return context.json(await viewOf(context, config));
    },
  )
  .post(
    "/:id/rotate",
    documented("Gives a key a new text; the old one ends at once.", { 200: newKeyAnswer }),
    async (context) => {
      const { config: before, hash: oldHash } = await required(context);
      const key = newKeyText();
      const hash = await hashKey(key);
      const config = {
        ...before,
        hint: key.slice(-HINT_LENGTH),
        fingerprint: fingerprintOf(hash),
        updatedAt: Date.now(),
      };
      const commit = audited(context, "key.rotate", config.id, { before, after: config });
      await store(context, { config, hash }, commit);
      await deleteSnapshot(oldHash, snapshotsOf(context));
      return context.json({ ...(await viewOf(context, config)), key });
    },
  )
  .delete("/:id", documented("Deletes a key.", { 204: null }), async (context) => {
    const { config, hash } = await required(context);
    await keyObject(context.env, config.id).revoke();
    await deleteSnapshot(hash, snapshotsOf(context));
    const commit = audited(context, "key.delete", config.id, { before: config });
    await deleteKey(context.env.DB, config.id, commit);
    return context.body(null, 204);
  });
