/** What a key's object knows, and the changes that are nobody's request. Pure. */
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { AdmitRequest } from "../../worker/domain/permit.ts";
import type { Service } from "../../worker/domain/service.ts";
import type { UsageRecord } from "../../worker/domain/usage.ts";
import { isLimited } from "./limits.ts";
import { EMPTY_QUEUE, firstDeadline, type WaitQueue } from "../wait-queue.ts";
import * as spending from "./spending.ts";

export interface Permit {
  readonly deadline: EpochMs;
  /** What is booked if nothing more is heard. */
  readonly draft: UsageRecord;
  readonly service: Service;
  /** Held back from every budget until the request ends. */
  readonly reserved: spending.Spending;
}

/** All that was ever settled, at list price. */
export interface Totals {
  readonly requests: number;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
}

export interface KeyState {
  readonly config: KeyConfig;
  /** The deployment's, beside the key's own rates; not kept. */
  readonly multipliers: spending.Rates;
  /** Deleted by an admin: refuses for ever. */
  readonly revoked: boolean;
  readonly permits: ReadonlyMap<RequestId, Permit>;
  /** Always the sum of what the permits reserve. */
  readonly reserved: spending.Spending;
  /** No permit ends before this: until then there is nothing to sweep. */
  readonly sweepAt: EpochMs;
  readonly queue: WaitQueue<AdmitRequest>;
  readonly activatedAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly totals: Totals;
  readonly tallies: spending.Tallies;
}

/** What of the deployment's settings a key's decisions depend on. */
export interface Deployment {
  readonly timeZone: string;
  readonly queueTimeoutMs: number;
  /** What each service's cost counts, beside the keys' own rates. */
  readonly rates: spending.Rates;
}

/** Every transition takes the state and the time and returns the next state with its decision. */
export interface Step<Decision> {
  readonly state: KeyState;
  readonly decision: Decision;
}

export const emptyState = (config: KeyConfig): KeyState => ({
  config,
  multipliers: {},
  revoked: false,
  permits: new Map(),
  reserved: spending.NOTHING,
  sweepAt: Infinity,
  queue: EMPTY_QUEUE,
  activatedAt: null,
  lastUsedAt: null,
  totals: { requests: 0, tokens: 0, cost: 0 },
  tallies: spending.EMPTY_TALLIES,
});

/** Requests of the key are booked, and nothing else depends on them: no slot, no budget, no window. */
export const countsNothing = ({ config }: KeyState): boolean =>
  config.concurrency === 0 && !isLimited(config);

/**
 * How long changes may wait for others to be written with them, in ms: what a crash may forget is a grant of that time.
 * Where no grant stands in another's way, what it forgets is only whom to book as lost if the worker is gone, too.
 */
export const writeBehindMs = (state: KeyState): number => (countsNothing(state) ? 100 : 25);

export const hasSlot = (state: KeyState) =>
  state.config.concurrency === 0 || state.permits.size < state.config.concurrency;

/** Somebody waits, or the next one would: what comes back should come back at once. */
export const isScarce = (state: KeyState) => !hasSlot(state) || state.queue.waiters.length > 0;

/** The state with every period that is over begun anew, at the rates of now. What is reserved stays as it was. */
export const rolled = (state: KeyState, { timeZone, rates }: Deployment, now: EpochMs): KeyState => {
  const tallies = spending.current(state.tallies, state.config, timeZone, now);
  const isSame = tallies === state.tallies && rates === state.multipliers;
  return isSame ? state : { ...state, tallies, multipliers: rates };
};

/** When something changes without anybody asking: a permit ends, a waiter gives up, a period is over. */
export function nextWakeAt(state: KeyState): EpochMs {
  const { day, week, window } = state.tallies;
  return Math.min(
    firstDeadline(state.queue),
    state.sweepAt,
    day?.end ?? Infinity,
    week?.end ?? Infinity,
    window?.end ?? Infinity,
  );
}

/**
 * A change of the key's options; what was spent stays spent, unless its period was over before the change. Changes may
 * come in another order than they were made in: the newest stays.
 */
export function configure(
  before: KeyState,
  config: KeyConfig,
  deployment: Deployment,
  now: EpochMs,
): KeyState {
  if (config.updatedAt < before.config.updatedAt) return before;
  const state = rolled(before, deployment, now);
  const tallies = spending.rescheduled(state.tallies, config, deployment.timeZone, now);
  // Another time zone is no reason to cut a week short that has begun.
  const { week } = beginsWithIt(state.config, config) ? state.tallies : tallies;
  return { ...state, config, tallies: { ...tallies, week } };
}

/** Whether the week of one begins with the week of the other. */
const beginsWithIt = (a: KeyConfig, b: KeyConfig) =>
  a.weekStartDay === b.weekStartDay && a.weekStartHour === b.weekStartHour;

/** All budgets and windows as if nothing had been spent. What running requests hold back stays held back. */
export const withoutSpending = (before: KeyState, deployment: Deployment, now: EpochMs): KeyState =>
  rolled({ ...before, tallies: spending.EMPTY_TALLIES }, deployment, now);
