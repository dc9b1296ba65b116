/** How failures become cooldowns: one table of back-offs, and who is covered by what. Pure. */
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { Cooldown, CooldownReason, CooldownScope } from "../../worker/domain/cooldown.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

interface BackOff {
  readonly firstMs: number;
  /** Doubles with each consecutive failure up to here. */
  readonly maxMs: number;
  /** Failures within `windowMs` before the first cooldown. */
  readonly strikes: number;
  readonly windowMs: number;
}

/** What each failure costs an account when the upstream names no time; `docs/failures.md` shows it with its reasons. */
export const BACK_OFF = {
  rate_limited: { firstMs: MINUTE, maxMs: HOUR, strikes: 1, windowMs: 2 * HOUR },
  overloaded: { firstMs: MINUTE, maxMs: MINUTE, strikes: 1, windowMs: MINUTE },
  unauthorized: { firstMs: 30 * MINUTE, maxMs: 30 * MINUTE, strikes: 1, windowMs: HOUR },
  forbidden: { firstMs: 30 * MINUTE, maxMs: 30 * MINUTE, strikes: 3, windowMs: 10 * MINUTE },
  payment: { firstMs: HOUR, maxMs: HOUR, strikes: 1, windowMs: HOUR },
  unavailable: { firstMs: MINUTE, maxMs: MINUTE, strikes: 1, windowMs: MINUTE },
  server_error: { firstMs: MINUTE, maxMs: 5 * MINUTE, strikes: 2, windowMs: MINUTE },
  network: { firstMs: 30 * SECOND, maxMs: 5 * MINUTE, strikes: 1, windowMs: 10 * MINUTE },
  proxy: { firstMs: 30 * SECOND, maxMs: 5 * MINUTE, strikes: 1, windowMs: 10 * MINUTE },
  timeout: { firstMs: MINUTE, maxMs: 5 * MINUTE, strikes: 1, windowMs: 10 * MINUTE },
  model: { firstMs: 10 * MINUTE, maxMs: 10 * MINUTE, strikes: 1, windowMs: 10 * MINUTE },
  // Always comes with its end, the window's reset.
  window_warning: { firstMs: HOUR, maxMs: HOUR, strikes: 1, windowMs: HOUR },
} as const satisfies Record<CooldownReason, BackOff>;

/** A cooldown and the failures that led to it; kept for a while after it ends, so that back-off can grow. */
export interface Strike extends Cooldown {
  readonly lastFailureAt: EpochMs;
}

/** An account's own lengths instead of the table's, in seconds; 0: it never rests for this. */
export type ChosenSeconds = {
  readonly [Reason in keyof AccountConfig["cooldownSeconds"]]?: number | undefined;
};

export type Strikes = ReadonlyMap<string, Strike>;

/** Scopes with more failing targets than this are a misbehaving upstream; the oldest are forgotten. */
const STRIKES_MAX = 200;

const idOf = (scope: CooldownScope, target: string | null, reason: CooldownReason) =>
  `${scope}/${target ?? ""}/${reason}`;

export interface Failure {
  readonly scope: CooldownScope;
  readonly target: string | null;
  readonly reason: CooldownReason;
  readonly until: EpochMs | null;
  readonly message: string;
}

/**
 * Counts a failure and cools down what it concerns. Failures of requests that were under way together count
 * once: they tell about one event.
 */
export function strike(
  strikes: Strikes,
  failure: Failure,
  now: EpochMs,
  chosenSeconds: ChosenSeconds = {},
): Strikes {
  const chosen = failure.reason === "window_warning" ? undefined : chosenSeconds[failure.reason];
  if (chosen === 0) return strikes;
  const backOff: BackOff = {
    ...BACK_OFF[failure.reason],
    ...(chosen === undefined ? {} : { firstMs: chosen * SECOND, maxMs: chosen * SECOND }),
  };
  const id = idOf(failure.scope, failure.target, failure.reason);
  const before = strikes.get(id);
  const cooling = before !== undefined && before.until > now;
  const recent =
    before !== undefined && now - Math.max(before.lastFailureAt, before.until) <= backOff.windowMs;
  const count = cooling ? before.strikes : (recent ? before.strikes : 0) + 1;
  const doublings = Math.max(0, count - backOff.strikes);
  const lengthMs = Math.min(backOff.maxMs, backOff.firstMs * 2 ** Math.min(doublings, 20));
  const until = failure.until ?? (count >= backOff.strikes ? now + lengthMs : now);
  const next = new Map(strikes);
  next.delete(id);
  next.set(id, {
    scope: failure.scope,
    target: failure.target,
    reason: failure.reason,
    message: failure.message,
    // Two answers that name different times: the account is limited until the later one.
    until: cooling ? Math.max(before.until, failure.until ?? 0) : until,
    strikes: count,
    lastFailureAt: now,
  });
  const oldest = next.keys().next();
  if (next.size > STRIKES_MAX && !oldest.done) next.delete(oldest.value);
  return next;
}

/** A success ends the growth of back-off for what it touched; a cooldown that still runs stays. */
export function absolve(strikes: Strikes, now: EpochMs): Strikes {
  if (strikes.size === 0) return strikes;
  const kept = [...strikes].filter(([, entry]) => entry.until > now);
  return kept.length === strikes.size ? strikes : new Map(kept);
}

/** Ends every rest of these kinds, and forgets the failures that led to it. */
export const lift = (strikes: Strikes, reasons: readonly CooldownReason[]): Strikes =>
  new Map([...strikes].filter(([, { scope, reason }]) => scope !== "account" || !reasons.includes(reason)));

/** The cooldown that keeps a model from being served now, the longest one; null: none. */
export function blocking(
  strikes: Strikes,
  model: string,
  family: string | null,
  now: EpochMs,
): Cooldown | null {
  let worst: Cooldown | null = null;
  for (const entry of strikes.values()) {
    if (entry.until <= now || !covers(entry, model, family)) continue;
    if (worst === null || entry.until > worst.until) worst = entry;
  }
  return worst;
}

function covers(cooldown: Cooldown, model: string, family: string | null): boolean {
  switch (cooldown.scope) {
    case "account":
      return true;
    case "modelFamily":
      return cooldown.target === family;
    case "model":
      return cooldown.target === model;
  }
}

export const active = (strikes: Strikes, now: EpochMs): Cooldown[] =>
  [...strikes.values()].filter((entry) => entry.until > now);
