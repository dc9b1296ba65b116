/** The ledger, as admins query it. */
import { Hono } from "hono";
import { findUsage } from "../storage/usage-list.ts";
import { usageListAnswer } from "./usage-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { offsetOf, query, type AdminEnv } from "./context.ts";
import { usageAuditRoutes } from "./usage-audit.ts";
import { usageExportRoutes } from "./usage-export.ts";
import { listQuerySchema, recordsFilter } from "./usage-query.ts";
import { usageSumRoutes } from "./usage-sums.ts";

export const usageRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists requests from the ledger, the newest first.", { 200: usageListAnswer }),
    query(listQuerySchema),
    async (context) => {
      const { page, limit, sort, after, ...asked } = context.req.valid("query");
      const at = { sort, after, ...offsetOf({ page, limit }) };
      return context.json(await findUsage(context.env.DB, recordsFilter(asked), at));
    },
  )
  .route("/", usageSumRoutes)
  .route("/", usageExportRoutes)
  .route("/", usageAuditRoutes);
