/** Relay keys: create, list, change, rotate, delete. The key text is shown once and never stored. */
import { Hono } from "hono";
import { keyInputSchema, keyPatchSchema } from "../domain/key.ts";
import { listKeys } from "../storage/keys.ts";
import { keyAnswer, newKeyAnswer, pageOf } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import { body, offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import { changeKey, createKey, keyView, removeKey, requiredKey, rotateKey } from "./key-changes.ts";

export const keyRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists keys, the newest first.", { 200: pageOf(keyAnswer) }),
    query(pageSchema),
    async (context) => {
      const { items, total } = await listKeys(context.env.DB, offsetOf(context.req.valid("query")));
      return context.json({
        items: await Promise.all(items.map(({ config }) => keyView(context, config))),
        total,
      });
    },
  )
  .post(
    "/",
    documented("Makes a key; its text is shown this once.", { 201: newKeyAnswer }),
    body(keyInputSchema),
    async (context) => context.json(await createKey(context, context.req.valid("json")), 201),
  )
  .get("/:id", documented("Shows a key.", { 200: keyAnswer }), async (context) =>
    context.json(await keyView(context, (await requiredKey(context)).config)),
  )
  .patch(
    "/:id",
    documented("Changes a key; what is left out stays as it is.", { 200: keyAnswer }),
    body(keyPatchSchema),
    async (context) =>
      context.json(await changeKey(context, await requiredKey(context), context.req.valid("json"))),
  )
  .post(
    "/:id/rotate",
    documented("Gives a key a new text; the old one ends at once.", { 200: newKeyAnswer }),
    async (context) => context.json(await rotateKey(context, await requiredKey(context))),
  )
  .delete("/:id", documented("Deletes a key.", { 204: null }), async (context) => {
    await removeKey(context, await requiredKey(context));
    return context.body(null, 204);
  });
