/** Accounts: create, list, change, delete. What can be done with one is in `account-actions.ts`. */
import { Hono } from "hono";
import { accountInputSchema, accountPatchSchema } from "../domain/account.ts";
import { deleteAccount } from "../storage/accounts.ts";
import { accountActions } from "./account-actions.ts";
import { accountQuerySchema, listedAccounts } from "./account-list.ts";
import { changeAccount, createAccount, publish, requiredAccount, viewOf } from "./account-store.ts";
import { accountAnswer, pageOf } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, query, type AdminEnv, holdsAfter } from "./context.ts";
import { accountObject } from "./objects.ts";

export const accountRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists accounts, the oldest first where no order is asked for.", {
      200: pageOf(accountAnswer),
    }),
    query(accountQuerySchema),
    async (context) => context.json(await listedAccounts(context.env, context.req.valid("query"))),
  )
  .post(
    "/",
    documented("Adds an account.", { 201: accountAnswer }),
    body(accountInputSchema),
    async (context) => context.json(await createAccount(context, context.req.valid("json")), 201),
  )
  .get("/:id", documented("Shows an account.", { 200: accountAnswer }), async (context) =>
    context.json(await viewOf(context, await requiredAccount(context))),
  )
  .patch(
    "/:id",
    documented("Changes an account; what is left out stays as it is.", { 200: accountAnswer }),
    body(accountPatchSchema),
    async (context) => {
      const patch = context.req.valid("json");
      return context.json(await changeAccount(context, await requiredAccount(context), patch));
    },
  )
  .delete("/:id", documented("Deletes an account and its credential.", { 204: null }), async (context) => {
    const before = await requiredAccount(context);
    const { id } = before;
    await deleteAccount(context.env.DB, id, audited(context, "account.delete", id, { before }));
    await publish(context);
    holdsAfter(context, await accountObject(context.env, id).erase());
    return context.body(null, 204);
  })
  .route("/", accountActions);
