/** What a key may spend, whether a request fits into what is left of it, and how that is told. Pure. */
import type { ErrorFacts } from "../../worker/domain/errors.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { LimitId } from "../../worker/domain/key-limits.ts";
import type { KeyConfig, LimitStatus } from "../../worker/domain/key.ts";
import { NANO_PER_DOLLAR, toDollars, type NanoDollars } from "../../worker/domain/money.ts";
import type { Spending, Tallies } from "./spending.ts";

interface LimitRule {
  readonly id: LimitId;
  readonly unit: LimitStatus["unit"];
  readonly measure: keyof Spending;
  readonly period: keyof Tallies;
  readonly limitOf: (config: KeyConfig) => number;
  /** For people: "its daily budget of $5". */
  readonly name: string;
}

const nano = (dollars: number): NanoDollars => Math.round(dollars * NANO_PER_DOLLAR);

/** In the order in which they are checked: what a wait cannot help comes first. */
const RULES: readonly LimitRule[] = [
  {
    id: "total_cost",
    unit: "cost",
    measure: "cost",
    period: "total",
    limitOf: (config) => nano(config.totalCost),
    name: "total budget",
  },
  {
    id: "weekly_premium_cost",
    unit: "cost",
    measure: "premiumCost",
    period: "week",
    limitOf: (config) => nano(config.weeklyPremiumCost),
    name: "weekly budget for premium models",
  },
  {
    id: "weekly_cost",
    unit: "cost",
    measure: "cost",
    period: "week",
    limitOf: (config) => nano(config.weeklyCost),
    name: "weekly budget",
  },
  {
    id: "daily_cost",
    unit: "cost",
    measure: "cost",
    period: "day",
    limitOf: (config) => nano(config.dailyCost),
    name: "daily budget",
  },
  {
    id: "window_requests",
    unit: "requests",
    measure: "requests",
    period: "window",
    limitOf: (config) => config.windowRequests,
    name: "request limit",
  },
  {
    id: "window_tokens",
    unit: "tokens",
    measure: "tokens",
    period: "window",
    limitOf: (config) => config.windowTokens,
    name: "token limit",
  },
  {
    id: "window_cost",
    unit: "cost",
    measure: "cost",
    period: "window",
    limitOf: (config) => nano(config.windowCost),
    name: "cost limit",
  },
];

interface Limit extends LimitStatus {
  readonly rule: LimitRule;
  readonly holder: Holder;
}

/** The key's limits and how far each is used. Call `current` first. */
export function limitsOf(tallies: Tallies, reserved: Spending, config: KeyConfig): Limit[] {
  return RULES.flatMap((rule) => {
    const limit = rule.limitOf(config);
    if (limit === 0 || (rule.period === "window" && config.windowMinutes === 0)) return [];
    const tally = rule.period === "total" ? { spent: tallies.total, end: null } : tallies[rule.period];
    return [
      {
        id: rule.id,
        unit: rule.unit,
        limit,
        used: tally?.spent[rule.measure] ?? 0,
        reserved: reserved[rule.measure],
        resetAt: tally?.end ?? null,
        rule,
        holder: holderOf(config),
      },
    ];
  });
}

/** Whether anything of the key is counted at all. */
export const isLimited = (config: KeyConfig): boolean =>
  config.windowMinutes > 0 || RULES.some(({ period, limitOf }) => period !== "window" && limitOf(config) > 0);

/** Without what only messages need. */
export const limitStatus = ({ rule: _rule, holder: _holder, ...status }: Limit): LimitStatus => status;

export type Room =
  | {
      readonly kind: "free";
      /** What is left of the tightest budget, running requests aside, at the key's rates; null: no budget. */
      readonly left: NanoDollars | null;
    }
  /** Only running requests stand in the way: what they reserve and do not use comes back. */
  | { readonly kind: "reserved"; readonly error: ErrorFacts }
  | { readonly kind: "exhausted"; readonly error: ErrorFacts };

/** Reservations come back when a request ends, which may be in a moment. */
const RETRY_RESERVED_MS = 5000;

/** Whose limit it is, in messages and in reasons. */
interface Holder {
  readonly name: string;
  readonly its: string;
  readonly requests: string;
  readonly reason: string;
}

const KEY: Holder = { name: "This key", its: "its", requests: "Requests of this key", reason: "" };
const OWNER: Holder = {
  name: "This key's owner",
  its: "their",
  requests: "Requests of this key's owner",
  reason: "owner_",
};

const holderOf = ({ booksUsage }: KeyConfig): Holder => (booksUsage ? KEY : OWNER);

/** Whether a request fits into everything the key may spend. */
export function roomFor(limits: readonly Limit[], wanted: Spending, hard: boolean, now: EpochMs): Room {
  let left: NanoDollars | null = null;
  let reserved: Room | null = null;
  for (const limit of limits) {
    const need = wanted[limit.rule.measure];
    const isHard = hard && limit.unit === "cost";
    if (limit.rule.measure === "premiumCost" && need === 0) continue;
    if (limit.used >= limit.limit || (!isHard && limit.used + need > limit.limit)) {
      return { kind: "exhausted", error: exhausted(limit, need, now) };
    }
    const free = limit.limit - limit.used - limit.reserved;
    if (isHard ? free <= 0 : need > free) reserved ??= { kind: "reserved", error: inUse(limit) };
    if (limit.unit === "cost") left = Math.min(left ?? Infinity, free);
  }
  return reserved ?? { kind: "free", left };
}

const amount = ({ unit }: Limit, value: number): string =>
  unit === "cost" ? `$${toDollars(value).toFixed(toDollars(value) < 1 ? 4 : 2)}` : `${String(value)} ${unit}`;

function exhausted(limit: Limit, need: number, now: EpochMs): ErrorFacts {
  const { rule, holder, used, resetAt } = limit;
  const isBudget = rule.unit === "cost" && rule.period !== "window";
  const state =
    used >= limit.limit
      ? `has used ${holder.its} ${rule.name} of ${amount(limit, limit.limit)}`
      : `has ${amount(limit, limit.limit - used)} left of ${holder.its} ${rule.name} of ${amount(limit, limit.limit)}, less than this request may need`;
  const reset = resetAt === null ? "" : ` It begins anew at ${new Date(resetAt).toISOString()}.`;
  return {
    code: isBudget ? "budget_exhausted" : "rate_limited",
    message: `${holder.name} ${state}.${reset}`,
    // What is larger than the whole limit fits into no period.
    retryAfterMs: resetAt === null || need > limit.limit ? null : Math.max(0, resetAt - now),
    reason: `${holder.reason}${rule.id}`,
  };
}

const inUse = (limit: Limit): ErrorFacts => ({
  code: "rate_limited",
  message: `${limit.holder.requests} that are running may need what is left of ${limit.holder.its} ${limit.rule.name} of ${amount(limit, limit.limit)}. Try again when one has ended.`,
  retryAfterMs: RETRY_RESERVED_MS,
  reason: `${limit.holder.reason}${limit.id}_reserved`,
});
