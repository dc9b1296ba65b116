/** Whether the ledger's sums are its records' sums: on request, and what the daily run found. */
import { Hono } from "hono";
import { z } from "zod";
import { momentSchema } from "../domain/usage-range.ts";
import { auditUsage, lastAudit } from "../storage/usage-audit.ts";
import { body, type AdminEnv } from "./context.ts";
import { daysOf } from "./usage-query.ts";

const orderSchema = z.strictObject({
  from: momentSchema,
  to: momentSchema,
  /** Make sums that differ anew from the records. */
  repair: z.boolean().default(false),
});

export const usageAuditRoutes = new Hono<AdminEnv>()
  .get("/reconcile", async (context) => context.json({ last: await lastAudit(context.env.DB) }))
  .post("/reconcile", body(orderSchema), async (context) => {
    const { repair, ...asked } = context.req.valid("json");
    const timeZone = context.env.TIMEZONE;
    return context.json(await auditUsage(context.env.DB, { ...daysOf(context, asked), timeZone, repair }));
  });
