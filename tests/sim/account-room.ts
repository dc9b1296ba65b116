/** An account's object in virtual time: `durable-objects/account/object.ts` around the real state machine. */
import { fromRow, isWorthWriting, toRow } from "../../durable-objects/account/persisted.ts";
import type { AccountNews } from "../../durable-objects/account/contract.ts";
import type { Woken } from "../../durable-objects/account/leases.ts";
import type { SessionPointers } from "../../durable-objects/account/sessions.ts";
import type { AccountState } from "../../durable-objects/account/state.ts";
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { AccountId, EpochMs, RequestId } from "../../worker/domain/ids.ts";
import type { LeaseDecision, LeaseRequest } from "../../worker/domain/lease.ts";
import { WARRANT_MS, type Warrant } from "../../worker/domain/warrant.ts";
import type { AccountChecks } from "./account-checks.ts";
import { Commit } from "./commit.ts";
import type { Reachable } from "./network.ts";
import { Waiting } from "./waiting.ts";
import { PointerTable } from "./pointer-table.ts";
import { newWarrants } from "./new-warrants.ts";
import type { RoomSurroundings } from "./rooms.ts";
import { SESSION_TTL_MS, type SessionChecks } from "./session-checks.ts";

const ALARM_SLACK_MS = 1000;

/** A lease without what the simulation has no use for. */
export type LeaseAnswer =
  | Exclude<LeaseDecision, { kind: "granted" }>
  | {
      readonly kind: "granted";
      readonly scarce: boolean;
      readonly active: number;
      readonly waitedMs: number;
      readonly warrant: Warrant | null;
    };

export class AccountRoom implements Reachable {
  readonly id: AccountId;
  readonly pending = new Set<() => void>();
  isUp = true;
  readonly #world: RoomSurroundings;
  readonly #checks: AccountChecks;
  readonly #sessionChecks: SessionChecks;
  readonly #table = new PointerTable();
  readonly #commit: Commit;
  readonly #waiting = new Waiting<Woken["grant"]>();
  #warrants = newWarrants();
  #sessions: SessionPointers;
  #state: AccountState;
  #written: AccountState;
  #timer = 0;
  #timerAt: EpochMs = Infinity;
  #armedFor: EpochMs = Infinity;

  constructor(
    config: AccountConfig,
    world: RoomSurroundings,
    checks: { readonly accounts: AccountChecks; readonly sessions: SessionChecks },
  ) {
    this.id = config.id;
    this.#world = world;
    this.#checks = checks.accounts;
    this.#sessionChecks = checks.sessions;
    this.#sessions = new world.machines.SessionPointers(this.#table, () => SESSION_TTL_MS);
    this.#state = world.machines.account.emptyState(config);
    this.#written = this.#state;
    this.#commit = new Commit(world.timeline, () => {
      this.#written = this.#state;
    });
  }

  get state(): AccountState {
    return this.#state;
  }

  /** When those who wait are looked at next without anybody asking. */
  get timerAt(): EpochMs {
    return this.#timerAt;
  }

  get isIdle(): boolean {
    return this.#waiting.isEmpty && this.pending.size === 0;
  }

  lease(request: LeaseRequest, answer: (answer: LeaseAnswer) => void): void {
    const now = this.#world.timeline.now();
    if (request.home && request.affinity !== null) {
      const livesAt = this.#sessions.find(request.affinity, now) ?? this.#settle(request, now);
      this.#sessionChecks.homeSays(this.id, request, livesAt);
      if (livesAt !== null && livesAt !== this.id) {
        answer({ kind: "moved", accountId: livesAt });
        return;
      }
    }
    const before = this.#state;
    const { state, decision } = this.#world.machines.account.lease(before, request, now);
    this.#apply(state);
    switch (decision.kind) {
      case "refused":
        answer(decision);
        break;
      case "granted":
        this.#checks.granted(this, request, before);
        answer(this.#handOut(0));
        break;
      case "waiting":
        this.#checks.waits(this, request.requestId);
        this.#waiting.wait(request.requestId, (grant) => {
          answer(grant.kind === "refused" ? grant : this.#handOut(this.#world.timeline.now() - now));
        });
        this.#armWaitTimer();
        break;
    }
    this.#checks.nobodyIsForgotten(this);
  }

  #settle({ affinity, place }: LeaseRequest, now: EpochMs): AccountId | null {
    if (place !== null && affinity !== null) this.#sessions.put(affinity, place, now);
    return place;
  }

  #handOut(waitedMs: number): LeaseAnswer {
    this.#world.onGrant(this);
    const scarce = this.#world.machines.account.isScarce(this.#state);
    return { kind: "granted", scarce, active: this.#state.slotsUsed, waitedMs, warrant: this.#warrant() };
  }

  #warrant(): Warrant | null {
    const now = this.#world.timeline.now();
    const isFree = this.#world.machines.account.leasesFreely(this.#state, now + WARRANT_MS);
    return isFree && this.#sessions.count === 0 ? this.#warrants.give(now) : null;
  }

  news(news: AccountNews, answer: (value: Warrant | null) => void): void {
    const now = this.#world.timeline.now();
    const machine = this.#world.machines.account;
    this.#checks.taken(this, news.taken);
    let state = machine.take(this.#state, news.taken, now);
    if (news.renewals.length > 0) state = machine.renew(state, news.renewals, now);
    this.#checks.renewed(this, news.renewals);
    for (const requestId of news.turnsAnswered) state = machine.turnAnswered(state, requestId, now);
    for (const each of news.releases) {
      state = machine.release(state, each, now);
      this.#checks.released(this, each.requestId);
      this.#abandon(each.requestId);
    }
    for (const { affinity, to } of news.handOvers) {
      this.#sessions.put(affinity, to, now);
      this.#sessionChecks.handedOver(this.id, affinity, to);
    }
    this.#apply(state);
    this.#wake();
    answer(this.#warrant());
  }

  /** An admin looks at the account. */
  status(): void {
    this.#apply(this.#world.machines.account.sweep(this.#state, this.#world.timeline.now()));
  }

  configure(config: AccountConfig): void {
    this.#apply({ ...this.#state, config });
    this.#warrants.recall(this.#world.timeline.now());
    this.#commit.schedule();
    this.#wake();
  }

  /** A person says that it is fine again. */
  reset(): void {
    this.#apply(this.#world.machines.account.reset(this.#state));
    this.#commit.schedule();
  }

  /** Everything in memory is gone: what was not written, the waiters, and the calls that wait for an answer. */
  restart(downMs: number): void {
    const before = this.#state;
    this.#state = fromRow(toRow(this.#written)) ?? this.#written;
    this.#written = this.#state;
    this.#sessions = new this.#world.machines.SessionPointers(this.#table, () => SESSION_TTL_MS);
    this.#warrants = newWarrants();
    this.#commit.forget();
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
    this.#waiting.answer(requestId, { kind: "refused", reason: "full", retryAt: null, load: 0 });
  }

  #apply(state: AccountState): void {
    if (state === this.#state) return;
    const before = this.#state;
    if (isWorthWriting(before, state)) this.#commit.schedule();
    this.#state = state;
    this.#checks.changed(this, before);
    this.#arm();
  }

  #wake(): void {
    const { state, decision } = this.#world.machines.account.wake(this.#state, this.#world.timeline.now());
    const before = this.#state;
    this.#apply(state);
    this.#checks.woken(this, before, decision);
    for (const { requestId, grant } of decision) this.#waiting.answer(requestId, grant);
    this.#armWaitTimer();
    this.#checks.nobodyIsForgotten(this);
  }

  #armWaitTimer(): void {
    const now = this.#world.timeline.now();
    const { waiters } = this.#state.queue;
    const at = waiters.length === 0 ? Infinity : this.#world.machines.account.nextWakeAt(this.#state, now);
    const timer = ++this.#timer;
    this.#timerAt = at;
    if (at === Infinity || this.#waiting.isEmpty) return;
    this.#world.timeline.at(Math.max(now + 1, at) + this.#world.timerLatenessMs(), () => {
      if (this.#timer === timer) this.#wake();
    });
  }

  #arm(): void {
    const at = this.#state.sweepAt;
    if (at === Infinity || at >= this.#armedFor - ALARM_SLACK_MS) return;
    this.#armedFor = at;
    this.#ring(at + this.#world.alarmLatenessMs());
  }

  #ring(at: EpochMs): void {
    this.#world.timeline.at(at, () => {
      if (this.isUp) this.#alarm();
      else this.#ring(this.#world.timeline.now() + ALARM_SLACK_MS);
    });
  }

  #alarm(): void {
    const now = this.#world.timeline.now();
    if (now < this.#armedFor) return;
    this.#armedFor = Infinity;
    this.#sessions.sweep(now);
    this.#wake();
    this.#arm();
  }
}
