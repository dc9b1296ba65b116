/** Groups: how requests are spread over their accounts. Membership is a field of each account. */
import { Hono, type Context } from "hono";
import { groupSchema, SHARED_POOL, type Group } from "../domain/group.ts";
import type { AccountId } from "../domain/ids.ts";
import { nameSchema } from "../domain/text.ts";
import { listAccounts } from "../storage/accounts.ts";
import { deleteGroup, listGroups, saveGroup } from "../storage/groups.ts";
import { groupAnswer, pageOf } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, publishDirectory, type AdminEnv } from "./context.ts";

interface GroupView extends Group {
  /** Accounts in it; of the shared pool (`*`), those that are in no group. */
  readonly accounts: readonly AccountId[];
}

/** Every group that is named anywhere, the shared pool first. */
async function viewsOf(db: D1Database): Promise<GroupView[]> {
  const [stored, accounts] = await Promise.all([listGroups(db), listAccounts(db)]);
  const names = new Set([
    SHARED_POOL,
    ...[...stored.map(({ name }) => name), ...accounts.flatMap(({ groups }) => groups)].sort(),
  ]);
  return [...names].map((name) => ({
    ...(stored.find((group) => group.name === name) ?? groupSchema.parse({ name })),
    accounts: accounts
      .filter(({ groups }) => (name === SHARED_POOL ? groups.length === 0 : groups.includes(name)))
      .map(({ id }) => id),
  }));
}

const inputSchema = groupSchema.omit({ name: true });

const nameOf = (context: Context<AdminEnv>) => idParam(nameSchema, context.req.param("name") ?? "");

export const groupRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists every group that is named anywhere, the shared pool (`*`) first.", {
      200: pageOf(groupAnswer),
    }),
    async (context) => {
      const items = await viewsOf(context.env.DB);
      return context.json({ items, total: items.length });
    },
  )
  .put(
    "/:name",
    documented("Makes or changes a group.", { 200: groupAnswer }),
    body(inputSchema),
    async (context) => {
      const name = nameOf(context);
      const before = (await listGroups(context.env.DB)).find((group) => group.name === name);
      const after = { name, ...context.req.valid("json") };
      const change = before === undefined ? { after } : { before, after };
      await saveGroup(context.env.DB, after, audited(context, "group.save", name, change));
      await publishDirectory(context);
      return context.json((await viewsOf(context.env.DB)).find((group) => group.name === name));
    },
  )
  .delete(
    "/:name",
    documented("Deletes a group's settings; its accounts keep its name.", { 204: null }),
    async (context) => {
      const name = nameOf(context);
      const before = (await listGroups(context.env.DB)).find((group) => group.name === name);
      if (before === undefined) throw notFound();
      await deleteGroup(context.env.DB, name, audited(context, "group.delete", name, { before }));
      await publishDirectory(context);
      return context.body(null, 204);
    },
  );
