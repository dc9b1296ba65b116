/** The audit log: who changed what, and whether the log is still what was written. */
import { Hono } from "hono";
import { z } from "zod";
import { verifyAudit } from "../storage/audit-verify.ts";
import { findAudit } from "../storage/audit.ts";
import { auditEntryAnswer, pageOf, verificationAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { logOf } from "./audited.ts";
import { offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import { instantSchema as instant } from "../domain/usage-range.ts";

const text = z.string().min(1).max(300).optional();

const auditQuerySchema = pageSchema.extend({
  from: instant.optional(),
  to: instant.optional(),
  actor: text,
  action: text,
  target: text,
});

const verifyQuerySchema = z.object({ after: z.coerce.number().int().min(0).default(0) });

export const auditRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists changes, the newest first.", { 200: pageOf(auditEntryAnswer) }),
    query(auditQuerySchema),
    async (context) => {
      const { from, to, actor, action, target, ...page } = context.req.valid("query");
      const filter = { from, to, actor, action, target, ...offsetOf(page) };
      return context.json(await findAudit(context.env.DB, filter));
    },
  )
  .get(
    "/verify",
    documented("Looks whether the log is still what was written, or names the first row that is not.", {
      200: verificationAnswer,
    }),
    query(verifyQuerySchema),
    async (context) => {
      const log = { ...(await logOf(context.env)), kv: context.env.KV };
      return context.json(await verifyAudit(log, context.req.valid("query").after));
    },
  );
