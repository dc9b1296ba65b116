/** Sums of the ledger: totals, charts, rankings, and what is happening now. */
import { Hono } from "hono";
import { steppedRange } from "../domain/usage-range.ts";
import { liveUsage } from "../storage/usage-live.ts";
import { usageBreakdown, usageSeries, usageTotals } from "../storage/usage-sums.ts";
import {
  liveUsageAnswer,
  usageBreakdownAnswer,
  usageSeriesAnswer,
  usageTotalsAnswer,
} from "./usage-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { offsetOf, query, type AdminEnv } from "./context.ts";
import {
  accepted,
  breakdownQuerySchema,
  liveQuerySchema,
  rangeOf,
  rangeView,
  seriesQuerySchema,
  sumFilter,
  summaryQuerySchema,
} from "./usage-query.ts";

export const usageSumRoutes = new Hono<AdminEnv>()
  .get(
    "/summary",
    documented("Adds up what was used.", { 200: usageTotalsAnswer }),
    query(summaryQuerySchema),
    async (context) => {
      const asked = context.req.valid("query");
      const range = rangeOf(context, asked);
      const totals = await usageTotals(context.env.DB, range, sumFilter(asked));
      return context.json({ ...rangeView(range, context.get("settings").timeZone), ...totals });
    },
  )
  .get(
    "/series",
    documented("Adds up what was used, hour by hour or day by day.", { 200: usageSeriesAnswer }),
    query(seriesQuerySchema),
    async (context) => {
      const { step, by, lines, ...asked } = context.req.valid("query");
      const timeZone = context.get("settings").timeZone;
      const range = accepted(steppedRange(rangeOf(context, asked), step, timeZone));
      const chart = { step, by: by ?? null, lines, timeZone };
      const series = await usageSeries(context.env.DB, range, sumFilter(asked), chart);
      return context.json({ ...rangeView(range, timeZone), step, by: chart.by, series });
    },
  )
  .get(
    "/breakdown",
    documented(
      "Ranks keys, their owners, groups and tags, accounts, models, protocols or providers by what they used.",
      {
        200: usageBreakdownAnswer,
      },
    ),
    query(breakdownQuerySchema),
    async (context) => {
      const { by, sort, page, limit, ...asked } = context.req.valid("query");
      const range = rangeOf(context, asked);
      const ranking = { by, sort, ...offsetOf({ page, limit }) };
      const found = await usageBreakdown(context.env.DB, range, sumFilter(asked), ranking);
      return context.json({ ...rangeView(range, context.get("settings").timeZone), by, ...found });
    },
  )
  .get(
    "/live",
    documented("What happens now.", { 200: liveUsageAnswer }),
    query(liveQuerySchema),
    async (context) => {
      const { minutes } = context.req.valid("query");
      return context.json(await liveUsage(context.env.DB, Date.now(), minutes));
    },
  );
