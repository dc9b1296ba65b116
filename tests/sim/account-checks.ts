/**
 * What is promised of an account's slots and queue, checked as it happens.
 *
 * Slots: an account is never used by more requests than it has slots, where a request uses it from the grant of
 * its lease until its worker is done with the account, or dead. (An account without a limit promises nothing, and
 * writes no leases.) Out of the count, for the rest of their use, fall only those whose lease the object cannot know of any more:
 * - granted at most 25 ms before the object restarted, so that the grant was never written;
 * - unheard of for 90 s, because every renewal was lost on its way;
 * - given back by a release of the same request's earlier stay at this account, which was sent before the grant
 *   and arrived after it;
 * - brought back by a renewal that arrived after its release, beside the slots, and found there when the request
 *   came back to this account.
 */
import type { Woken } from "../../durable-objects/account/leases.ts";
import { LEASE_TTL_MS } from "../../durable-objects/account/leases.ts";
import type { AccountState } from "../../durable-objects/account/state.ts";
import type { AccountId, RequestId } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import type { AccountRoom } from "./account-room.ts";
import { WRITE_BEHIND_MS } from "./commit.ts";
import type { Journey, Use } from "./journey.ts";
import type { Timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

export class AccountChecks {
  readonly #timeline: Timeline;
  readonly #live: ReadonlyMap<RequestId, Journey>;
  readonly #violation: (invariant: string, detail: string) => Violation;
  readonly #used = new Map<AccountId, number>();
  /** Leases that came back with a renewal although their requests had left: account and request. */
  readonly #revived = new Set<string>();
  /** Uses that fell out of the count, by reason. */
  readonly excused = { restart: 0, silence: 0, lateRelease: 0, lateRenewal: 0 };

  constructor(
    timeline: Timeline,
    live: ReadonlyMap<RequestId, Journey>,
    violation: (invariant: string, detail: string) => Violation,
  ) {
    this.#timeline = timeline;
    this.#live = live;
    this.#violation = violation;
  }

  used(account: AccountId): number {
    return this.#used.get(account) ?? 0;
  }

  /** An account said yes at once. */
  granted(room: AccountRoom, request: LeaseRequest, before: AccountState): void {
    const isRepeat = before.leases.has(request.requestId);
    const overtaken =
      request.takesSlot && before.queue.waiters.some((waiter) => sameKind(room, waiter, request));
    if (overtaken && !isRepeat) {
      throw this.#violation(
        "first come, first served",
        `${request.requestId} overtook those who wait at ${room.id}`,
      );
    }
    this.#uses(room, request.requestId);
  }

  /** Leases that workers took under a warrant. */
  taken({ id, state: { config } }: AccountRoom, leases: readonly { readonly requestId: RequestId }[]): void {
    const [lease] = leases;
    if (lease === undefined || config.maxConcurrency === 0) return;
    throw this.#violation("only what is not counted is let in unasked", `${lease.requestId} at ${id}`);
  }

  #uses(room: AccountRoom, requestId: RequestId): void {
    const journey = this.#live.get(requestId);
    // Whoever does not wait for this answer any more will not use the account: the lease ends on its own.
    if (journey?.asking !== room.id || journey.use?.isExcused === false) return;
    const held = room.state.leases.get(requestId);
    if (held === undefined) throw this.#violation("a grant is held", `${requestId} at ${room.id}`);
    const slots = room.state.config.maxConcurrency;
    const isRevived = this.#revived.has(`${room.id} ${requestId}`);
    const counts = journey.isMetered && slots > 0 && !isRevived;
    if (isRevived) this.excused.lateRenewal++;
    this.stopsUsing(journey);
    // A lease that was granted to an earlier copy of the question is as old as that.
    journey.use = { account: room, heardAt: held.deadline - LEASE_TTL_MS, isExcused: !counts };
    if (!counts) return;
    const used = this.used(room.id) + 1;
    this.#used.set(room.id, used);
    if (used > slots) {
      throw this.#violation("slots", `${room.id} has ${String(slots)} and is used by ${String(used)}`);
    }
  }

  /** The worker is done with its account, or dead. */
  stopsUsing(journey: Journey): void {
    const { use } = journey;
    journey.use = null;
    if (use !== null) this.#uncount(use);
  }

  #uncount(use: Use): void {
    if (!use.isExcused) this.#used.set(use.account.id, this.used(use.account.id) - 1);
  }

  #excuse(use: Use, reason: keyof AccountChecks["excused"]): void {
    if (use.isExcused) return;
    this.#uncount(use);
    use.isExcused = true;
    this.excused[reason]++;
  }

  #useOf(requestId: RequestId, room: AccountRoom): Use | null {
    const use = this.#live.get(requestId)?.use ?? null;
    return use?.account === room ? use : null;
  }

  /** Called while the room's state is still that from before. */
  renewed(room: AccountRoom, requestIds: readonly RequestId[]): void {
    for (const requestId of requestIds) {
      const use = this.#useOf(requestId, room);
      if (use !== null) use.heardAt = this.#timeline.now();
      else if (!room.state.leases.has(requestId)) this.#revived.add(`${room.id} ${requestId}`);
    }
  }

  /** Called while the lease is still in the room's state: only then does the release end it. */
  released(room: AccountRoom, requestId: RequestId): void {
    this.#revived.delete(`${room.id} ${requestId}`);
    const use = this.#useOf(requestId, room);
    if (use !== null && room.state.leases.has(requestId)) this.#excuse(use, "lateRelease");
  }

  restarted(room: AccountRoom, before: AccountState): void {
    const now = this.#timeline.now();
    for (const requestId of before.leases.keys()) {
      const use = this.#useOf(requestId, room);
      if (use === null || use.isExcused) continue;
      const held = room.state.leases.get(requestId);
      const heardAt = held === undefined ? -Infinity : held.deadline - LEASE_TTL_MS;
      if (heardAt < use.heardAt && now - use.heardAt > WRITE_BEHIND_MS) {
        throw this.#violation("write-behind", `${room.id} forgot the lease of ${requestId}`);
      }
      if (held === undefined) this.#excuse(use, "restart");
      else use.heardAt = heardAt;
    }
  }

  /** After every change of an account's state. */
  changed(room: AccountRoom, before: AccountState): void {
    const { state } = room;
    if (state.leases === before.leases && state.slotsUsed === before.slotsUsed) return;
    let slotsUsed = 0;
    for (const held of state.leases.values()) if (held.takesSlot) slotsUsed++;
    if (slotsUsed !== state.slotsUsed) {
      const detail = `${room.id} counts ${String(state.slotsUsed)} and holds ${String(slotsUsed)}`;
      throw this.#violation("slots are counted right", detail);
    }
    for (const requestId of before.leases.keys()) {
      if (!state.leases.has(requestId)) this.#lapsed(room, requestId);
    }
  }

  #lapsed(room: AccountRoom, requestId: RequestId): void {
    const use = this.#useOf(requestId, room);
    if (use === null || use.isExcused) return;
    if (this.#timeline.now() - use.heardAt < LEASE_TTL_MS) {
      throw this.#violation(
        "leases live 90 s",
        `${room.id} ended the lease of ${requestId}, which is in use`,
      );
    }
    this.#excuse(use, "silence");
  }

  waits(room: AccountRoom, requestId: RequestId): void {
    const count = room.state.queue.waiters.filter(({ request }) => request.requestId === requestId).length;
    if (count > 1) throw this.#violation("one place in a queue", `${requestId} waits twice at ${room.id}`);
  }

  /** Those who waited and need not any longer. */
  woken(room: AccountRoom, before: AccountState, decision: readonly Woken[]): void {
    if (decision.length === 0) return;
    const waiters = new Map(before.queue.waiters.map((waiter) => [waiter.request.requestId, waiter]));
    const gone = new Set<RequestId>();
    for (const { requestId, grant } of decision) {
      gone.add(requestId);
      const served = waiters.get(requestId);
      if (served === undefined) throw this.#violation("queue", `${requestId} did not wait at ${room.id}`);
      if (grant.kind === "refused") continue;
      for (const waiter of waiters.values()) {
        if (gone.has(waiter.request.requestId) || waiter.since >= served.since) continue;
        if (!sameKind(room, waiter, served.request)) continue;
        throw this.#violation(
          "first come, first served",
          `${requestId} overtook ${waiter.request.requestId}`,
        );
      }
      this.#uses(room, requestId);
    }
  }

  /** Nobody waits beside a free slot, unless the timer that serves them is about to fire. */
  nobodyIsForgotten(room: AccountRoom): void {
    const { config, slotsUsed, queue } = room.state;
    const hasSlot = config.maxConcurrency === 0 || slotsUsed < config.maxConcurrency;
    if (!hasSlot || room.timerAt <= this.#timeline.now() + 1) return;
    const waiter = queue.waiters.find(({ request }) => config.userTurns === null || !request.userTurn);
    if (waiter === undefined) return;
    throw this.#violation(
      "nobody is forgotten",
      `${waiter.request.requestId} waits at ${room.id} beside a free slot`,
    );
  }

  /** Once nothing happens any more. */
  quiet(room: AccountRoom): void {
    const { leases, slotsUsed, queue } = room.state;
    const left = {
      leases: leases.size,
      slotsUsed,
      waiters: queue.waiters.length,
      used: this.used(room.id),
      unanswered: room.isIdle ? 0 : 1,
    };
    if (Object.values(left).some((count) => count !== 0)) {
      const detail = `${room.id} holds ${JSON.stringify(left)}`;
      throw this.#violation("nothing is left", detail);
    }
  }
}

/** Those who wait for the same: a slot, or a person's turn as well. */
function sameKind(room: AccountRoom, waiter: { request: LeaseRequest }, request: LeaseRequest): boolean {
  if (waiter.request.requestId === request.requestId) return false;
  return room.state.config.userTurns === null || waiter.request.userTurn === request.userTurn;
}
