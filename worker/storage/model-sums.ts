/** A day's sums of the ledger by provider and model, from the rollups. */
import { z } from "zod";

/** Whatever clients ask for is a model's name, and a monitor keeps every name it sees. */
const MODELS_MAX = 500;
const OTHER = "other";

const figures = {
  requests: z.number(),
  failed: z.number(),
  input: z.number(),
  output: z.number(),
  cacheWrite: z.number(),
  cacheRead: z.number(),
  /** Nano-dollars. */
  cost: z.number(),
};
const sumSchema = z.object({ provider: z.string(), model: z.string(), ...figures });
/** Of the accounts of one provider, and one model. */
export type ModelSum = Readonly<z.infer<typeof sumSchema>>;

const SUMS = `
  coalesce(sum(u.requests), 0) AS requests, coalesce(sum(u.failed), 0) AS failed,
  coalesce(sum(u.input), 0) AS input, coalesce(sum(u.output), 0) AS output,
  coalesce(sum(u.cache_write_5m + u.cache_write_1h), 0) AS cacheWrite,
  coalesce(sum(u.cache_read), 0) AS cacheRead, coalesce(sum(u.cost), 0) AS cost`;

/** `none`: the request reached no account; `deleted`: the account is gone. */
const PROVIDER =
  "CASE WHEN u.account_id = '' THEN 'none' ELSE coalesce(a.config ->> 'provider', 'deleted') END";

const NOTHING = { requests: 0, failed: 0, input: 0, output: 0, cacheWrite: 0, cacheRead: 0, cost: 0 };
const NAMES = Object.keys(NOTHING) as (keyof typeof NOTHING)[];

/** All that the sums do not have. */
function restOf(sums: readonly ModelSum[], total: typeof NOTHING): ModelSum {
  const rest = { ...total };
  for (const sum of sums) for (const name of NAMES) rest[name] -= sum[name];
  return { provider: OTHER, model: OTHER, ...rest };
}

/**
 * The busiest first; what comes after the busiest few hundred is one sum, named `other`.
 *
 * @param day `YYYY-MM-DD` in the deployment's time zone
 */
export async function daySums(db: D1Database, day: string, modelsMax = MODELS_MAX): Promise<ModelSum[]> {
  const [busiest, all] = await db.batch([
    db
      .prepare(
        `SELECT ${PROVIDER} AS provider, u.model AS model, ${SUMS}
         FROM usage_day u LEFT JOIN account a ON a.id = u.account_id
         WHERE u.day = ?1 GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT ?2`,
      )
      .bind(day, modelsMax),
    db.prepare(`SELECT ${SUMS} FROM usage_day u WHERE u.day = ?`).bind(day),
  ]);
  const sums = z.array(sumSchema).parse(busiest?.results);
  const rest = restOf(sums, z.object(figures).parse(all?.results[0]));
  return rest.requests === 0 ? sums : [...sums, rest];
}
