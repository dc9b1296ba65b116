/**
 * What is promised of a key's permits and queue, checked as it happens.
 *
 * Permits: a key never runs more requests than its concurrency, where a request runs from the grant of its permit
 * until its worker has closed its books, or is dead. Out of the count fall only those whose permit the object
 * cannot know of any more: granted at most 25 ms before it restarted (100 ms where nothing is counted), or unheard of for 90 s.
 *
 * Records: every request whose permit was granted, and not forgotten by a restart within that time, ends as
 * exactly one record: settled or swept. One that was forgotten ends as at most one, and so does one that was let in
 * under a warrant by a worker that died before the key heard of it. A question that arrives once
 * more after its request was booked gets a permit that nobody uses; it is swept, and the ledger, which knows the
 * request, refuses the second record.
 */
import type { Woken } from "../../durable-objects/key/admission.ts";
import { PERMIT_TTL_MS } from "../../durable-objects/key/permits.ts";
import { add, NOTHING, type Spending } from "../../durable-objects/key/spending.ts";
import type { KeyState } from "../../durable-objects/key/state.ts";
import type { KeyId, RequestId } from "../../worker/domain/ids.ts";
import type { Settlement } from "../../worker/domain/permit.ts";
import type { UsageRecord } from "../../worker/domain/usage.ts";
import { BudgetChecks } from "./budget-checks.ts";
import type { HeldPermit, Journey } from "./journey.ts";
import type { KeyRoom } from "./key-room.ts";
import type { Timeline } from "./timeline.ts";
import type { Violation } from "./violation.ts";

const MEASURES = ["requests", "tokens", "cost", "premiumCost"] as const;

export class KeyChecks {
  readonly #timeline: Timeline;
  readonly #live: ReadonlyMap<RequestId, Journey>;
  readonly #violation: (invariant: string, detail: string) => Violation;
  readonly #budgets: BudgetChecks;
  readonly #running = new Map<KeyId, number>();
  /** Requests whose permit was granted; false: a restart forgot it. */
  readonly #granted = new Map<RequestId, boolean>();
  readonly #records = new Map<RequestId, number>();
  /** Requests that were settled or swept, written or not. */
  readonly #booked = new Set<RequestId>();
  readonly #grantedAfterwards = new Set<RequestId>();
  readonly #sweptInPassing = new Set<KeyId>();
  /** Permits that fell out of the count, by reason; and records that the ledger refused, which has them already. */
  readonly excused = { restart: 0, silence: 0, secondRecord: 0, overlooked: 0 };

  constructor(
    timeline: Timeline,
    live: ReadonlyMap<RequestId, Journey>,
    violation: (invariant: string, detail: string) => Violation,
  ) {
    this.#timeline = timeline;
    this.#live = live;
    this.#violation = violation;
    this.#budgets = new BudgetChecks(timeline, violation);
  }

  get records(): number {
    return this.#records.size;
  }

  admitted(room: KeyRoom, requestId: RequestId, before: KeyState): void {
    if (before.queue.waiters.length > 0 && !before.permits.has(requestId)) {
      throw this.#violation("first come, first served", `${requestId} overtook those who wait at ${room.id}`);
    }
    if (!before.permits.has(requestId)) this.#budgets.admitted(room, requestId);
    this.#runs(room, requestId);
  }

  /** A worker let it in under a warrant: the key will hear of it, unless the worker dies before. */
  entered(requestId: RequestId): void {
    if (!this.#granted.has(requestId)) this.#granted.set(requestId, false);
  }

  /** What a key heard of such requests: from now on each must end as a record. */
  taken({ id, state: { config } }: KeyRoom, requests: readonly { readonly requestId: RequestId }[]): void {
    for (const { requestId } of requests) {
      if (config.concurrency > 0 || BudgetChecks.hasLimits(config)) {
        throw this.#violation("only what is not counted is let in unasked", `${requestId} at ${id}`);
      }
      if (this.#booked.has(requestId)) this.#grantedAfterwards.add(requestId);
      this.#granted.set(requestId, true);
    }
  }

  #runs(room: KeyRoom, requestId: RequestId): void {
    if (this.#booked.has(requestId)) this.#grantedAfterwards.add(requestId);
    this.#granted.set(requestId, true);
    const journey = this.#live.get(requestId);
    // Whoever does not wait for this answer any more never begins: the permit ends on its own.
    if (journey === undefined || !journey.isWaitingForPermit || journey.permit !== null) return;
    const held = room.state.permits.get(requestId);
    if (held === undefined) throw this.#violation("a grant is held", `${requestId} at ${room.id}`);
    journey.permit = { heardAt: held.deadline - PERMIT_TTL_MS, isExcused: false };
    const running = this.#runningAt(room.id) + 1;
    this.#running.set(room.id, running);
    const { concurrency } = room.state.config;
    if (concurrency > 0 && running > concurrency) {
      throw this.#violation(
        "concurrency",
        `${room.id} may run ${String(concurrency)} and runs ${String(running)}`,
      );
    }
  }

  #runningAt(key: KeyId): number {
    return this.#running.get(key) ?? 0;
  }

  /** The worker has closed its books, or is dead. */
  stopsRunning(journey: Journey): void {
    const { permit } = journey;
    journey.isWaitingForPermit = false;
    journey.permit = null;
    if (permit !== null) this.#uncount(journey.key, permit);
  }

  #uncount(room: KeyRoom, permit: HeldPermit): void {
    if (!permit.isExcused) this.#running.set(room.id, this.#runningAt(room.id) - 1);
  }

  #excuse(room: KeyRoom, permit: HeldPermit, reason: "restart" | "silence"): void {
    if (permit.isExcused) return;
    this.#uncount(room, permit);
    permit.isExcused = true;
    this.excused[reason]++;
  }

  heard(room: KeyRoom, drafts: readonly UsageRecord[]): void {
    for (const { requestId } of drafts) {
      const permit = this.#live.get(requestId)?.permit ?? null;
      if (permit !== null && room.state.permits.has(requestId)) permit.heardAt = this.#timeline.now();
    }
  }

  settles(room: KeyRoom, settlement: Settlement, hadPermit: boolean): void {
    this.#budgets.spent(room, settlement, hadPermit);
    this.#booked.add(settlement.requestId);
  }

  sweeps(room: KeyRoom, settlement: Settlement): void {
    this.#budgets.spent(room, settlement, true);
    this.#booked.add(settlement.requestId);
    const permit = this.#live.get(settlement.requestId)?.permit ?? null;
    if (permit === null || permit.isExcused) return;
    if (this.#timeline.now() - permit.heardAt < PERMIT_TTL_MS) {
      throw this.#violation("permits live 90 s", `${room.id} swept ${settlement.requestId}, which runs`);
    }
    this.#excuse(room, permit, "silence");
  }

  extended(room: KeyRoom, before: KeyState): void {
    this.#budgets.extended(room, before);
  }

  /** What the group commit holds is on disk, records among it. */
  written(room: KeyRoom, records: readonly RequestId[]): void {
    this.#budgets.written(room);
    for (const requestId of records) {
      const count = (this.#records.get(requestId) ?? 0) + 1;
      this.#records.set(requestId, count);
      if (count === 1) continue;
      if (this.#grantedAfterwards.has(requestId)) this.excused.secondRecord++;
      else throw this.#violation("one record a request", `${room.id} booked ${requestId} again`);
    }
  }

  restarted(room: KeyRoom, before: KeyState): void {
    this.#budgets.restarted(room, before);
    const now = this.#timeline.now();
    for (const requestId of before.permits.keys()) {
      const held = room.state.permits.get(requestId);
      if (held === undefined) this.#granted.set(requestId, false);
      const permit = this.#live.get(requestId)?.permit ?? null;
      if (permit === null || permit.isExcused) continue;
      const heardAt = held === undefined ? -Infinity : held.deadline - PERMIT_TTL_MS;
      if (heardAt < permit.heardAt && now - permit.heardAt > room.writeBehindMs) {
        throw this.#violation("write-behind", `${room.id} forgot the permit of ${requestId}`);
      }
      if (held === undefined) this.#excuse(room, permit, "restart");
      else permit.heardAt = heardAt;
    }
  }

  /** After every change of a key's state. */
  changed(room: KeyRoom, before: KeyState): void {
    const { state } = room;
    this.#budgets.changed(room);
    if (state.permits === before.permits && state.reserved === before.reserved) return;
    let sum: Spending = NOTHING;
    for (const permit of state.permits.values()) sum = add(sum, permit.reserved);
    for (const measure of MEASURES) {
      if (sum[measure] === state.reserved[measure] && sum[measure] >= 0) continue;
      const detail = `${room.id} reserves ${String(state.reserved[measure])} ${measure}, its permits ${String(sum[measure])}`;
      throw this.#violation("reserved is the sum of the permits'", detail);
    }
  }

  waits(room: KeyRoom, requestId: RequestId): void {
    const count = room.state.queue.waiters.filter(({ request }) => request.requestId === requestId).length;
    if (count > 1) throw this.#violation("one place in a queue", `${requestId} waits twice at ${room.id}`);
  }

  woken(room: KeyRoom, before: KeyState, decision: readonly Woken[]): void {
    this.#sweptInPassing.delete(room.id);
    const served = new Set(decision.map(({ requestId }) => requestId));
    let lastServed = -Infinity;
    for (const { requestId, admission } of decision) {
      if (admission.kind === "refused") continue;
      const waiter = before.queue.waiters.find(({ request }) => request.requestId === requestId);
      lastServed = Math.max(lastServed, waiter?.since ?? Infinity);
      this.#runs(room, requestId);
    }
    for (const { since, request } of before.queue.waiters) {
      if (since >= lastServed || served.has(request.requestId)) continue;
      throw this.#violation("first come, first served", `${request.requestId} was passed over at ${room.id}`);
    }
  }

  /** An admission swept a slot free; it does not wake those who wait. */
  sweptInPassing(room: KeyRoom): void {
    this.#sweptInPassing.add(room.id);
  }

  /**
   * Nobody waits for a slot that is free, unless the timer that serves them is about to fire, or the slot was swept
   * free by a newcomer's admission in the instant before that: then they wait for what happens next.
   */
  nobodyIsForgotten(room: KeyRoom): void {
    const { config, permits, queue } = room.state;
    const [waiter] = queue.waiters;
    const hasSlot = config.concurrency === 0 || permits.size < config.concurrency;
    // Where there are budgets, they may be what is waited for.
    if (waiter === undefined || !hasSlot || BudgetChecks.hasLimits(config)) return;
    if (room.timerAt <= this.#timeline.now() + 1) return;
    if (this.#sweptInPassing.has(room.id)) {
      this.excused.overlooked++;
      return;
    }
    throw this.#violation(
      "nobody is forgotten",
      `${waiter.request.requestId} waits at ${room.id} beside a free slot`,
    );
  }

  /** Once nothing happens any more. */
  quiet(room: KeyRoom): void {
    const { permits, queue, reserved } = room.state;
    const left = {
      permits: permits.size,
      waiters: queue.waiters.length,
      running: this.#runningAt(room.id),
      reserved: reserved.cost + reserved.tokens,
      unanswered: room.isIdle ? 0 : 1,
    };
    if (Object.values(left).some((count) => count !== 0)) {
      const detail = `${room.id} holds ${JSON.stringify(left)}`;
      throw this.#violation("nothing is left", detail);
    }
  }

  /** Once nothing happens at any key any more. */
  allBooked(): void {
    for (const [requestId, isKnown] of this.#granted) {
      if (isKnown && !this.#records.has(requestId)) {
        throw this.#violation("one record a request", `${requestId} was admitted and never booked`);
      }
    }
    for (const requestId of this.#records.keys()) {
      if (this.#granted.has(requestId)) continue;
      throw this.#violation("one record a request", `${requestId} was booked and never admitted`);
    }
  }
}
