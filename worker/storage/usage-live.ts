/** What is happening now, from the records of the last minutes: a range of the primary key. */
import { z } from "zod";
import { firstRequestIdAt, type EpochMs } from "../domain/ids.ts";
import type { LiveUsage } from "../domain/usage-sum.ts";

const MINUTE_MS = 60_000;
/** An answer that ended in the window may have begun an hour before it. */
const ANSWER_MS_MAX = 60 * MINUTE_MS;

// Nearest rank, as everywhere here: the smallest value that this share of all values does not exceed.
const LIVE = `
  WITH recent AS (SELECT * FROM usage_record WHERE request_id >= ?1 AND ended_at >= ?2 AND ended_at <= ?3),
    waits AS (SELECT first_byte_at - started_at AS ms, row_number() OVER (ORDER BY first_byte_at - started_at) AS rank,
      count(*) OVER () AS n FROM recent WHERE first_byte_at IS NOT NULL)
  SELECT count(*) AS requests, coalesce(sum(outcome NOT IN ('completed', 'client_gone')), 0) AS failed,
    coalesce(sum(input + output + cache_write_5m + cache_write_1h + cache_read), 0) AS tokens,
    (SELECT min(ms) FROM waits WHERE rank * 100 >= n * 50) AS p50,
    (SELECT min(ms) FROM waits WHERE rank * 100 >= n * 95) AS p95
  FROM recent`;

const rowSchema = z.object({
  requests: z.number(),
  failed: z.number(),
  tokens: z.number(),
  p50: z.number().nullable(),
  p95: z.number().nullable(),
});

/** @param minutes the window, which ends now; a request belongs to the minute in which it ended */
export async function liveUsage(db: D1Database, now: EpochMs, minutes: number): Promise<LiveUsage> {
  const since = now - minutes * MINUTE_MS;
  const found = await db
    .prepare(LIVE)
    .bind(firstRequestIdAt(since - ANSWER_MS_MAX), since, now)
    .first();
  const { requests, failed, tokens, p50, p95 } = rowSchema.parse(found);
  return {
    minutes,
    requests,
    failed,
    requestsPerMinute: requests / minutes,
    tokensPerMinute: tokens / minutes,
    firstByteMs: { p50, p95 },
  };
}
