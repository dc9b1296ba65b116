/** Whether the ledger's sums are its records' sums: on request, and what the daily run found. */
import { Hono } from "hono";
import { z } from "zod";
import { momentSchema } from "../domain/usage-range.ts";
import { auditUsage, lastAudit } from "../storage/usage-audit.ts";
import { lastReconciliationAnswer, reconciliationAnswer } from "./usage-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { noted } from "./audited.ts";
import { body, type AdminEnv } from "./context.ts";
import { daysOf } from "./usage-query.ts";

const orderSchema = z.strictObject({
  from: momentSchema,
  to: momentSchema,
  /** Make sums that differ anew from the records. */
  repair: z.boolean().default(false),
});

export const usageAuditRoutes = new Hono<AdminEnv>()
  .get(
    "/reconcile",
    documented("Shows what the last comparison of sums and records found.", {
      200: lastReconciliationAnswer,
    }),
    async (context) => context.json({ last: await lastAudit(context.env.DB) }),
  )
  .post(
    "/reconcile",
    documented("Compares sums with records, and makes them anew if asked to.", { 200: reconciliationAnswer }),
    body(orderSchema),
    async (context) => {
      const { repair, ...asked } = context.req.valid("json");
      const timeZone = context.get("settings").timeZone;
      const days = daysOf(context, asked);
      const report = await auditUsage(context.env.DB, { ...days, timeZone, repair });
      await noted(context, "usage.reconcile", `${days.firstDay} to ${days.lastDay}`, { after: { repair } });
      return context.json(report);
    },
  );
