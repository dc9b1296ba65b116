/**
 * What a key has spent: requests, tokens and money, in a window, a day, a week, and in all. Pure.
 *
 * Spending counts in the period in which a request ends, as in the ledger. What running requests may still
 * consume is reserved, in every period at once, until they end.
 */
import { dayAt, weekAt, type Span } from "../../worker/domain/calendar.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
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
