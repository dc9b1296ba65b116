/** Many keys at once, tags, and the bin, by the paths of claude-relay-service. */
import { z } from "zod";
import { keyAnswer } from "../answers.ts";
import { bulkAnswer, bulkCreatedAnswer, emptiedAnswer, keyListAnswer, tagsAnswer } from "../key-answers.ts";
import { alias, given, isoTime, pageQuery, single, type Alias } from "./alias.ts";
import { keyFromOld, oldKeyOf, oldKeySchema } from "./key-fields.ts";

type Bulk = z.output<typeof bulkAnswer>;

/** How many went through, as old scripts read it. */
const outcome = ({ succeeded, failed }: Bulk) =>
  single({
    successCount: succeeded.length,
    failedCount: failed.length,
    errors: failed.map(({ id, error }) => ({ keyId: id, error })),
  });

const place = (params: Readonly<Record<string, string>>) => `/keys/${params["id"] ?? ""}`;
const idsSchema = z.array(z.string()).min(1);

const batch: readonly Alias[] = [
  alias({
    method: "POST",
    path: "/admin/api-keys/batch",
    like: "POST /admin/keys/bulk",
    body: oldKeySchema.extend({ baseName: z.string(), count: z.number() }),
    run: async ({ ask, body: { baseName, count, ...options } }) => {
      const order = { ...keyFromOld(options), name: baseName, count };
      const { succeeded, failed } = await ask(bulkCreatedAnswer, "POST", "/keys/bulk", order);
      return {
        data: succeeded.map(({ key, ...made }) => ({ ...made, apiKey: key })),
        errors: failed,
        summary: { requested: count, created: succeeded.length, failed: failed.length },
      };
    },
  }),
  alias({
    method: "PUT",
    path: "/admin/api-keys/batch",
    like: "PATCH /admin/keys/bulk",
    body: z.object({
      keyIds: idsSchema,
      updates: oldKeySchema.extend({
        tagOperation: z.enum(["replace", "add", "remove", "none"]).default("replace"),
      }),
    }),
    run: async ({ ask, body: { keyIds, updates } }) => {
      const { tagOperation, ...options } = updates;
      const { tags, ...changes } = keyFromOld(options);
      const hasTags = tags !== undefined && tagOperation !== "none";
      const order = given({ ids: keyIds, changes, tags: hasTags ? { [tagOperation]: tags } : undefined });
      return outcome(await ask(bulkAnswer, "PATCH", "/keys/bulk", order));
    },
  }),
  alias({
    method: "DELETE",
    path: "/admin/api-keys/batch",
    like: "POST /admin/keys/bulk/delete",
    body: z.object({ keyIds: idsSchema }),
    run: async ({ ask, body: { keyIds } }) =>
      outcome(await ask(bulkAnswer, "POST", "/keys/bulk/delete", { ids: keyIds })),
  }),
];

const bin: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/admin/api-keys/deleted",
    like: "GET /admin/keys",
    run: async ({ ask, query }) => {
      const asked = pageQuery(query);
      asked.set("deleted", "true");
      const { items, total } = await ask(keyListAnswer, "GET", `/keys?${asked.toString()}`);
      const apiKeys = items.map((key) => ({
        ...oldKeyOf(key),
        deletedAt: isoTime(key.deletedAt),
        canRestore: true,
      }));
      return { data: apiKeys, apiKeys, total };
    },
  }),
  alias({
    method: "DELETE",
    path: "/admin/api-keys/deleted/clear-all",
    like: "DELETE /admin/keys/bin",
    run: async ({ ask }) => {
      const { deleted, left } = await ask(emptiedAnswer, "DELETE", "/keys/bin");
      return single({ total: deleted + left, successCount: deleted, failedCount: 0, left });
    },
  }),
  alias({
    method: "POST",
    path: "/admin/api-keys/:id/restore",
    like: "POST /admin/keys/{id}/restore",
    run: async ({ ask, params }) =>
      single(oldKeyOf(await ask(keyAnswer, "POST", `${place(params)}/restore`))),
  }),
  alias({
    method: "DELETE",
    path: "/admin/api-keys/:id/permanent",
    like: "DELETE /admin/keys/{id}",
    run: async ({ ask, params }) => {
      await ask(z.null(), "DELETE", `${place(params)}?forever=true`);
      return single({ message: "The key is deleted for ever." });
    },
  }),
];

const ends: readonly Alias[] = [
  alias({
    method: "PATCH",
    path: "/admin/api-keys/:id/expiration",
    like: "PATCH /admin/keys/{id}",
    body: z.strictObject({ expiresAt: oldKeySchema.shape.expiresAt }),
    run: async ({ ask, params, body }) =>
      single(oldKeyOf(await ask(keyAnswer, "PATCH", place(params), given(body)))),
  }),
  alias({
    method: "POST",
    path: "/admin/api-keys/:id/extend-expiry",
    like: "POST /admin/keys/{id}/extend",
    body: z.object({ amount: z.number(), unit: z.enum(["hours", "days", "months"]) }),
    run: async ({ ask, params, body: { amount, unit } }) => {
      // A month counts as thirty days there.
      const lifetime = unit === "months" ? { amount: 30 * amount, unit: "days" } : { amount, unit };
      return single(oldKeyOf(await ask(keyAnswer, "POST", `${place(params)}/extend`, lifetime)));
    },
  }),
];

/** Tags are changed at their own path: below this one they could not be told from keys. */
const tags: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/admin/api-keys/tags",
    like: "GET /admin/key-tags",
    run: async ({ ask }) => ({
      data: (await ask(tagsAnswer, "GET", "/key-tags")).items.map(({ name }) => name),
    }),
  }),
  alias({
    method: "GET",
    path: "/admin/api-keys/tags/details",
    like: "GET /admin/key-tags",
    run: async ({ ask }) => ({
      data: (await ask(tagsAnswer, "GET", "/key-tags")).items.map(({ name, keys }) => ({
        name,
        count: keys,
      })),
    }),
  }),
];

/** Before what is named by a key's id: `deleted` and `tags` are none. */
export const manyKeyAliases: readonly Alias[] = [...batch, ...bin, ...ends, ...tags];
