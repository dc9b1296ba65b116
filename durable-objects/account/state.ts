/** What an account's object knows of its slots, its queue and its health, and what that comes to. Pure. */
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { Availability, LimitWindow } from "../../worker/domain/cooldown.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import { EMPTY_QUEUE, firstDeadline, type WaitQueue } from "../wait-queue.ts";
import { active, type Strikes } from "./cooldowns.ts";
import { FREE_TURN, turnFreeAt, type Turn } from "./user-turns.ts";

export interface HeldLease {
  readonly deadline: EpochMs;
  readonly takesSlot: boolean;
}

export interface AccountState {
  readonly config: AccountConfig;
  readonly leases: ReadonlyMap<RequestId, HeldLease>;
  /** Leases that occupy a slot; always the count of those in `leases` that do. */
  readonly slotsUsed: number;
  /** No lease ends before this: until then there is nothing to sweep. */
  readonly sweepAt: EpochMs;
  readonly queue: WaitQueue<LeaseRequest>;
  readonly strikes: Strikes;
  readonly turn: Turn;
  /** The upstream's limits, as its last answer told them. */
  readonly windows: readonly LimitWindow[];
  /** Set when the upstream closed the account: only a person lifts it. */
  readonly stopped: string | null;
  readonly lastUsedAt: EpochMs | null;
}

/** Every transition takes the state and the time and returns the next state with its decision. */
export interface Step<Decision> {
  readonly state: AccountState;
  readonly decision: Decision;
}

export const emptyState = (config: AccountConfig): AccountState => ({
  config,
  leases: new Map(),
  slotsUsed: 0,
  sweepAt: Infinity,
  queue: EMPTY_QUEUE,
  strikes: new Map(),
  turn: FREE_TURN,
  windows: [],
  stopped: null,
  lastUsedAt: null,
});

export const hasSlot = (state: AccountState) =>
  state.config.maxConcurrency === 0 || state.slotsUsed < state.config.maxConcurrency;

/** Somebody waits, or the next one would: what comes back should come back at once. */
export const isScarce = (state: AccountState) => !hasSlot(state) || state.queue.waiters.length > 0;

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

/** When something changes without anybody asking: a lease ends, a turn is free, a waiter gives up. */
export function nextWakeAt(state: AccountState, now: EpochMs): EpochMs {
  const turn = turnFreeAt(state.turn, state.config.userTurns);
  const waitsForTurn = turn > now && state.queue.waiters.some(({ request }) => request.userTurn);
  return Math.min(firstDeadline(state.queue), state.sweepAt, waitsForTurn ? turn : Infinity);
}

export const reset = (state: AccountState): AccountState => ({ ...state, strikes: new Map(), stopped: null });

/** The one place that says whether an account can be scheduled now, and if not why and until when. */
export function availability(state: AccountState, now: EpochMs): Availability {
  if (!state.config.enabled) return { kind: "disabled", reason: "Switched off by an admin." };
  if (state.stopped !== null) return { kind: "disabled", reason: state.stopped };
  const { schedulable, expiresAt } = state.config;
  if (expiresAt !== null && expiresAt <= now) return { kind: "expired", at: expiresAt };
  if (!schedulable) return { kind: "paused" };
  const cooldown = active(state.strikes, now).find(({ scope }) => scope === "account");
  if (cooldown !== undefined) return { kind: "cooling", cooldown };
  return hasSlot(state) ? { kind: "available" } : { kind: "full", waiting: state.queue.waiters.length };
}
