/** What the admin API answers of usage and prices, as schemas. */
import { z } from "zod";
import { requestIdSchema } from "../domain/ids.ts";
import { priceOverrideSchema } from "../domain/price-override.ts";
import { auditReportSchema } from "../domain/usage-audit.ts";
import { USAGE_DIMENSIONS, USAGE_STEPS, type LiveUsage } from "../domain/usage-sum.ts";
import { pageOf, time, usageAnswer } from "./answers.ts";
import type { Repriced } from "./reprice.ts";

export const usageListAnswer = pageOf(usageAnswer).extend({
  /** There are more than `total`: page on by `next`. */
  isTotalCapped: z.boolean(),
  next: requestIdSchema.nullable(),
});

const totals = z.object({
  requests: z.number(),
  failed: z.number(),
  unpriced: z.number(),
  tokens: usageAnswer.shape.tokens,
  cost: z.number(),
  totalTokens: z.number(),
  cacheHitShare: z.number().nullable(),
});
const range = { from: z.number(), to: z.number(), timeZone: z.string() };
const group = z.object({ id: z.string().nullable(), name: z.string().nullable() });

export const usageTotalsAnswer = totals.extend(range).meta({ id: "UsageTotals" });
export const usageSeriesAnswer = z
  .object({
    ...range,
    step: z.enum(USAGE_STEPS),
    by: z.enum(USAGE_DIMENSIONS).nullable(),
    series: z.array(
      z.object({ group, points: z.array(totals.extend({ start: z.number(), day: z.string() })) }),
    ),
  })
  .meta({ id: "UsageSeries" });
export const usageBreakdownAnswer = z
  .object({ ...range, by: z.enum(USAGE_DIMENSIONS), ...pageOf(totals.extend(group.shape)).shape })
  .meta({ id: "UsageBreakdown" });
/** What a person's own keys used. */
export const ownStatsAnswer = totals
  .extend({
    ...range,
    period: z.string(),
    dailyStats: z.array(totals.extend({ start: z.number(), day: z.string() })),
    modelStats: z.array(totals.extend({ model: z.string() })),
  })
  .meta({ id: "OwnStats" });
export const liveUsageAnswer = z
  .object({
    minutes: z.number(),
    requests: z.number(),
    failed: z.number(),
    requestsPerMinute: z.number(),
    tokensPerMinute: z.number(),
    firstByteMs: z.object({ p50: time, p95: time }),
  })
  .meta({ id: "LiveUsage" }) satisfies z.ZodType<LiveUsage>;

export const reconciliationAnswer = auditReportSchema.meta({ id: "Reconciliation" });
export const lastReconciliationAnswer = z.object({
  last: z.object({ day: z.string(), report: auditReportSchema }).nullable(),
});

export const priceAnswer = priceOverrideSchema.meta({ id: "Price" });
export const pricesAnswer = z.object({
  version: z.string(),
  /** Where the list in force comes from. */
  source: z.string(),
  /** When the fetched list came, or was found unchanged; null: there was none yet. */
  fetchedAt: time.nullable(),
  triedAt: time.nullable(),
  /** Why the last try brought nothing; null: it did. */
  error: z.string().nullable(),
  overrides: z.array(priceOverrideSchema),
  /** As the relay prices with them. */
  models: z.array(z.record(z.string(), z.unknown())),
});
export const refreshedPricesAnswer = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.enum(["changed", "unchanged"]), version: z.string() }),
    z.object({ kind: z.enum(["failed", "refused"]), error: z.string() }),
  ])
  .meta({ id: "RefreshedPrices" });
export const repricedAnswer = z.object({
  priceVersion: z.string(),
  records: z.number(),
  changed: z.number(),
  costBefore: z.number(),
  costAfter: z.number(),
  next: z.string().nullable(),
}) satisfies z.ZodType<Repriced>;
