/** Tags of keys: which there are, under another name, and gone from every key. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { nameSchema } from "../domain/text.ts";
import { deleteTag, keysTagged, listTags, renameTag } from "../storage/key-tags.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, type AdminEnv } from "./context.ts";
import { tagAnswer, tagsAnswer } from "./key-answers.ts";

const renameSchema = z.object({ name: nameSchema });

/** The tag of the path, and how many keys have it. @throws RelayError `not_found`: none has */
async function requiredTag(context: Context<AdminEnv>) {
  const name = idParam(nameSchema, context.req.param("tag") ?? "");
  const keys = await keysTagged(context.env.DB, name);
  if (keys === 0) throw notFound();
  return { name, keys };
}

export const keyTagRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists the tags of keys, the most used first.", { 200: tagsAnswer }),
    async (context) => context.json({ items: await listTags(context.env.DB) }),
  )
  .patch(
    "/:tag",
    documented("Renames a tag on every key that has it.", { 200: tagAnswer }),
    body(renameSchema),
    async (context) => {
      const { name: from, keys } = await requiredTag(context);
      const { name: to } = context.req.valid("json");
      const change = { before: { name: from }, after: { name: to, keys } };
      const commit = audited(context, "tag.rename", from, change);
      await renameTag(context.env.DB, { from, to }, Date.now(), commit);
      return context.json({ name: to, keys: await keysTagged(context.env.DB, to) });
    },
  )
  .delete("/:tag", documented("Takes a tag off every key that has it.", { 204: null }), async (context) => {
    const { name, keys } = await requiredTag(context);
    const commit = audited(context, "tag.delete", name, { before: { name, keys } });
    await deleteTag(context.env.DB, name, Date.now(), commit);
    return context.body(null, 204);
  });
