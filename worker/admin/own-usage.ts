/** What people's own keys used. Which accounts served them is not theirs to see. */
import { Hono } from "hono";
import { z } from "zod";
import { dayAt, dayOf } from "../domain/calendar.ts";
import { requestIdSchema, type EpochMs } from "../domain/ids.ts";
import type { UsageView } from "../domain/usage.ts";
import { eachUsage, findRequestOf, findUsage } from "../storage/usage-list.ts";
import { usageBreakdown, usageSeries, usageTotals } from "../storage/usage-sums.ts";
import { usageAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { idParam, notFound, offsetOf, query, type AdminEnv } from "./context.ts";
import { ownStatsAnswer, usageListAnswer } from "./usage-answers.ts";
import { usageFile } from "./usage-export.ts";
import { exportQuerySchema, listQuerySchema, rangeOf, rangeView, recordsFilter } from "./usage-query.ts";

/** Days of each period, today included. */
const PERIOD_DAYS = { day: 1, week: 7, month: 30, quarter: 90 } as const;
const PERIODS = ["day", "week", "month", "quarter"] as const;
const DAY_MS = 24 * 3_600_000;
/** Nobody uses so many; who does sees the dearest. */
const MODELS_MAX = 200;

const statsQuerySchema = z.object({
  period: z.enum(PERIODS).default("week"),
  model: z.string().min(1).max(300).optional(),
});
const ownListQuerySchema = listQuerySchema.omit({ accountId: true });
const ownExportQuerySchema = exportQuerySchema.omit({ accountId: true });

/** Noon keeps clear of changes of clocks. */
const firstDay = (now: EpochMs, days: number, timeZone: string): string =>
  dayOf(dayAt(now, timeZone).start + DAY_MS / 2 - (days - 1) * DAY_MS, timeZone);

const ownView = (record: UsageView): UsageView => ({ ...record, accountId: null, accountName: null });

async function* ownViews(pages: AsyncIterable<readonly UsageView[]>) {
  for await (const page of pages) yield page.map(ownView);
}

export const ownUsageRoutes = new Hono<AdminEnv>()
  .get(
    "/usage-stats",
    documented("What one's own keys used in a period that ends today: in all, by day and by model.", {
      200: z.object({ success: z.literal(true), stats: ownStatsAnswer }),
    }),
    query(statsQuerySchema),
    async (context) => {
      const { DB } = context.env;
      const { timeZone } = context.get("settings");
      const { period, model } = context.req.valid("query");
      const range = rangeOf(context, { from: { day: firstDay(Date.now(), PERIOD_DAYS[period], timeZone) } });
      const anything = { keyId: undefined, accountId: undefined, protocol: undefined, provider: undefined };
      const filter = { ...anything, model, ownerId: context.get("person").id };
      const [totals, series, models] = await Promise.all([
        usageTotals(DB, range, filter),
        usageSeries(DB, range, filter, { step: "day", timeZone, by: null, lines: 1 }),
        usageBreakdown(DB, range, filter, { by: "model", sort: "cost", limit: MODELS_MAX, offset: 0 }),
      ]);
      const [all] = series;
      const stats = {
        period,
        ...rangeView(range, timeZone),
        ...totals,
        dailyStats: [...(all?.points ?? [])],
        modelStats: models.items.map(({ id, name: _, ...sums }) => ({ model: id ?? "", ...sums })),
      };
      return context.json({ success: true, stats });
    },
  )
  .get(
    "/usage",
    documented("Lists requests of one's own keys, the newest first.", { 200: usageListAnswer }),
    query(ownListQuerySchema),
    async (context) => {
      const { page, limit, sort, after, ...asked } = context.req.valid("query");
      const at = { sort, after, ...offsetOf({ page, limit }) };
      const filter = { ...recordsFilter(asked), ownerId: context.get("person").id };
      const listing = await findUsage(context.env.DB, filter, at);
      return context.json({ ...listing, items: listing.items.map(ownView) });
    },
  )
  .get(
    "/usage/export",
    documented("Exports requests of one's own keys, as CSV or one JSON object a line.", { 200: "text/csv" }),
    query(ownExportQuerySchema),
    (context) => {
      const { format, ...asked } = context.req.valid("query");
      const filter = { ...recordsFilter(asked), ownerId: context.get("person").id };
      return usageFile(context, ownViews(eachUsage(context.env.DB, filter, "oldest")), format);
    },
  )
  .get(
    "/usage/:id",
    documented("Shows a request of one's own keys.", { 200: usageAnswer }),
    async (context) => {
      const id = idParam(requestIdSchema, context.req.param("id"));
      const record = await findRequestOf(context.env.DB, id, context.get("person").id);
      if (record === null) throw notFound();
      return context.json(ownView(record));
    },
  );
