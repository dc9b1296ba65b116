/** The columns that every sum of the ledger has, and how a row of them reads. */
import { z } from "zod";
import type { UsageCounts } from "../domain/usage-sum.ts";

export const SUM_COLUMNS = [
  "requests",
  "failed",
  "unpriced",
  "input",
  "output",
  "cache_write_5m",
  "cache_write_1h",
  "cache_read",
  "web_searches",
  "cost",
] as const;

/** Of rollups; none of them gives 0. */
export const SUM_OF_SUMS = SUM_COLUMNS.map((column) => `coalesce(sum(${column}), 0) AS ${column}`).join(", ");

/** Of records: what a rollup of them must say. */
export const SUM_OF_RECORDS = `count(*) AS requests, sum(outcome NOT IN ('completed', 'client_gone')) AS failed,
  sum(price_version IS NULL AND output > 0) AS unpriced, sum(input) AS input, sum(output) AS output,
  sum(cache_write_5m) AS cache_write_5m, sum(cache_write_1h) AS cache_write_1h, sum(cache_read) AS cache_read,
  sum(web_searches) AS web_searches, sum(cost) AS cost`;

export const sumRowSchema = z.object({
  requests: z.number(),
  failed: z.number(),
  unpriced: z.number(),
  input: z.number(),
  output: z.number(),
  cache_write_5m: z.number(),
  cache_write_1h: z.number(),
  cache_read: z.number(),
  web_searches: z.number(),
  cost: z.number(),
});

export const countsOf = (row: z.output<typeof sumRowSchema>): UsageCounts => ({
  requests: row.requests,
  failed: row.failed,
  unpriced: row.unpriced,
  tokens: {
    input: row.input,
    output: row.output,
    cacheWrite5m: row.cache_write_5m,
    cacheWrite1h: row.cache_write_1h,
    cacheRead: row.cache_read,
    webSearches: row.web_searches,
  },
  cost: row.cost,
});
