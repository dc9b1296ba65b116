/**
 * An account's slots, queue, cooldowns and stop, as a state machine. Pure: every function takes the state and
 * the time and returns the next state with its decision.
 */
import type { AccountConfig, Availability } from "../../worker/domain/account.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { AttemptOutcome, LeaseRequest, RefusalReason } from "../../worker/domain/lease.ts";
import { absolve, active, blocking, strike, type Strikes } from "./cooldowns.ts";

/** A lease ends on its own this long after its last renewal, in ms; workers renew at a third of it. */
export const LEASE_TTL_MS = 90_000;
/** Requests that may wait for one of an account's slots. */
export const WAITERS_MAX = 1000;

export interface HeldLease {
  readonly deadline: EpochMs;
  readonly takesSlot: boolean;
}

export interface Waiter {
  readonly request: LeaseRequest;
  readonly deadline: EpochMs;
}

export interface AccountState {
  readonly config: AccountConfig;
  readonly leases: ReadonlyMap<RequestId, HeldLease>;
  /** Leases that occupy a slot; always the count of those in `leases` that do. */
  readonly slotsUsed: number;
  /** No lease ends before this: until then there is nothing to sweep. */
  readonly sweepAt: EpochMs;
  /** First come, first served. */
  readonly waiters: readonly Waiter[];
  readonly strikes: Strikes;
  /** Set when the upstream closed the account: only a person lifts it. */
  readonly stopped: string | null;
  readonly lastUsedAt: EpochMs | null;
}

export type Grant =
  | { readonly kind: "granted" }
  | { readonly kind: "waiting" }
  | {
      readonly kind: "refused";
      readonly reason: RefusalReason;
      readonly retryAt: EpochMs | null;
      readonly load: number;
    };

interface Step<Decision> {
  readonly state: AccountState;
  readonly decision: Decision;
}

/** A waiter that need not wait any longer, and why. */
export interface Woken {
  readonly requestId: RequestId;
  readonly grant: Exclude<Grant, { kind: "waiting" }>;
}

export const emptyState = (config: AccountConfig): AccountState => ({
  config,
  leases: new Map(),
  slotsUsed: 0,
  sweepAt: Infinity,
  waiters: [],
  strikes: new Map(),
  stopped: null,
  lastUsedAt: null,
});

export const hasSlot = (state: AccountState) =>
  state.config.maxConcurrency === 0 || state.slotsUsed < state.config.maxConcurrency;

const refused = (reason: RefusalReason, retryAt: EpochMs | null): Grant & { kind: "refused" } => ({
  kind: "refused",
  reason,
  retryAt,
  load: 0,
});

const full = (state: AccountState): Grant & { kind: "refused" } => ({
  ...refused("full", null),
  load: state.waiters.length / Math.max(1, state.config.maxConcurrency),
});

/** Why no request of this kind can be served now, slots aside; null: it can. */
function obstacle(
  state: AccountState,
  request: LeaseRequest,
  now: EpochMs,
): (Grant & { kind: "refused" }) | null {
  if (!state.config.enabled || state.stopped !== null) return refused("disabled", null);
  const cooldown = blocking(state.strikes, request.model, request.modelFamily, now);
  return cooldown === null ? null : refused(cooldown.reason, cooldown.until);
}

function hold(state: AccountState, request: LeaseRequest, now: EpochMs): AccountState {
  const deadline = now + LEASE_TTL_MS;
  const leases = new Map(state.leases).set(request.requestId, { deadline, takesSlot: request.takesSlot });
  return {
    ...state,
    leases,
    slotsUsed: state.slotsUsed + (request.takesSlot ? 1 : 0),
    sweepAt: Math.min(state.sweepAt, deadline),
    lastUsedAt: now,
  };
}

/** Asks for a lease. The same request asked twice holds one lease. */
export function lease(before: AccountState, request: LeaseRequest, now: EpochMs): Step<Grant> {
  const state = sweep(before, now);
  if (state.leases.has(request.requestId)) return { state, decision: { kind: "granted" } };
  const obstruction = obstacle(state, request, now);
  if (obstruction !== null) return { state, decision: obstruction };
  // Nobody overtakes those who already wait, even when a slot is free this instant.
  if (!request.takesSlot || (hasSlot(state) && state.waiters.length === 0)) {
    return { state: hold(state, request, now), decision: { kind: "granted" } };
  }
  if (request.waitMs <= 0 || state.waiters.length >= WAITERS_MAX) return { state, decision: full(state) };
  const waiter: Waiter = { request, deadline: now + request.waitMs };
  return { state: { ...state, waiters: [...state.waiters, waiter] }, decision: { kind: "waiting" } };
}

/** Extends leases that are still held. One that had expired comes back: its request is alive and uses the account. */
export function renew(before: AccountState, requestIds: readonly RequestId[], now: EpochMs): AccountState {
  const leases = new Map(before.leases);
  let slotsUsed = before.slotsUsed;
  for (const requestId of requestIds) {
    const held = leases.get(requestId);
    if (held === undefined) slotsUsed++;
    leases.set(requestId, { deadline: now + LEASE_TTL_MS, takesSlot: held?.takesSlot ?? true });
  }
  return { ...before, leases, slotsUsed, sweepAt: Math.min(before.sweepAt, now + LEASE_TTL_MS) };
}

/** Ends a lease, or the wait for one. A second release changes nothing but what its outcome teaches. */
export function release(
  before: AccountState,
  requestId: RequestId,
  outcome: AttemptOutcome,
  now: EpochMs,
): AccountState {
  const learnt = learn(before, outcome, now);
  const held = learnt.leases.get(requestId);
  if (held === undefined) {
    const waiters = learnt.waiters.filter((waiter) => waiter.request.requestId !== requestId);
    return waiters.length === learnt.waiters.length ? learnt : { ...learnt, waiters };
  }
  const leases = new Map(learnt.leases);
  leases.delete(requestId);
  return { ...learnt, leases, slotsUsed: learnt.slotsUsed - (held.takesSlot ? 1 : 0) };
}

function learn(state: AccountState, outcome: AttemptOutcome, now: EpochMs): AccountState {
  switch (outcome.kind) {
    case "ok":
      return { ...state, strikes: absolve(state.strikes, now) };
    case "neutral":
      return state;
    case "failed":
      return { ...state, strikes: strike(state.strikes, outcome, now) };
    case "disabled":
      return { ...state, stopped: outcome.reason };
  }
}

/** Frees what dead workers left behind. */
export function sweep(state: AccountState, now: EpochMs): AccountState {
  if (now < state.sweepAt) return state;
  const leases = new Map([...state.leases].filter(([, held]) => held.deadline > now));
  let slotsUsed = 0;
  let sweepAt = Infinity;
  for (const held of leases.values()) {
    slotsUsed += held.takesSlot ? 1 : 0;
    sweepAt = Math.min(sweepAt, held.deadline);
  }
  return { ...state, leases, slotsUsed, sweepAt };
}

/** Serves the queue: free slots in order of arrival, refusals for those who cannot be served any more. */
export function wake(before: AccountState, now: EpochMs): Step<readonly Woken[]> {
  let state = sweep(before, now);
  if (state.waiters.length === 0) return { state, decision: [] };
  const woken: Woken[] = [];
  const waiters: Waiter[] = [];
  for (const waiter of state.waiters) {
    const grant = settleWaiter(state, waiter, now);
    if (grant === null) {
      waiters.push(waiter);
      continue;
    }
    if (grant.kind === "granted") state = hold(state, waiter.request, now);
    woken.push({ requestId: waiter.request.requestId, grant });
  }
  return { state: { ...state, waiters }, decision: woken };
}

function settleWaiter(state: AccountState, waiter: Waiter, now: EpochMs): Woken["grant"] | null {
  const obstruction = obstacle(state, waiter.request, now);
  if (obstruction !== null) return obstruction;
  if (hasSlot(state)) return { kind: "granted" };
  return waiter.deadline <= now ? full(state) : null;
}

/** When something changes without anybody asking: a lease ends or a waiter gives up. */
export function nextWakeAt(state: AccountState): EpochMs {
  return state.waiters.reduce((soonest, waiter) => Math.min(soonest, waiter.deadline), state.sweepAt);
}

export const configure = (state: AccountState, config: AccountConfig): AccountState => ({ ...state, config });

export const reset = (state: AccountState): AccountState => ({ ...state, strikes: new Map(), stopped: null });

/** The one place that says whether an account can be scheduled now, and if not why and until when. */
export function availability(state: AccountState, now: EpochMs): Availability {
  if (!state.config.enabled) return { kind: "disabled", reason: "Switched off by an admin." };
  if (state.stopped !== null) return { kind: "disabled", reason: state.stopped };
  const cooldown = active(state.strikes, now).find(({ scope }) => scope === "account");
  if (cooldown !== undefined) return { kind: "cooling", cooldown };
  return hasSlot(state) ? { kind: "available" } : { kind: "full", waiting: state.waiters.length };
}
