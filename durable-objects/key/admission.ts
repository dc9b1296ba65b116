/** Who may begin now, who waits, and who is refused: a key's admissions and its queue. Pure. */
import type { ErrorFacts } from "../../worker/domain/errors.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
import type { AdmitRequest } from "../../worker/domain/permit.ts";
import { queueLengthOf, type QueueRules } from "../../worker/domain/queue.ts";
import { enter, entryTo, HOPELESS_RETRY_MS, isWaiting, leave, settled, type Waiter } from "../wait-queue.ts";
import * as limits from "./limits.ts";
import * as spending from "./spending.ts";
import { allowanceOf, atListPrice, permit } from "./permits.ts";
import { isLive, obstacle } from "./rules.ts";
import { countsNothing, hasSlot, rolled, type Deployment, type KeyState, type Step } from "./state.ts";

export type Admission =
  | {
      readonly kind: "admitted";
      /** Where a running stream must ask for more or end, in nano-dollars at list price; null: nowhere. */
      readonly allowance: NanoDollars | null;
    }
  | { readonly kind: "waiting" }
  | { readonly kind: "refused"; readonly error: ErrorFacts };

export interface Woken {
  readonly requestId: RequestId;
  readonly admission: Exclude<Admission, { kind: "waiting" }>;
}

const refusal = (error: ErrorFacts) => ({ kind: "refused", error }) as const;

/** Without a queue somebody may be done in a moment; after a full wait, a longer pause is better advice. */
const RETRY_SOON_MS = 1000;
const retryAfterWait = (waitedMs: number) => Math.min(30_000, Math.max(5000, waitedMs / 2));

function busy(state: KeyState, reason: string, retryAfterMs: number): ErrorFacts {
  const { concurrency } = state.config;
  const cause =
    concurrency === 0
      ? "Requests of this key that are running may need what is left of its limits."
      : `This key already has ${String(concurrency)} requests running, its limit.`;
  const message = `${cause} Try again when one has ended.`;
  return { code: "concurrency_exceeded", message, retryAfterMs, reason };
}

const queueRules = ({ config }: KeyState, deployment: Deployment): QueueRules => ({
  length: queueLengthOf(config, config.concurrency),
  timeoutMs: config.queueTimeoutMs ?? deployment.queueTimeoutMs,
});

type Fit =
  | { readonly kind: "fits"; readonly reserved: spending.Spending; readonly allowance: NanoDollars | null }
  /** Something that is in use now may come back. */
  | { readonly kind: "busy"; readonly error: ErrorFacts }
  | { readonly kind: "refused"; readonly error: ErrorFacts };

/** Whether a request may run now, and what it would hold back. */
function fitOf(state: KeyState, request: AdmitRequest, now: EpochMs): Fit {
  const { config } = state;
  const wanted = spending.charge(config, { ...request.estimate, ...request }, 1, state.multipliers);
  const known = limits.limitsOf(state.tallies, state.reserved, config);
  const room = limits.roomFor(known, wanted, config.hardBudget, now);
  if (room.kind === "exhausted") return refusal(room.error);
  if (room.kind === "reserved") return { kind: "busy", error: room.error };
  if (!hasSlot(state)) return { kind: "busy", error: busy(state, "concurrency", RETRY_SOON_MS) };
  // The request itself is counted when it is admitted, so nothing of it is held back.
  const reserved = { ...wanted, requests: 0 };
  if (!config.hardBudget || room.left === null) return { kind: "fits", reserved, allowance: null };
  const cost = Math.min(wanted.cost, room.left);
  const within = { ...reserved, cost, premiumCost: Math.min(wanted.premiumCost, cost) };
  return { kind: "fits", reserved: within, allowance: atListPrice(state, cost, request.service) };
}

/** Asks for a permit. The same request asked twice, because the first answer was lost, holds one, or one place. */
export function admit(
  before: KeyState,
  request: AdmitRequest,
  deployment: Deployment,
  now: EpochMs,
): Step<Admission> {
  const obstruction = obstacle(before, request, now);
  if (obstruction !== null) return { state: before, decision: refusal(obstruction) };
  const used = { ...before, lastUsedAt: now, activatedAt: before.activatedAt ?? now };
  if (!request.metered) return { state: used, decision: { kind: "admitted", allowance: null } };
  // An answer was lost on its way, and the worker asks again.
  const held = before.permits.get(request.requestId);
  if (held !== undefined)
    return { state: used, decision: { kind: "admitted", allowance: allowanceOf(used, held) } };
  if (isWaiting(before.queue, request.requestId)) return { state: used, decision: { kind: "waiting" } };
  const state = rolled(used, deployment, now);
  const fit = fitOf(state, request, now);
  switch (fit.kind) {
    case "refused":
      return { state, decision: fit };
    case "fits":
      // Nobody overtakes those who already wait.
      if (state.queue.waiters.length > 0) break;
      return {
        state: permit(state, request, fit.reserved, now),
        decision: { kind: "admitted", allowance: fit.allowance },
      };
    case "busy":
      break;
  }
  const error = fit.kind === "busy" ? fit.error : busy(state, "concurrency", RETRY_SOON_MS);
  return waitOrRefuse(state, request, error, { rules: queueRules(state, deployment), now });
}

/**
 * Whether every request like one that was just admitted would be, until then: nothing of the key is counted, and neither
 * it nor a text of it ends before.
 */
export function admitsFreely(state: KeyState, now: EpochMs, until: EpochMs): boolean {
  if (!countsNothing(state) || state.queue.waiters.length > 0) return false;
  const { activatedAt } = state;
  const { previous, activation } = state.config;
  if (previous !== null && previous.until > now && previous.until < until) return false;
  return (activation === null || activatedAt !== null) && isLive(state, until);
}

function waitOrRefuse(
  state: KeyState,
  request: AdmitRequest,
  error: ErrorFacts,
  { rules, now }: { rules: QueueRules; now: EpochMs },
): Step<Admission> {
  switch (entryTo(state.queue, rules, now)) {
    case "open":
      return {
        state: { ...state, queue: enter(state.queue, request, rules.timeoutMs, now) },
        decision: { kind: "waiting" },
      };
    case "hopeless":
      return { state, decision: refusal(busy(state, "queue_overloaded", HOPELESS_RETRY_MS)) };
    case "full":
      return {
        state,
        decision: refusal(
          rules.length === 0 ? error : busy(state, "queue_full", retryAfterWait(rules.timeoutMs)),
        ),
      };
  }
}

/** A client that left while it waited gives its place away. */
export function cancel(state: KeyState, requestId: RequestId): KeyState {
  const queue = leave(state.queue, requestId);
  return queue === state.queue ? state : { ...state, queue };
}

/** Serves the queue: in order of arrival as far as there is room, refusals for those whose time or key is over. */
export function wake(before: KeyState, deployment: Deployment, now: EpochMs): Step<readonly Woken[]> {
  if (before.queue.waiters.length === 0) return { state: before, decision: [] };
  let state = rolled(before, deployment, now);
  const woken: Woken[] = [];
  const gone = new Set<Waiter<AdmitRequest>>();
  let isBlocked = false;
  for (const waiter of state.queue.waiters) {
    const { request } = waiter;
    const fit = fitOfWaiter(state, waiter, isBlocked, now);
    if (fit === null) {
      isBlocked = true;
      continue;
    }
    gone.add(waiter);
    if (fit.kind === "fits") state = permit(state, request, fit.reserved, now);
    woken.push({
      requestId: request.requestId,
      admission: fit.kind === "fits" ? { kind: "admitted", allowance: fit.allowance } : refusal(fit.error),
    });
  }
  return { state: { ...state, queue: settled(state.queue, gone, now) }, decision: woken };
}

/** What becomes of one that waits; null: it waits on. */
function fitOfWaiter(
  state: KeyState,
  { request, since, deadline }: Waiter<AdmitRequest>,
  isBlocked: boolean,
  now: EpochMs,
): Fit | null {
  const obstruction = obstacle(state, request, now);
  if (obstruction !== null) return refusal(obstruction);
  const fit = fitOf(state, request, now);
  if (fit.kind === "refused" || (fit.kind === "fits" && !isBlocked)) return fit;
  return deadline <= now ? refusal(busy(state, "queue_timeout", retryAfterWait(now - since))) : null;
}
