/**
 * A key's permits, queue and lifetime, as a state machine. Pure: every function takes the state and the time
 * and returns the next state with its decision.
 */
import type { ErrorFacts } from "../../worker/domain/errors.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import { settlementOf, type AdmitRequest, type Settlement } from "../../worker/domain/permit.ts";
import { NO_USAGE, type UsageRecord } from "../../worker/domain/usage.ts";

/** A permit ends on its own this long after its last checkpoint, in ms; workers checkpoint at a third of it. */
export const PERMIT_TTL_MS = 90_000;

const HOUR_MS = 3_600_000;
const UNIT_MS = { hours: HOUR_MS, days: 24 * HOUR_MS } as const;

export interface Permit {
  readonly deadline: EpochMs;
  /** What is booked if nothing more is heard. */
  readonly draft: UsageRecord;
}

interface Waiter {
  readonly request: AdmitRequest;
  readonly deadline: EpochMs;
}

export interface Totals {
  readonly requests: number;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
}

export interface KeyState {
  readonly config: KeyConfig;
  /** Deleted by an admin: refuses for ever. */
  readonly revoked: boolean;
  readonly permits: ReadonlyMap<RequestId, Permit>;
  /** No permit ends before this: until then there is nothing to sweep. */
  readonly sweepAt: EpochMs;
  readonly waiters: readonly Waiter[];
  readonly activatedAt: EpochMs | null;
  readonly lastUsedAt: EpochMs | null;
  readonly totals: Totals;
}

export type Admission =
  | { readonly kind: "admitted" }
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly error: ErrorFacts };

interface Step<Decision> {
  readonly state: KeyState;
  readonly decision: Decision;
}

export interface Woken {
  readonly requestId: RequestId;
  readonly admission: Exclude<Admission, { kind: "waiting" }>;
}

export const emptyState = (config: KeyConfig): KeyState => ({
  config,
  revoked: false,
  permits: new Map(),
  sweepAt: Infinity,
  waiters: [],
  activatedAt: null,
  lastUsedAt: null,
  totals: { requests: 0, tokens: 0, cost: 0 },
});

const refusal = (code: ErrorFacts["code"], message: string, retryAfterMs: number | null = null) =>
  ({ kind: "refused", error: { code, message, retryAfterMs } }) as const;

/** The key's end: a fixed date, or its lifetime from first use, whichever comes first; null: none. */
export function expiryOf(state: KeyState): EpochMs | null {
  const { expiresAt, activation } = state.config;
  const ends = expiresAt === null ? [] : [expiresAt];
  if (activation !== null && state.activatedAt !== null) {
    ends.push(state.activatedAt + activation.amount * UNIT_MS[activation.unit]);
  }
  return ends.length === 0 ? null : Math.min(...ends);
}

/** Whether the key may be used at all. */
export function isLive(state: KeyState, now: EpochMs): boolean {
  const expiresAt = expiryOf(state);
  return state.config.enabled && !state.revoked && (expiresAt === null || now < expiresAt);
}

/** One message for every key that is not live, so that keys cannot be probed. */
const obstacle = (state: KeyState, now: EpochMs) =>
  isLive(state, now) ? null : refusal("unauthenticated", "Invalid API key");

export const hasSlot = (state: KeyState) =>
  state.config.concurrency === 0 || state.permits.size < state.config.concurrency;

function busy(state: KeyState, retryAfterMs: number) {
  const limit = String(state.config.concurrency);
  const message = `This key already has ${limit} requests running, its limit. Try again when one has ended.`;
  return refusal("concurrency_exceeded", message, retryAfterMs);
}

/** Without a queue somebody may be done in a moment; after a full wait, a longer pause is better advice. */
const RETRY_SOON_MS = 1000;
const retryAfterWait = (waitedMs: number) => Math.min(30_000, Math.max(5000, waitedMs / 2));

/** What is booked if nothing more is heard of a request than that it was admitted. */
const draftOf = (state: KeyState, request: AdmitRequest): UsageRecord => ({
  requestId: request.requestId,
  keyId: state.config.id,
  accountId: null,
  provider: null,
  protocol: request.protocol,
  model: request.model,
  requestedModel: request.model,
  stream: request.stream,
  status: 200,
  outcome: "lost",
  estimated: true,
  startedAt: request.startedAt,
  firstByteAt: null,
  endedAt: request.startedAt,
  attempts: 0,
  tokens: NO_USAGE,
  serviceTier: null,
  cost: 0,
  priceVersion: null,
  error: "worker_lost",
});

function permit(state: KeyState, request: AdmitRequest, now: EpochMs): KeyState {
  const deadline = now + PERMIT_TTL_MS;
  return {
    ...state,
    permits: new Map(state.permits).set(request.requestId, { deadline, draft: draftOf(state, request) }),
    sweepAt: Math.min(state.sweepAt, deadline),
  };
}

/** Asks for a permit. The same request asked twice holds one. */
export function admit(
  before: KeyState,
  request: AdmitRequest,
  queueMs: number,
  now: EpochMs,
): Step<Admission> {
  const obstruction = obstacle(before, now);
  if (obstruction !== null) return { state: before, decision: obstruction };
  const state: KeyState = { ...before, lastUsedAt: now, activatedAt: before.activatedAt ?? now };
  if (!request.metered || state.permits.has(request.requestId))
    return { state, decision: { kind: "admitted" } };
  // Nobody overtakes those who already wait.
  if (hasSlot(state) && state.waiters.length === 0) {
    return { state: permit(state, request, now), decision: { kind: "admitted" } };
  }
  if (queueMs <= 0 || state.waiters.length >= state.config.queueLength) {
    return { state, decision: busy(state, RETRY_SOON_MS) };
  }
  const waiters = [...state.waiters, { request, deadline: now + queueMs }];
  return { state: { ...state, waiters }, decision: { kind: "waiting" } };
}

/** A client that left while it waited gives its place away. */
export function cancel(state: KeyState, requestId: RequestId): KeyState {
  const waiters = state.waiters.filter((waiter) => waiter.request.requestId !== requestId);
  return waiters.length === state.waiters.length ? state : { ...state, waiters };
}

export function checkpoint(state: KeyState, drafts: readonly UsageRecord[], now: EpochMs): KeyState {
  const permits = new Map(state.permits);
  for (const draft of drafts) {
    if (permits.has(draft.requestId)) permits.set(draft.requestId, { deadline: now + PERMIT_TTL_MS, draft });
  }
  return { ...state, permits };
}

/**
 * Closes a record's permit and counts the record. The caller sees to it that a record comes here once; one
 * without a permit counts too: the object may have lost its memory between the grant and its write.
 */
export function settle(state: KeyState, settlement: Omit<Settlement, "record">): KeyState {
  const permits = new Map(state.permits);
  permits.delete(settlement.requestId);
  const totals = {
    requests: state.totals.requests + 1,
    tokens: state.totals.tokens + settlement.tokens,
    cost: state.totals.cost + settlement.cost,
  };
  return { ...state, permits, totals };
}

/** Settles from its last checkpoint what a dead worker left behind. */
export function sweep(before: KeyState, now: EpochMs): Step<readonly Settlement[]> {
  if (now < before.sweepAt) return { state: before, decision: [] };
  const lost: Settlement[] = [];
  let state = before;
  for (const { deadline, draft } of before.permits.values()) {
    if (deadline > now) continue;
    const record: UsageRecord = { ...draft, outcome: "lost", estimated: true, endedAt: now };
    const settlement = settlementOf(record);
    state = settle(state, settlement);
    lost.push(settlement);
  }
  const sweepAt = [...state.permits.values()].reduce(
    (soonest, held) => Math.min(soonest, held.deadline),
    Infinity,
  );
  return { state: { ...state, sweepAt }, decision: lost };
}

/** Serves the queue: free slots in order of arrival, refusals for those whose time or whose key is over. */
export function wake(before: KeyState, now: EpochMs): Step<readonly Woken[]> {
  let state = before;
  const woken: Woken[] = [];
  const waiters: Waiter[] = [];
  for (const waiter of before.waiters) {
    const admission = settleWaiter(state, waiter, now);
    if (admission === null) {
      waiters.push(waiter);
      continue;
    }
    if (admission.kind === "admitted") state = permit(state, waiter.request, now);
    woken.push({ requestId: waiter.request.requestId, admission });
  }
  return woken.length === 0 ? { state, decision: woken } : { state: { ...state, waiters }, decision: woken };
}

function settleWaiter(state: KeyState, waiter: Waiter, now: EpochMs): Woken["admission"] | null {
  const obstruction = obstacle(state, now);
  if (obstruction !== null) return obstruction;
  if (hasSlot(state)) return { kind: "admitted" };
  const waitedMs = waiter.deadline - waiter.request.startedAt;
  return waiter.deadline <= now ? busy(state, retryAfterWait(waitedMs)) : null;
}

/** When something changes without anybody asking: a permit ends or a waiter gives up. */
export function nextWakeAt(state: KeyState): EpochMs {
  return state.waiters.reduce((soonest, waiter) => Math.min(soonest, waiter.deadline), state.sweepAt);
}
