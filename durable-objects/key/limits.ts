/**
 * What a key may spend, and what it has spent: requests, tokens and money, in a window, a day, a week, and in all.
 * Pure.
 *
 * Spending counts in the period in which a request ends, as in the ledger. What running requests may still
 * consume is reserved, in every period at once, until they end.
 */
import { dayAt, weekAt, type Span } from "../../worker/domain/calendar.ts";
import type { ErrorFacts } from "../../worker/domain/errors.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { LimitId } from "../../worker/domain/key-limits.ts";
import type { KeyConfig, LimitStatus } from "../../worker/domain/key.ts";
import { NANO_PER_DOLLAR, toDollars, type NanoDollars } from "../../worker/domain/money.ts";
import type { Estimate } from "../../worker/domain/permit.ts";
import type { Service } from "../../worker/domain/service.ts";
import { fitsAny } from "../../worker/domain/wildcard.ts";

const MINUTE_MS = 60_000;

/** Money is at the key's rates, in nano-dollars. */
export interface Spending {
  readonly requests: number;
  readonly tokens: number;
  readonly cost: NanoDollars;
  readonly premiumCost: NanoDollars;
}

export const NOTHING: Spending = { requests: 0, tokens: 0, cost: 0, premiumCost: 0 };

export interface Tally extends Span {
  readonly spent: Spending;
}

export interface Tallies {
  /** Opened by the first request after the last one ended; null: none is open. */
  readonly window: Tally | null;
  readonly day: Tally | null;
  readonly week: Tally | null;
  readonly total: Spending;
}

export const EMPTY_TALLIES: Tallies = { window: null, day: null, week: null, total: NOTHING };

export const add = (a: Spending, b: Spending): Spending => ({
  requests: a.requests + b.requests,
  tokens: a.tokens + b.tokens,
  cost: a.cost + b.cost,
  premiumCost: a.premiumCost + b.premiumCost,
});

export const subtract = (a: Spending, b: Spending): Spending => ({
  requests: a.requests - b.requests,
  tokens: a.tokens - b.tokens,
  cost: a.cost - b.cost,
  premiumCost: a.premiumCost - b.premiumCost,
});

/** What each service's cost counts. */
export type Rates = Readonly<Partial<Record<Service, number | undefined>>>;

/** What an amount of consumption means for a key: at its rates, and told apart where the model is premium. */
export function charge(
  config: KeyConfig,
  use: Estimate & { readonly model: string; readonly service: Service },
  requests: number,
  multipliers: Rates = {},
): Spending {
  const cost = Math.round(use.cost * rateOf(config, use.service, multipliers));
  const premiumCost = fitsAny(config.premiumModels, use.model) ? cost : 0;
  return { requests, tokens: use.tokens, cost, premiumCost };
}

/** The key's own rate, times the deployment's. */
export const rateOf = (config: KeyConfig, service: Service, multipliers: Rates = {}): number =>
  (config.rates[service] ?? 1) * (multipliers[service] ?? 1);

const isOver = (tally: Tally, now: EpochMs) => now >= tally.end;

/** The tallies as of now: those whose period is over begin anew. */
export function current(tallies: Tallies, config: KeyConfig, timeZone: string, now: EpochMs): Tallies {
  const { window, day, week } = tallies;
  const windowOver = window !== null && isOver(window, now);
  const dayOver = day === null || isOver(day, now);
  const weekOver = week === null || isOver(week, now);
  if (!windowOver && !dayOver && !weekOver) return tallies;
  const dayOf = (at: EpochMs) => dayAt(at, timeZone);
  const weekOf = (at: EpochMs) => weekAt(at, timeZone, config.weekStartDay, config.weekStartHour);
  return {
    ...tallies,
    window: windowOver ? null : window,
    day: dayOver ? { ...following(day, dayOf, now), spent: NOTHING } : day,
    week: weekOver ? { ...following(week, weekOf, now), spent: NOTHING } : week,
  };
}

/**
 * The period that runs now, after one that is over. In a time zone that was changed meanwhile it may have begun
 * before that one ended: then it begins where that one ended. If less than half of it is left it goes on through the
 * next, so that a budget is not there twice within hours.
 */
function following(before: Tally | null, periodOf: (at: EpochMs) => Span, now: EpochMs): Span {
  const period = periodOf(now);
  if (before === null || before.end <= period.start) return period;
  const isShort = period.end - before.end < (period.end - period.start) / 2;
  return { start: before.end, end: isShort ? periodOf(period.end).end : period.end };
}

/** A week that begins at another time is another week: what was spent in the one before the change is kept. */
export function rescheduled(tallies: Tallies, config: KeyConfig, timeZone: string, now: EpochMs): Tallies {
  const { window, week } = tallies;
  return {
    ...tallies,
    window: window && { ...window, end: window.start + config.windowMinutes * MINUTE_MS },
    week: week && { ...week, ...weekAt(now, timeZone, config.weekStartDay, config.weekStartHour) },
  };
}

/** Books spending in every period that runs now; it opens a window where none is open. Call `current` first. */
export function spend(tallies: Tallies, spent: Spending, config: KeyConfig, now: EpochMs): Tallies {
  const onto = (tally: Tally | null) =>
    tally === null ? null : { ...tally, spent: add(tally.spent, spent) };
  const opened = { start: now, end: now + config.windowMinutes * MINUTE_MS, spent: NOTHING };
  const window = config.windowMinutes === 0 ? null : (tallies.window ?? opened);
  return {
    window: onto(window),
    day: onto(tallies.day),
    week: onto(tallies.week),
    total: add(tallies.total, spent),
  };
}

/** Takes a request that was counted at an instant out of the periods that ran then and still do. */
export function uncount(tallies: Tallies, at: EpochMs): Tallies {
  const one: Spending = { ...NOTHING, requests: 1 };
  const out = (tally: Tally | null) =>
    tally === null || tally.start > at ? tally : { ...tally, spent: subtract(tally.spent, one) };
  return {
    window: out(tallies.window),
    day: out(tallies.day),
    week: out(tallies.week),
    total: subtract(tallies.total, one),
  };
}

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
