/** The ledger, as admins query it. */
import { Hono } from "hono";
import { z } from "zod";
import { findUsage } from "../storage/usage-records.ts";
import { pageOf, usageAnswer } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import { offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";

/** Epoch ms, or a date as ISO 8601 writes it. */
export const instant = z.string().transform((text, issues) => {
  const at = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  if (Number.isSafeInteger(at)) return at;
  issues.addIssue("must be epoch ms or an ISO 8601 date");
  return z.NEVER;
});
const text = z.string().min(1).max(300);

const usageQuerySchema = pageSchema.extend({
  keyId: text.optional(),
  accountId: text.optional(),
  model: text.optional(),
  from: instant.optional(),
  to: instant.optional(),
});

export const usageRoutes = new Hono<AdminEnv>().get(
  "/",
  documented("Lists requests from the ledger, the newest first.", { 200: pageOf(usageAnswer) }),
  query(usageQuerySchema),
  async (context) => {
    const { keyId, accountId, model, from, to, ...page } = context.req.valid("query");
    return context.json(
      await findUsage(context.env.DB, { keyId, accountId, model, from, to, ...offsetOf(page) }),
    );
  },
);
