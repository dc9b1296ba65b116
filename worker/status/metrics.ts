/** What a monitor draws: the day's sums of the ledger, and how many accounts and keys can be used. */
import { dayOf } from "../domain/calendar.ts";
import type { Context } from "hono";
import { countAccounts, type AccountCounts } from "../admin/account-counts.ts";
import { RelayError } from "../domain/errors.ts";
import type { EpochMs } from "../domain/ids.ts";
import { toDollars } from "../domain/money.ts";
import { VERSION } from "../domain/version.ts";
import { settingDefaults, type Env } from "../env.ts";
import { countKeys } from "../storage/keys.ts";
import { daySums, type ModelSum } from "../storage/model-sums.ts";
import { findSettings } from "../storage/settings.ts";
import { CONTENT_TYPE, render, type Metric, type Sample } from "./prometheus.ts";

/** Counting asks every account's object; monitors ask every few seconds. */
const ACCOUNTS_KEPT_MS = 60_000;

const kept = new WeakMap<Env, { readonly counts: AccountCounts; readonly at: EpochMs }>();

async function accountCounts(env: Env, now: EpochMs): Promise<AccountCounts> {
  const last = kept.get(env);
  if (last !== undefined && now - last.at < ACCOUNTS_KEPT_MS) return last.counts;
  const counts = await countAccounts(env);
  kept.set(env, { counts, at: now });
  return counts;
}

type Labelled = readonly [labels: Readonly<Record<string, string>>, value: number];

const samplesOf = (sums: readonly ModelSum[], figures: (sum: ModelSum) => readonly Labelled[]): Sample[] =>
  sums.flatMap((sum) =>
    figures(sum).map(([labels, value]) => ({
      labels: { provider: sum.provider, model: sum.model, ...labels },
      value,
    })),
  );

const ledgerMetrics = (sums: readonly ModelSum[]): Metric[] => [
  {
    name: "edge_relay_requests_total",
    help: "Requests since the day began, by how they ended.",
    type: "counter",
    samples: samplesOf(sums, ({ requests, failed }) => [
      [{ outcome: "ok" }, requests - failed],
      [{ outcome: "failed" }, failed],
    ]),
  },
  {
    name: "edge_relay_tokens_total",
    help: "Tokens since the day began, by kind; no kind counts what another does.",
    type: "counter",
    samples: samplesOf(sums, ({ input, output, cacheWrite, cacheRead }) => [
      [{ kind: "input" }, input],
      [{ kind: "output" }, output],
      [{ kind: "cache_write" }, cacheWrite],
      [{ kind: "cache_read" }, cacheRead],
    ]),
  },
  {
    name: "edge_relay_cost_dollars_total",
    help: "Cost since the day began, in US dollars.",
    type: "counter",
    samples: samplesOf(sums, ({ cost }) => [[{}, toDollars(cost)]]),
  },
];

const countsOf = (label: string, counts: Readonly<Record<string, number>>): Sample[] =>
  Object.entries(counts).map(([name, value]) => ({ labels: { [label]: name }, value }));

export async function metricsOf(env: Env, now: EpochMs): Promise<Metric[]> {
  const context = { kv: env.KV, now, waitUntil: () => undefined };
  const { timeZone } = await findSettings(settingDefaults(env), context);
  const [sums, accounts, keys] = await Promise.all([
    daySums(env.DB, dayOf(now, timeZone)),
    accountCounts(env, now),
    countKeys(env.DB),
  ]);
  const { total: _, ...byAvailability } = accounts;
  const byState = { enabled: keys.enabled, disabled: keys.total - keys.enabled };
  return [
    {
      name: "edge_relay_build_info",
      help: "Always 1; the label says which version runs.",
      type: "gauge",
      samples: [{ labels: { version: VERSION }, value: 1 }],
    },
    ...ledgerMetrics(sums),
    {
      name: "edge_relay_accounts",
      help: "Accounts by whether they can be used now.",
      type: "gauge",
      samples: countsOf("availability", byAvailability),
    },
    {
      name: "edge_relay_keys",
      help: "Relay keys.",
      type: "gauge",
      samples: countsOf("state", byState),
    },
  ];
}

/** Compares digests, so that neither the length nor a common beginning shows in the time. */
async function isToken(given: string, expected: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(given), await digest(expected));
}

/** @throws RelayError `not_found` where no token is set, `unauthenticated` for any other than that */
export async function answerMetrics(context: Context<{ Bindings: Env }>): Promise<Response> {
  const { METRICS_TOKEN } = context.env;
  if (METRICS_TOKEN === undefined) throw new RelayError("not_found", "There is nothing at /metrics.");
  const given = context.req.header("authorization")?.replace(/^bearer\s+/i, "") ?? "";
  if (!(await isToken(given, METRICS_TOKEN))) {
    throw new RelayError("unauthenticated", "Send METRICS_TOKEN as a bearer token.");
  }
  const text = render(await metricsOf(context.env, Date.now()));
  return context.body(text, 200, { "content-type": CONTENT_TYPE, "cache-control": "no-store" });
}
