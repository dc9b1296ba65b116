/** Sums of the ledger, from the rollups: no scan of records. */
import { z } from "zod";

export interface UsageSum {
  readonly requests: number;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
  readonly failed: number;
}

export type HourSum = UsageSum & { /** Epoch ms of the hour's start. */ readonly hour: number };

export const HOUR_MS = 3_600_000;
const TOKENS = "input + output + cache_write_5m + cache_write_1h + cache_read";

const sumSchema = z.object({
  requests: z.number(),
  tokens: z.number(),
  cost: z.number(),
  failed: z.number(),
});

/** One entry an hour, the oldest first, hours without a request included. */
export async function hourSums(db: D1Database, lastHour: number, hours: number): Promise<HourSum[]> {
  const first = lastHour - (hours - 1) * HOUR_MS;
  const { results } = await db
    .prepare(
      `SELECT hour, sum(requests) AS requests, sum(${TOKENS}) AS tokens, sum(cost) AS cost, sum(failed) AS failed
       FROM usage_hour WHERE hour BETWEEN ? AND ? GROUP BY hour`,
    )
    .bind(first, lastHour)
    .all();
  const rows = z.array(sumSchema.extend({ hour: z.number() })).parse(results);
  const byHour = new Map(rows.map((row) => [row.hour, row]));
  return Array.from({ length: hours }, (_, index) => {
    const hour = first + index * HOUR_MS;
    return byHour.get(hour) ?? { hour, requests: 0, tokens: 0, cost: 0, failed: 0 };
  });
}

/** @param day `YYYY-MM-DD` in the deployment's time zone */
export async function daySum(db: D1Database, day: string): Promise<UsageSum> {
  const row = await db
    .prepare(
      `SELECT coalesce(sum(requests), 0) AS requests, coalesce(sum(${TOKENS}), 0) AS tokens,
         coalesce(sum(cost), 0) AS cost, coalesce(sum(failed), 0) AS failed
       FROM usage_day WHERE day = ?`,
    )
    .bind(day)
    .first();
  return sumSchema.parse(row);
}

export interface KeySum extends UsageSum {
  /** null: the key is deleted. */
  readonly keyName: string | null;
}

/**
 * The keys that cost most in a day, the dearest first.
 *
 * @param day `YYYY-MM-DD` in the deployment's time zone
 */
export async function dearestKeys(db: D1Database, day: string, count: number): Promise<KeySum[]> {
  const { results } = await db
    .prepare(
      `SELECT relay_key.name AS keyName, sum(requests) AS requests, sum(${TOKENS}) AS tokens, sum(cost) AS cost,
         sum(failed) AS failed
       FROM usage_day LEFT JOIN relay_key ON relay_key.id = usage_day.key_id
       WHERE day = ? GROUP BY usage_day.key_id ORDER BY sum(cost) DESC LIMIT ?`,
    )
    .bind(day, count)
    .all();
  return z.array(sumSchema.extend({ keyName: z.string().nullable() })).parse(results);
}
