/** Figures, by the paths of claude-relay-service. */
import { z } from "zod";
import { toDollars } from "../../domain/money.ts";
import { overviewAnswer, usageAnswer } from "../answers.ts";
import {
  liveUsageAnswer,
  usageBreakdownAnswer,
  usageSeriesAnswer,
  usageTotalsAnswer,
} from "../usage-answers.ts";
import { alias, isoTime, type Alias } from "./alias.ts";

const DAYS_MAX = 366;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Days of a period by its old name; undefined: since there are records. */
const DAYS_OF: Readonly<Record<string, number | undefined>> = {
  today: 1,
  daily: 1,
  "7days": 7,
  weekly: 7,
  monthly: 30,
  "30days": 30,
  all: DAYS_MAX,
};

/** `startDate` and `endDate`, or a period up to now, as our routes ask for it. */
export function spanOf(query: URLSearchParams, now: number): URLSearchParams {
  const [start, end] = [query.get("startDate"), query.get("endDate")];
  if (start !== null && end !== null && DAY.test(start) && DAY.test(end)) {
    return new URLSearchParams({ from: start, to: end });
  }
  const period = query.get("period") ?? query.get("timeRange") ?? "";
  const days = DAYS_OF[period] ?? Math.min(DAYS_MAX, Math.max(1, Number(query.get("days") ?? 7) || 7));
  const first = new Date(now - (days - 1) * 86_400_000).toISOString().slice(0, 10);
  return new URLSearchParams({ from: first });
}

type Totals = Pick<
  z.output<typeof usageTotalsAnswer>,
  "requests" | "failed" | "tokens" | "totalTokens" | "cost"
>;

/** Sums by their old names; money in dollars. */
export const oldTotals = ({ requests, failed, tokens, totalTokens, cost }: Totals) => ({
  requests,
  failed,
  inputTokens: tokens.input,
  outputTokens: tokens.output,
  cacheCreateTokens: tokens.cacheWrite5m + tokens.cacheWrite1h,
  cacheReadTokens: tokens.cacheRead,
  allTokens: totalTokens,
  totalTokens,
  cost: toDollars(cost),
  formattedCost: `$${toDollars(cost).toFixed(6)}`,
});

const rowsOf = ({ items }: z.output<typeof usageBreakdownAnswer>, by: "key" | "model") =>
  items.map((item) => ({ [by]: item.id, id: item.id, name: item.name, ...oldTotals(item) }));

const breakdown = (path: string, by: "key" | "model") =>
  alias({
    method: "GET",
    path,
    like: "GET /admin/usage/breakdown",
    run: async ({ ask, query }) => {
      const asked = `by=${by}&limit=200&${spanOf(query, Date.now()).toString()}`;
      return { data: rowsOf(await ask(usageBreakdownAnswer, "GET", `/usage/breakdown?${asked}`), by) };
    },
  });

/** An object that there must be, before anything is said of it. */
const named = z.object({ id: z.string(), name: z.string() });

const modelsOfKey = alias({
  method: "GET",
  path: "/admin/api-keys/:id/model-stats",
  like: "GET /admin/usage/breakdown",
  run: async ({ ask, query, params }) => {
    const { id } = await ask(named, "GET", `/keys/${params["id"] ?? ""}`);
    const asked = `by=model&limit=200&keyId=${id}&${spanOf(query, Date.now()).toString()}`;
    return { data: rowsOf(await ask(usageBreakdownAnswer, "GET", `/usage/breakdown?${asked}`), "model") };
  },
});

const dashboard = alias({
  method: "GET",
  path: "/admin/dashboard",
  like: "GET /admin/overview",
  run: async ({ ask }) => {
    const [overview, totals, live] = await Promise.all([
      ask(overviewAnswer, "GET", "/overview"),
      ask(
        usageTotalsAnswer,
        "GET",
        `/usage/summary?${spanOf(new URLSearchParams({ period: "all" }), Date.now()).toString()}`,
      ),
      ask(liveUsageAnswer, "GET", "/usage/live?minutes=5"),
    ]);
    const { accounts, keys, today } = overview;
    const realtimeMetrics = {
      rpm: live.requestsPerMinute,
      tpm: live.tokensPerMinute,
      windowMinutes: live.minutes,
      isHistorical: false,
    };
    return {
      data: {
        overview: {
          totalApiKeys: keys.total,
          activeApiKeys: keys.enabled,
          totalAccounts: accounts.total,
          normalAccounts: accounts.available + accounts.full,
          rateLimitedAccounts: accounts.cooling,
          abnormalAccounts: accounts.disabled,
          totalRequestsUsed: totals.requests,
          totalTokensUsed: totals.totalTokens,
          totalAllTokensUsed: totals.totalTokens,
        },
        recentActivity: {
          requestsToday: today.requests,
          tokensToday: today.tokens,
          costToday: toDollars(today.cost),
        },
        realtimeMetrics,
        systemAverages: { rpm: realtimeMetrics.rpm, tpm: realtimeMetrics.tpm },
        systemTimezone: totals.timeZone,
      },
    };
  },
});

const trend = alias({
  method: "GET",
  path: "/admin/usage-trend",
  like: "GET /admin/usage/series",
  run: async ({ ask, query }) => {
    const step = query.get("granularity") === "hour" ? "hour" : "day";
    const asked = `step=${step}&${spanOf(query, Date.now()).toString()}`;
    const { series } = await ask(usageSeriesAnswer, "GET", `/usage/series?${asked}`);
    const points = series.flatMap((line) => line.points);
    return {
      data: points.map((point) => ({
        date: step === "day" ? point.day : isoTime(point.start),
        ...oldTotals(point),
      })),
    };
  },
});

const costs = alias({
  method: "GET",
  path: "/admin/usage-costs",
  like: "GET /admin/usage/summary",
  run: async ({ ask, query }) => {
    const span = spanOf(query, Date.now()).toString();
    const [totals, byModel] = await Promise.all([
      ask(usageTotalsAnswer, "GET", `/usage/summary?${span}`),
      ask(usageBreakdownAnswer, "GET", `/usage/breakdown?by=model&limit=200&${span}`),
    ]);
    const modelCosts = byModel.items.map((item) => ({ model: item.id, ...oldTotals(item) }));
    return { data: { totalCosts: { ...oldTotals(totals), totalCost: toDollars(totals.cost) }, modelCosts } };
  },
});

const recordsAnswer = z.object({ items: z.array(usageAnswer), total: z.number() });

interface Whose {
  readonly path: string;
  /** Where the object is shown, which must be there. */
  readonly shown: "keys" | "accounts";
  readonly filter: "keyId" | "accountId";
  readonly info: "apiKeyInfo" | "accountInfo";
}

/** Records of one key or account, page by page. */
const records = ({ path, shown, filter, info }: Whose) =>
  alias({
    method: "GET",
    path,
    like: "GET /admin/usage",
    run: async ({ ask, query, params }) => {
      const whose = await ask(named, "GET", `/${shown}/${params["id"] ?? ""}`);
      const [page, limit] = [query.get("page") ?? "1", query.get("pageSize") ?? "50"];
      const asked = new URLSearchParams({ [filter]: whose.id, page, limit });
      const { items, total } = await ask(recordsAnswer, "GET", `/usage?${asked.toString()}`);
      return {
        data: {
          records: items.map(({ cost, ...item }) => ({
            ...item,
            timestamp: isoTime(item.endedAt),
            cost: toDollars(cost),
          })),
          pagination: { currentPage: Number(page), pageSize: Number(limit), totalRecords: total },
          [info]: whose,
        },
      };
    },
  });

export const usageAliases: readonly Alias[] = [
  dashboard,
  trend,
  costs,
  breakdown("/admin/usage-stats", "key"),
  breakdown("/admin/model-stats", "model"),
  modelsOfKey,
  records({ path: "/admin/api-keys/:id/usage-records", shown: "keys", filter: "keyId", info: "apiKeyInfo" }),
  records({
    path: "/admin/accounts/:id/usage-records",
    shown: "accounts",
    filter: "accountId",
    info: "accountInfo",
  }),
];
