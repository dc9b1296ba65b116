/** A key's object in virtual time: `durable-objects/key/object.ts` and its store around the real state machine. */
import type { KeyNews } from "../../durable-objects/key/contract.ts";
import type { Woken } from "../../durable-objects/key/admission.ts";
import { add, NOTHING } from "../../durable-objects/key/spending.ts";
import { RecentIds } from "../../durable-objects/recent-ids.ts";
import type { Deployment, KeyState } from "../../durable-objects/key/state.ts";
import { EMPTY_QUEUE } from "../../durable-objects/wait-queue.ts";
import type { EpochMs, KeyId, RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
import type { AdmitDecision, AdmitRequest } from "../../worker/domain/permit.ts";
import { WARRANT_MS, type Warrant } from "../../worker/domain/warrant.ts";
import { Commit } from "./commit.ts";
import type { KeyChecks } from "./key-checks.ts";
import type { Reachable } from "./network.ts";
import { Waiting } from "./waiting.ts";
import { newWarrants } from "./new-warrants.ts";
import type { RoomSurroundings } from "./rooms.ts";

export const DEPLOYMENT: Deployment = { timeZone: "UTC", queueTimeoutMs: 30_000, rates: {} };

const DOWN_RETRY_MS = 1000;

export class KeyRoom implements Reachable {
  readonly id: KeyId;
  readonly pending = new Set<() => void>();
  isUp = true;
  readonly #world: RoomSurroundings;
  readonly #checks: KeyChecks;
  readonly #commit: Commit;
  readonly #waiting = new Waiting<Woken["admission"]>();
  #warrants = newWarrants();
  #settled = new RecentIds([]);
  #state: KeyState;
  #written: { readonly state: KeyState; readonly settled: readonly RequestId[] };
  /** Records on their way to the outbox. */
  #unwritten: RequestId[] = [];
  #timer = 0;
  #timerAt: EpochMs = Infinity;
  #armedFor: EpochMs = Infinity;

  constructor(config: KeyConfig, world: RoomSurroundings, checks: KeyChecks) {
    this.id = config.id;
    this.#world = world;
    this.#checks = checks;
    this.#state = world.machines.key.emptyState(config);
    this.#written = { state: this.#state, settled: [] };
    const write = () => {
      this.#write();
    };
    this.#commit = new Commit(world.timeline, write, () => this.writeBehindMs);
  }

  get state(): KeyState {
    return this.#state;
  }

  /** What a restart may forget. */
  get writeBehindMs(): number {
    return this.#world.machines.key.writeBehindMs(this.#state);
  }

  get timerAt(): EpochMs {
    return this.#timerAt;
  }

  get isIdle(): boolean {
    return this.#waiting.isEmpty && this.pending.size === 0 && this.#unwritten.length === 0;
  }

  #write(): void {
    this.#written = { state: this.#state, settled: this.#settled.newest };
    this.#checks.written(this, this.#unwritten);
    this.#unwritten = [];
    this.#arm();
  }

  admit(request: AdmitRequest, answer: (decision: AdmitDecision) => void): void {
    const now = this.#world.timeline.now();
    const unswept = this.#state;
    this.#sweep(now);
    if (this.#state !== unswept) this.#checks.sweptInPassing(this);
    const before = this.#state;
    const { state, decision } = this.#world.machines.key.admit(before, request, DEPLOYMENT, now);
    this.#apply(state);
    switch (decision.kind) {
      case "refused":
        answer(decision);
        break;
      case "admitted":
        if (request.metered) this.#checks.admitted(this, request.requestId, before);
        answer(this.#admission(decision, 0));
        break;
      case "waiting":
        this.#checks.waits(this, request.requestId);
        this.#waiting.wait(request.requestId, (admission) => {
          answer(this.#admission(admission, this.#world.timeline.now() - now));
        });
        this.#armWaitTimer();
        break;
    }
    this.#checks.nobodyIsForgotten(this);
  }

  #warrant(): Warrant | null {
    const now = this.#world.timeline.now();
    const isFree = this.#world.machines.key.admitsFreely(this.#state, now, now + WARRANT_MS);
    return isFree ? this.#warrants.give(now) : null;
  }

  #admission(admission: Woken["admission"], waitedMs: number): AdmitDecision {
    if (admission.kind === "refused") return admission;
    this.#world.onGrant(this);
    const warrant = this.#warrant();
    const scarce = this.#world.machines.key.isScarce(this.#state);
    return {
      kind: "admitted",
      scarce,
      waitedMs,
      allowance: admission.allowance,
      explain: false,
      warrant,
    };
  }

  extend(requestId: RequestId, cost: NanoDollars, answer: (allowance: NanoDollars) => void): void {
    const now = this.#world.timeline.now();
    const surroundings = { deployment: DEPLOYMENT, now };
    const before = this.#state;
    const { state, decision } = this.#world.machines.key.extend(before, requestId, cost, surroundings);
    this.#apply(state);
    this.#checks.extended(this, before);
    answer(decision);
  }

  /** Answers once it is written, where there is something that must be. */
  news(news: KeyNews, answer: (value: Warrant | null) => void): void {
    const now = this.#world.timeline.now();
    const machine = this.#world.machines.key;
    const running = news.admissions.filter(({ requestId }) => !this.#settled.has(requestId));
    this.#checks.taken(this, running);
    let state = machine.take(this.#state, running, now);
    for (const requestId of news.cancellations) {
      state = machine.cancel(state, requestId);
      this.#abandon(requestId);
    }
    if (news.checkpoints.length > 0) {
      const drafts = news.checkpoints.map(({ draft }) => draft);
      state = machine.checkpoint(state, drafts, now);
      this.#checks.heard(this, drafts);
    }
    for (const settlement of news.settlements) {
      if (!this.#settled.add(settlement.requestId)) continue;
      this.#checks.settles(this, settlement, state.permits.has(settlement.requestId));
      state = machine.settle(state, settlement, DEPLOYMENT, now);
      this.#unwritten.push(settlement.requestId);
    }
    this.#apply(state);
    this.#wake();
    const warrant = this.#warrant();
    if (news.settlements.length === 0) answer(warrant);
    else
      this.#commit.written(() => {
        answer(warrant);
      });
  }

  /** An admin looks at the key. */
  status(): void {
    this.#sweep(this.#world.timeline.now());
  }

  configure(config: KeyConfig): void {
    const now = this.#world.timeline.now();
    this.#apply(this.#world.machines.key.configure(this.#state, config, DEPLOYMENT, now));
    this.#warrants.recall(now);
    this.#wake();
  }

  /** As the store loads it: what the permits reserve is added up anew, and nobody waits. */
  restart(downMs: number): void {
    const before = this.#state;
    const { state, settled } = this.#written;
    let sweepAt = Infinity;
    let reserved = NOTHING;
    for (const permit of state.permits.values()) {
      sweepAt = Math.min(sweepAt, permit.deadline);
      reserved = add(reserved, permit.reserved);
    }
    this.#state = {
      ...this.#world.machines.key.emptyState(state.config),
      ...state,
      queue: EMPTY_QUEUE,
      reserved,
      sweepAt,
    };
    this.#settled = new RecentIds(settled);
    this.#warrants = newWarrants();
    this.#commit.forget();
    this.#unwritten = [];
    this.#waiting.forget();
    this.#timer++;
    this.#timerAt = Infinity;
    this.#checks.restarted(this, before);
    this.isUp = false;
    for (const breakOff of this.pending) breakOff();
    this.pending.clear();
    this.#world.timeline.after(downMs, () => {
      this.isUp = true;
    });
  }

  #abandon(requestId: RequestId): void {
    const error = { code: "invalid_request", message: "The client left.", retryAfterMs: null } as const;
    this.#waiting.answer(requestId, { kind: "refused", error });
  }

  #sweep(now: EpochMs): void {
    const { state, decision: lost } = this.#world.machines.key.sweep(this.#state, DEPLOYMENT, now);
    for (const settlement of lost) {
      this.#settled.add(settlement.requestId);
      this.#checks.sweeps(this, settlement);
      this.#unwritten.push(settlement.requestId);
    }
    this.#apply(state);
  }

  #apply(state: KeyState): void {
    if (state === this.#state) return;
    const before = this.#state;
    this.#state = state;
    this.#commit.schedule();
    this.#checks.changed(this, before);
  }

  #wake(): void {
    const before = this.#state;
    const { state, decision } = this.#world.machines.key.wake(before, DEPLOYMENT, this.#world.timeline.now());
    this.#apply(state);
    this.#checks.woken(this, before, decision);
    for (const { requestId, admission } of decision) this.#waiting.answer(requestId, admission);
    this.#armWaitTimer();
    this.#checks.nobodyIsForgotten(this);
  }

  #armWaitTimer(): void {
    const now = this.#world.timeline.now();
    const at =
      this.#state.queue.waiters.length === 0 ? Infinity : this.#world.machines.key.nextWakeAt(this.#state);
    const timer = ++this.#timer;
    this.#timerAt = at;
    if (at === Infinity || this.#waiting.isEmpty) return;
    this.#world.timeline.at(Math.max(now + 1, at) + this.#world.timerLatenessMs(), () => {
      if (this.#timer === timer) this.#wake();
    });
  }

  #arm(): void {
    const at = this.#state.sweepAt;
    if (at === Infinity || at >= this.#armedFor) return;
    this.#armedFor = at;
    this.#ring(at + this.#world.alarmLatenessMs());
  }

  #ring(at: EpochMs): void {
    this.#world.timeline.at(at, () => {
      if (this.isUp) this.#alarm();
      else this.#ring(this.#world.timeline.now() + DOWN_RETRY_MS);
    });
  }

  #alarm(): void {
    const now = this.#world.timeline.now();
    if (now < this.#armedFor) return;
    this.#armedFor = Infinity;
    this.#sweep(now);
    this.#wake();
    this.#arm();
  }
}
