/** Keys, by the paths of claude-relay-service. */
import { z } from "zod";
import { keyAnswer, newKeyAnswer, pageOf } from "../answers.ts";
import { alias, pageQuery, single, type Alias } from "./alias.ts";
import { keyFromOld, oldKeyOf, oldKeySchema } from "./key-fields.ts";

const place = (params: Readonly<Record<string, string>>) => `/keys/${params["id"] ?? ""}`;

/** The key's text stands where old scripts look for it. */
const newKey = (made: z.output<typeof newKeyAnswer>) => single({ ...oldKeyOf(made), apiKey: made.key });

export const keyAliases: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/admin/api-keys",
    like: "GET /admin/keys",
    run: async ({ ask, query }) => {
      const asked = pageQuery(query);
      const { items: found, total } = await ask(pageOf(keyAnswer), "GET", `/keys?${asked.toString()}`);
      const items = found.map(oldKeyOf);
      const [page, pageSize] = [Number(asked.get("page")), Number(asked.get("limit"))];
      const pagination = { page, pageSize, total, totalPages: Math.ceil(total / pageSize) };
      return { data: { items, pagination }, items, total, pagination };
    },
  }),
  alias({
    method: "POST",
    path: "/admin/api-keys",
    like: "POST /admin/keys",
    body: oldKeySchema,
    run: async ({ ask, body }) => newKey(await ask(newKeyAnswer, "POST", "/keys", keyFromOld(body))),
  }),
  alias({
    method: "GET",
    path: "/admin/api-keys/:id",
    like: "GET /admin/keys/{id}",
    run: async ({ ask, params }) => single(oldKeyOf(await ask(keyAnswer, "GET", place(params)))),
  }),
  alias({
    method: "PUT",
    path: "/admin/api-keys/:id",
    like: "PATCH /admin/keys/{id}",
    body: oldKeySchema,
    run: async ({ ask, params, body }) =>
      single(oldKeyOf(await ask(keyAnswer, "PATCH", place(params), keyFromOld(body)))),
  }),
  alias({
    method: "DELETE",
    path: "/admin/api-keys/:id",
    like: "DELETE /admin/keys/{id}",
    run: async ({ ask, params }) => {
      await ask(z.null(), "DELETE", place(params));
      return single({ message: "The key is deleted." });
    },
  }),
];
