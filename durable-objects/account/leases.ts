/** Who gets a slot now, who waits, and who is refused; and what each ended lease teaches. Pure. */
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type {
  AttemptOutcome,
  LeaseRequest,
  RefusalReason,
  Release,
  TakenLease,
} from "../../worker/domain/lease.ts";
import { queueLengthOf, type QueueRules } from "../../worker/domain/queue.ts";
import { enter, entryTo, isWaiting, leave, settled, type Waiter } from "../wait-queue.ts";
import { absolve, blocking, strike, type ChosenSeconds } from "./cooldowns.ts";
import { hasSlot, sweep, type AccountState, type Step } from "./state.ts";
import { endTurn, takeTurn, turnFreeAt } from "./user-turns.ts";
import { observe } from "./windows.ts";

/** A lease ends on its own this long after its last renewal, in ms; workers renew at a third of it. */
export const LEASE_TTL_MS = 90_000;

export type Grant =
  | { readonly kind: "granted" }
  | { readonly kind: "waiting" }
  | {
      readonly kind: "refused";
      readonly reason: RefusalReason;
      readonly retryAt: EpochMs | null;
      readonly load: number;
    };
type Refusal = Extract<Grant, { kind: "refused" }>;

/** A waiter that need not wait any longer, and why. */
export interface Woken {
  readonly requestId: RequestId;
  readonly grant: Exclude<Grant, { kind: "waiting" }>;
}

const refused = (reason: RefusalReason, retryAt: EpochMs | null): Refusal => ({
  kind: "refused",
  reason,
  retryAt,
  load: 0,
});

const full = (state: AccountState): Refusal => ({
  ...refused("full", null),
  load: state.queue.waiters.length / Math.max(1, state.config.maxConcurrency),
});

/** Why no request of this kind can be served now, slots aside; null: it can. */
function obstacle(state: AccountState, request: LeaseRequest, now: EpochMs): Refusal | null {
  const { enabled, schedulable, expiresAt } = state.config;
  if (!enabled || state.stopped !== null) return refused("disabled", null);
  const heedsRules = request.isTrial !== true;
  if (heedsRules && !schedulable) return refused("paused", null);
  if (heedsRules && expiresAt !== null && expiresAt <= now) return refused("expired", null);
  const cooldown = blocking(state.strikes, request.model, request.modelFamily, now);
  return cooldown === null ? null : refused(cooldown.reason, cooldown.until);
}

const needsTurn = ({ config }: AccountState, { userTurn }: LeaseRequest) =>
  config.userTurns !== null && userTurn;

/** What a request has to wait for; null: nothing. */
function missing(state: AccountState, request: LeaseRequest, now: EpochMs): "slot" | "turn" | null {
  if (!hasSlot(state)) return "slot";
  return needsTurn(state, request) && turnFreeAt(state.turn, state.config.userTurns) > now ? "turn" : null;
}

function hold(state: AccountState, request: LeaseRequest, now: EpochMs): AccountState {
  const deadline = now + LEASE_TTL_MS;
  const leases = new Map(state.leases).set(request.requestId, { deadline, takesSlot: request.takesSlot });
  const { userTurns } = state.config;
  return {
    ...state,
    leases,
    slotsUsed: state.slotsUsed + (request.takesSlot ? 1 : 0),
    sweepAt: Math.min(state.sweepAt, deadline),
    turn:
      userTurns !== null && request.userTurn
        ? takeTurn(request.requestId, now + userTurns.timeoutMs)
        : state.turn,
    lastUsedAt: now,
  };
}

const queueRules = ({ config }: AccountState, request: LeaseRequest): QueueRules => {
  const own = request.userTurn && config.userTurns !== null ? config.userTurns.timeoutMs : Infinity;
  return {
    length: queueLengthOf(config, config.maxConcurrency),
    timeoutMs: Math.min(request.waitMs, config.queueTimeoutMs ?? Infinity, own),
  };
};

/** Asks for a lease. The same request asked twice holds one, or waits in one place. */
export function lease(before: AccountState, request: LeaseRequest, now: EpochMs): Step<Grant> {
  // While others wait, their wake sweeps: done here, it would hide from them that there is something to wake for.
  const state = before.queue.waiters.length > 0 ? before : sweep(before, now);
  if (state.leases.has(request.requestId)) return { state, decision: { kind: "granted" } };
  if (isWaiting(state.queue, request.requestId)) return { state, decision: { kind: "waiting" } };
  const obstruction = obstacle(state, request, now);
  if (obstruction !== null) return { state, decision: obstruction };
  if (!request.takesSlot) return { state: hold(state, request, now), decision: { kind: "granted" } };
  const lacks = missing(state, request, now);
  // Nobody overtakes those who already wait for the same, even when it is free this instant.
  const mustWait = state.queue.waiters.some(
    (waiter) => !needsTurn(state, waiter.request) || needsTurn(state, request),
  );
  if (lacks === null && !mustWait) {
    return { state: hold(state, request, now), decision: { kind: "granted" } };
  }
  const rules = queueRules(state, request);
  if (entryTo(state.queue, rules, now) !== "open") return { state, decision: full(state) };
  const queue = enter(state.queue, request, rules.timeoutMs, now);
  return { state: { ...state, queue }, decision: { kind: "waiting" } };
}

/** Whether any request would be granted a lease until then, as far as the account's own state decides it. */
export function leasesFreely({ config, stopped, strikes, queue }: AccountState, until: EpochMs): boolean {
  const { enabled, schedulable, expiresAt, maxConcurrency, userTurns } = config;
  if (!enabled || !schedulable || stopped !== null || (expiresAt !== null && expiresAt < until)) return false;
  return maxConcurrency === 0 && userTurns === null && strikes.size === 0 && queue.waiters.length === 0;
}

/** Leases that a worker took under a warrant: they are held, whatever the account has become since. */
export function take(state: AccountState, taken: readonly TakenLease[], now: EpochMs): AccountState {
  if (taken.length === 0) return state;
  const deadline = now + LEASE_TTL_MS;
  const leases = new Map(state.leases);
  let { slotsUsed } = state;
  for (const { requestId, takesSlot } of taken) {
    if (!leases.has(requestId) && takesSlot) slotsUsed++;
    leases.set(requestId, { deadline, takesSlot });
  }
  return { ...state, leases, slotsUsed, sweepAt: Math.min(state.sweepAt, deadline), lastUsedAt: now };
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

/** The upstream has begun to answer a person's message: the next one may go after its pause. */
export const turnAnswered = (state: AccountState, requestId: RequestId, now: EpochMs): AccountState => {
  const turn = endTurn(state.turn, requestId, now);
  return turn === state.turn ? state : { ...state, turn };
};

/**
 * Ends a lease, or the wait for one. A second release changes nothing but what its outcome teaches.
 *
 * @param deploymentSeconds how long accounts rest that have no lengths of their own
 */
export function release(
  before: AccountState,
  { requestId, outcome, windows }: Release,
  now: EpochMs,
  deploymentSeconds: ChosenSeconds = {},
): AccountState {
  const told = observe(learn(before, outcome, now, deploymentSeconds), windows, now);
  const learnt = turnAnswered(told, requestId, now);
  const held = learnt.leases.get(requestId);
  if (held === undefined) {
    const queue = leave(learnt.queue, requestId);
    return queue === learnt.queue ? learnt : { ...learnt, queue };
  }
  const leases = new Map(learnt.leases);
  leases.delete(requestId);
  return { ...learnt, leases, slotsUsed: learnt.slotsUsed - (held.takesSlot ? 1 : 0) };
}

function learn(
  state: AccountState,
  outcome: AttemptOutcome,
  now: EpochMs,
  deploymentSeconds: ChosenSeconds,
): AccountState {
  switch (outcome.kind) {
    case "ok":
      return { ...state, strikes: absolve(state.strikes, now), lastUsedAt: now };
    case "neutral":
      return state;
    case "failed":
      return {
        ...state,
        strikes: strike(state.strikes, outcome, now, {
          ...deploymentSeconds,
          ...state.config.cooldownSeconds,
        }),
      };
    case "disabled":
      return { ...state, stopped: outcome.reason };
  }
}

/** Serves the queue: in order of arrival, refusals for those who cannot be served any more. */
export function wake(before: AccountState, now: EpochMs): Step<readonly Woken[]> {
  let state = sweep(before, now);
  if (state.queue.waiters.length === 0) return { state, decision: [] };
  const woken: Woken[] = [];
  const gone = new Set<Waiter<LeaseRequest>>();
  for (const waiter of state.queue.waiters) {
    const grant = grantTo(state, waiter, now);
    if (grant === null) continue;
    gone.add(waiter);
    if (grant.kind === "granted") state = hold(state, waiter.request, now);
    woken.push({ requestId: waiter.request.requestId, grant });
  }
  return { state: { ...state, queue: settled(state.queue, gone, now) }, decision: woken };
}

function grantTo(
  state: AccountState,
  { request, deadline }: Waiter<LeaseRequest>,
  now: EpochMs,
): Woken["grant"] | null {
  const obstruction = obstacle(state, request, now);
  if (obstruction !== null) return obstruction;
  if (missing(state, request, now) === null) return { kind: "granted" };
  return deadline <= now ? full(state) : null;
}
