/** Relay keys: create, list, change, rotate, delete. The key text is shown once and never stored. */
import { Hono } from "hono";
import { z } from "zod";
import { lifetimeSchema, rotationSchema } from "../domain/key-changes.ts";
import { keyInputSchema, keyPatchSchema } from "../domain/key.ts";
import { keyAnswer, newKeyAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { body, optionalBody, query, type AdminEnv } from "./context.ts";
import { bulkAnswer, bulkCreatedAnswer, emptiedAnswer, keyListAnswer } from "./key-answers.ts";
import {
  bulkIdsSchema,
  bulkInputSchema,
  bulkPatchSchema,
  changeKeys,
  createKeys,
  emptyBin,
  removeKeys,
} from "./key-bulk.ts";
import {
  changeKey,
  createKey,
  eraseKey,
  extendKey,
  keyView,
  removeKey,
  requiredKey,
  resetKeyUsage,
  restoreKey,
  rotateKey,
} from "./key-changes.ts";
import { keyList, keyListSchema } from "./key-list.ts";

const deletionSchema = z.object({ forever: z.stringbool().default(false) });

const bulkRoutes = new Hono<AdminEnv>()
  .post(
    "/",
    documented("Makes many keys of one kind; their texts are shown this once.", { 201: bulkCreatedAnswer }),
    body(bulkInputSchema),
    async (context) => context.json(await createKeys(context, context.req.valid("json")), 201),
  )
  .patch(
    "/",
    documented("Changes many keys alike; says of which it could not be done, and why.", { 200: bulkAnswer }, [
      "conflict",
    ]),
    body(bulkPatchSchema),
    async (context) => context.json(await changeKeys(context, context.req.valid("json"))),
  )
  .post(
    "/delete",
    documented("Moves many keys to the bin.", { 200: bulkAnswer }, ["conflict"]),
    body(bulkIdsSchema),
    async (context) => context.json(await removeKeys(context, context.req.valid("json").ids)),
  );

const oneRoutes = new Hono<AdminEnv>()
  .get("/:id", documented("Shows a key.", { 200: keyAnswer }), async (context) =>
    context.json(await keyView(context, (await requiredKey(context)).config)),
  )
  .patch(
    "/:id",
    documented("Changes a key; what is left out stays as it is.", { 200: keyAnswer }, ["conflict"]),
    body(keyPatchSchema),
    async (context) =>
      context.json(await changeKey(context, await requiredKey(context), context.req.valid("json"))),
  )
  .post(
    "/:id/rotate",
    documented(
      "Gives a key a new text; the old one ends at once, or after `graceMinutes`.",
      { 200: newKeyAnswer },
      ["conflict"],
    ),
    optionalBody(rotationSchema),
    async (context) => {
      const { graceMinutes } = context.req.valid("json");
      return context.json(await rotateKey(context, await requiredKey(context), { graceMinutes }));
    },
  )
  .post(
    "/:id/extend",
    documented("Makes a key's end later, counted from its end or from now.", { 200: keyAnswer }, [
      "conflict",
    ]),
    body(lifetimeSchema),
    async (context) =>
      context.json(await extendKey(context, await requiredKey(context), context.req.valid("json"))),
  )
  .post(
    "/:id/reset-usage",
    documented("Begins a key's budgets and windows anew; the ledger stays.", { 200: keyAnswer }, [
      "conflict",
    ]),
    async (context) => context.json(await resetKeyUsage(context, await requiredKey(context))),
  )
  .post(
    "/:id/restore",
    documented("Takes a key out of the bin; its text works again.", { 200: keyAnswer }, ["conflict"]),
    async (context) => context.json(await restoreKey(context, await requiredKey(context))),
  )
  .delete(
    "/:id",
    documented("Moves a key to the bin, or deletes it for ever.", { 204: null }, ["conflict"]),
    query(deletionSchema),
    async (context) => {
      const key = await requiredKey(context);
      if (context.req.valid("query").forever) await eraseKey(context, key);
      else await removeKey(context, key);
      return context.body(null, 204);
    },
  );

export const keyRoutes = new Hono<AdminEnv>()
  .get("/", documented("Lists keys.", { 200: keyListAnswer }), query(keyListSchema), async (context) =>
    context.json(await keyList(context, context.req.valid("query"))),
  )
  .post(
    "/",
    documented("Makes a key; its text is shown this once.", { 201: newKeyAnswer }),
    body(keyInputSchema),
    async (context) => context.json(await createKey(context, context.req.valid("json")), 201),
  )
  .route("/bulk", bulkRoutes)
  .delete(
    "/bin",
    documented("Deletes what is in the bin for ever, up to 500 keys at a time.", { 200: emptiedAnswer }),
    async (context) => context.json(await emptyBin(context)),
  )
  .route("/", oneRoutes);
