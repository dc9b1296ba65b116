/** What may be asked of the list of keys, and its answer. */
import type { Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { personIdSchema } from "../domain/ids.ts";
import { nameSchema } from "../domain/text.ts";
import { momentSchema } from "../domain/usage-range.ts";
import { KEY_ORDERS, KEY_SORTS, KEY_STATES, listKeys, type KeySort } from "../storage/key-list.ts";
import { offsetOf, pageSchema, type AdminEnv } from "./context.ts";
import { keyView } from "./key-changes.ts";
import { rangeOf } from "./usage-query.ts";

export const keyListSchema = pageSchema.extend({
  ownerId: personIdSchema.optional(),
  tag: nameSchema.optional(),
  group: nameSchema.optional(),
  search: nameSchema.optional(),
  status: z.enum(KEY_STATES).optional(),
  deleted: z.stringbool().default(false),
  sort: z.enum(KEY_SORTS).default("newest"),
  order: z.enum(KEY_ORDERS).optional(),
  /** Of the costs that keys are ranked by: whole days, the last 30 when nobody says otherwise. */
  from: momentSchema.optional(),
  to: momentSchema.optional(),
});
type KeyListQuery = z.output<typeof keyListSchema>;

function sortOf(context: Context<AdminEnv>, { sort, order, from, to }: KeyListQuery): KeySort {
  switch (sort) {
    case "newest":
    case "oldest":
      if (order !== undefined) throw new RelayError("invalid_request", `order: ${sort} is one by itself`);
      return { by: sort };
    case "name":
      return { by: "name", order: order ?? "asc" };
    case "cost":
      return { by: "cost", order: order ?? "desc", days: rangeOf(context, { from, to }) };
  }
}

export async function keyList(context: Context<AdminEnv>, query: KeyListQuery) {
  const { ownerId, tag, group, search, status, deleted } = query;
  const state = status === undefined ? undefined : { is: status, now: Date.now() };
  const { items, total } = await listKeys(
    context.env.DB,
    offsetOf(query),
    { ownerId, tag, group, search, state, deleted },
    sortOf(context, query),
  );
  const views = items.map(async ({ config, cost }) => ({ ...(await keyView(context, config)), cost }));
  return { items: await Promise.all(views), total };
}
