/** A key's permits: made, kept alive, enlarged, and ended as exactly one record each. Pure. */
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
import { settlementOf, type AdmitRequest, type Settlement } from "../../worker/domain/permit.ts";
import type { Service } from "../../worker/domain/service.ts";
import { NO_USAGE, type UsageRecord } from "../../worker/domain/usage.ts";
import * as limits from "./limits.ts";
import * as spending from "./spending.ts";
import { rolled, type Deployment, type KeyState, type Permit, type Step } from "./state.ts";

/** A permit ends on its own this long after its last checkpoint, in ms; workers checkpoint at a third of it. */
export const PERMIT_TTL_MS = 90_000;

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
  speed: null,
  cost: 0,
  priceVersion: null,
  error: "worker_lost",
  routing: null,
});

const permitFor = (
  state: KeyState,
  request: AdmitRequest,
  reserved: spending.Spending,
  now: EpochMs,
): Permit => ({
  deadline: now + PERMIT_TTL_MS,
  draft: draftOf(state, request),
  service: request.service,
  reserved,
});

export function permit(
  state: KeyState,
  request: AdmitRequest,
  reserved: spending.Spending,
  now: EpochMs,
): KeyState {
  const held = permitFor(state, request, reserved, now);
  return {
    ...state,
    permits: new Map(state.permits).set(request.requestId, held),
    reserved: spending.add(state.reserved, reserved),
    sweepAt: Math.min(state.sweepAt, held.deadline),
    tallies: state.config.windowMinutes === 0 ? state.tallies : countRequest(state, now),
  };
}

/**
 * Permits of requests that a worker let in under a warrant. They run, so they are kept, whatever the key has become
 * since; a warrant is given only where nothing is held back.
 */
export function take(state: KeyState, requests: readonly AdmitRequest[], now: EpochMs): KeyState {
  if (requests.length === 0) return state;
  const permits = new Map(state.permits);
  for (const request of requests) {
    if (!permits.has(request.requestId))
      permits.set(request.requestId, permitFor(state, request, spending.NOTHING, now));
  }
  return { ...state, permits, sweepAt: Math.min(state.sweepAt, now + PERMIT_TTL_MS) };
}

/** Requests count when they begin; what they consume counts when they end. */
const countRequest = ({ tallies, config }: KeyState, now: EpochMs) =>
  spending.spend(tallies, { ...spending.NOTHING, requests: 1 }, config, now);

/** What an amount at the key's rates is at list price; null: the key is not charged at all. */
export function atListPrice(state: KeyState, charged: NanoDollars, service: Service): NanoDollars | null {
  const rate = spending.rateOf(state.config, service, state.multipliers);
  return rate === 0 ? null : Math.floor(charged / rate);
}

/** Where the stream of a permit must ask for more or end, in nano-dollars at list price; null: nowhere. */
export const allowanceOf = (state: KeyState, { reserved, service }: Permit): NanoDollars | null =>
  state.config.hardBudget ? atListPrice(state, reserved.cost, service) : null;

export function checkpoint(state: KeyState, drafts: readonly UsageRecord[], now: EpochMs): KeyState {
  const permits = new Map(state.permits);
  for (const draft of drafts) {
    const held = permits.get(draft.requestId);
    if (held !== undefined) permits.set(draft.requestId, { ...held, deadline: now + PERMIT_TTL_MS, draft });
  }
  return { ...state, permits };
}

/**
 * A stream with a hard budget has used up its allowance: as much more as there is, up to twice what it cost so
 * far. @param cost what it has cost, in nano-dollars at list price
 */
export function extend(
  before: KeyState,
  requestId: RequestId,
  cost: NanoDollars,
  { deployment, now }: { deployment: Deployment; now: EpochMs },
): Step<NanoDollars> {
  const state = rolled(before, deployment, now);
  const held = state.permits.get(requestId);
  if (held === undefined) return { state, decision: 0 };
  const { service, reserved, draft } = held;
  const wanted = spending.charge(
    state.config,
    { tokens: reserved.tokens, cost: 2 * cost, model: draft.requestedModel, service },
    0,
    state.multipliers,
  );
  const others = spending.subtract(state.reserved, reserved);
  const room = limits.roomFor(limits.limitsOf(state.tallies, others, state.config), wanted, true, now);
  const left = room.kind === "free" ? (room.left ?? Infinity) : 0;
  const charged = Math.max(reserved.cost, Math.min(wanted.cost, left));
  const premiumCost = Math.max(reserved.premiumCost, Math.min(wanted.premiumCost, charged));
  const extended = { ...wanted, cost: charged, premiumCost };
  return {
    state: {
      ...state,
      permits: new Map(state.permits).set(requestId, { ...held, reserved: extended }),
      reserved: spending.add(others, extended),
    },
    decision: atListPrice(state, charged, service) ?? Infinity,
  };
}

/** What of a settlement counts. */
type Counted = Omit<Settlement, "record">;

/**
 * Closes the records' permits and counts the records. The caller sees to it that a record comes here once; one
 * without a permit counts too: the object may have lost its memory between the grant and its write, or its worker may
 * have let it in under a warrant and have nothing but its end to tell.
 */
export function settleAll(
  before: KeyState,
  settlements: readonly Counted[],
  deployment: Deployment,
  now: EpochMs,
): KeyState {
  if (settlements.length === 0) return before;
  const state = rolled(before, deployment, now);
  const permits = new Map(state.permits);
  let { reserved } = state;
  let { requests, tokens, cost } = state.totals;
  let spent = spending.NOTHING;
  for (const settlement of settlements) {
    const held = permits.get(settlement.requestId);
    if (held !== undefined) reserved = spending.subtract(reserved, held.reserved);
    permits.delete(settlement.requestId);
    requests++;
    tokens += settlement.tokens;
    cost += settlement.cost;
    spent = spending.add(spent, spending.charge(state.config, settlement, 0, state.multipliers));
  }
  const tallies = spending.spend(state.tallies, spent, state.config, now);
  return { ...state, permits, reserved, totals: { requests, tokens, cost }, tallies };
}

export const settle = (
  state: KeyState,
  settlement: Counted,
  deployment: Deployment,
  now: EpochMs,
): KeyState => settleAll(state, [settlement], deployment, now);

/**
 * Ends a permit as if it had never been: the request was admitted here, and refused by who shares the decision. A
 * window that it opened stays open.
 */
export function withdraw(state: KeyState, requestId: RequestId): KeyState {
  const held = state.permits.get(requestId);
  if (held === undefined) return state;
  const permits = new Map(state.permits);
  permits.delete(requestId);
  const grantedAt = held.deadline - PERMIT_TTL_MS;
  return {
    ...state,
    permits,
    reserved: spending.subtract(state.reserved, held.reserved),
    tallies: state.config.windowMinutes === 0 ? state.tallies : spending.uncount(state.tallies, grantedAt),
  };
}

/** Settles from its last checkpoint what a dead worker left behind. */
export function sweep(before: KeyState, deployment: Deployment, now: EpochMs): Step<readonly Settlement[]> {
  if (now < before.sweepAt) return { state: before, decision: [] };
  const lost: Settlement[] = [];
  for (const { deadline, draft, service } of before.permits.values()) {
    if (deadline > now) continue;
    const record: UsageRecord = { ...draft, outcome: "lost", estimated: true, endedAt: now };
    lost.push(settlementOf(record, service));
  }
  const state = settleAll(before, lost, deployment, now);
  const sweepAt = [...state.permits.values()].reduce(
    (soonest, held) => Math.min(soonest, held.deadline),
    Infinity,
  );
  return { state: { ...state, sweepAt }, decision: lost };
}
