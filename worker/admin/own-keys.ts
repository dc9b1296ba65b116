/** People's own keys. A key of somebody else is as unknown here as one that never was. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import type { KeyView } from "../domain/key.ts";
import { loosened, ownKeyInputSchema, ownKeyPatchSchema, type OwnKeyPatch } from "../domain/own-key.ts";
import { listKeys } from "../storage/key-list.ts";
import type { StoredKey } from "../storage/keys.ts";
import { newOwnKeyAnswer, ownKeyAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { body, notFound, offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import {
  changeKey,
  createKey,
  keyView,
  removeKey,
  requiredKey,
  rotateKey,
  type Guard,
} from "./key-changes.ts";

/** Older clients look at this before anything else. */
const success = z.literal(true);
const listAnswer = z.object({ success, apiKeys: z.array(ownKeyAnswer), total: z.number() });
const oneAnswer = z.object({ success, apiKey: ownKeyAnswer });
const newAnswer = z.object({ success, apiKey: newOwnKeyAnswer });

const listQuerySchema = pageSchema.extend({
  /** Those in the bin, instead of those that are not. */
  deleted: z.stringbool().default(false),
});

/** Asked again when the change is made: by then it may be somebody else's. */
const theirs =
  (context: Context<AdminEnv>): Guard =>
  ({ ownerId, deletedAt }) => {
    if (ownerId !== context.get("person").id || deletedAt !== null) throw notFound();
  };

const onlyTightened =
  (context: Context<AdminEnv>, patch: OwnKeyPatch): Guard =>
  (key) => {
    theirs(context)(key);
    const field = loosened(key, patch);
    if (field === null) return;
    throw new RelayError("permission_denied", `${field}: may be tightened only. Ask an admin for more.`);
  };

async function ownKey(context: Context<AdminEnv>): Promise<StoredKey> {
  const key = await requiredKey(context);
  theirs(context)(key.config);
  return key;
}

/** Which accounts serve a key is its admins' business. */
function ownView<View extends KeyView>({ binding: _, bindingFallback: __, ...view }: View) {
  return view;
}

export const ownKeyRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists one's own keys, the newest first.", { 200: listAnswer }),
    query(listQuerySchema),
    async (context) => {
      const { deleted, ...page } = context.req.valid("query");
      const filter = { ownerId: context.get("person").id, deleted };
      const { items, total } = await listKeys(context.env.DB, offsetOf(page), filter);
      const views = await Promise.all(items.map(({ config }) => keyView(context, config)));
      return context.json({ success: true, apiKeys: views.map(ownView), total });
    },
  )
  .post(
    "/",
    documented("Makes a key of one's own; its text is shown this once.", { 201: newAnswer }, ["conflict"]),
    body(ownKeyInputSchema),
    async (context) => {
      const person = context.get("person");
      const input = { ...context.req.valid("json"), ownerId: person.id };
      const made = await createKey(context, input, person.keysMax);
      return context.json({ success: true, apiKey: ownView(made) }, 201);
    },
  )
  .get("/:id", documented("Shows a key of one's own.", { 200: oneAnswer }), async (context) =>
    context.json({
      success: true,
      apiKey: ownView(await keyView(context, (await ownKey(context)).config)),
    }),
  )
  .patch(
    "/:id",
    documented(
      "Changes a key of one's own. What is left out stays as it is; limits can be tightened, not loosened.",
      { 200: oneAnswer },
      ["permission_denied"],
    ),
    body(ownKeyPatchSchema),
    async (context) => {
      const key = await ownKey(context);
      const patch = context.req.valid("json");
      const changed = await changeKey(context, key, patch, onlyTightened(context, patch));
      return context.json({ success: true, apiKey: ownView(changed) });
    },
  )
  .post(
    "/:id/rotate",
    documented("Gives a key of one's own a new text.", { 200: newAnswer }),
    async (context) => {
      const rotated = await rotateKey(context, await ownKey(context), { guard: theirs(context) });
      return context.json({ success: true, apiKey: ownView(rotated) });
    },
  )
  .delete("/:id", documented("Deletes a key of one's own.", { 204: null }), async (context) => {
    await removeKey(context, await ownKey(context), theirs(context));
    return context.body(null, 204);
  });
