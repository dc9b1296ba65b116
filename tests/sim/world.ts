/** Everything of one run: its time, its objects and isolates, its network, and those who watch over it. */
import type { AccountConfig, Directory } from "../../worker/domain/account.ts";
import {
  affinityInFamily,
  type AccountId,
  type EpochMs,
  type KeyId,
  type RequestId,
} from "../../worker/domain/ids.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { Choice } from "../../worker/relay/schedule.ts";
import { AccountChecks } from "./account-checks.ts";
import { AccountRoom } from "./account-room.ts";
import { NO_FAULTS, restartSoon, setGoing, type Faults } from "./faults.ts";
import { Isolate } from "./isolate.ts";
import type { Journey } from "./journey.ts";
import { KeyChecks } from "./key-checks.ts";
import { KeyRoom } from "./key-room.ts";
import { MACHINES, type Machines } from "./machines.ts";
import { Network, type Reachable } from "./network.ts";
import { directoryOf, type Pool, type Session } from "./pool.ts";
import { familyOf } from "./prices.ts";
import { Random } from "./random.ts";
import { relay, type Result } from "./relay.ts";
import type { Restartable } from "./rooms.ts";
import { SessionChecks } from "./session-checks.ts";
import { Statistics } from "./statistics.ts";
import type { Answer } from "./stream.ts";
import { Life, start, until, type Task } from "./tasks.ts";
import { Timeline } from "./timeline.ts";
import { Upstream } from "./upstream.ts";
import { Violation } from "./violation.ts";

export interface WorldOptions {
  readonly seed: number;
  readonly startAt: EpochMs;
  readonly pool: Pool;
  readonly faults?: Faults;
  readonly machines?: Machines;
}

/** One request of a session. */
export interface Turn {
  readonly session: Session;
  readonly model: string;
  readonly isMetered: boolean;
  readonly isUserTurn: boolean;
  readonly answer: Answer;
  /** When the client leaves, if the answer is not whole by then; Infinity: it stays. */
  readonly leavesAfterMs: number;
  readonly onEnd: () => void;
}

const ISOLATES = 4;
/** A worker that dies does so before one of its first steps: most requests have about as many. */
const STEPS = 16;
const TIMER_LATENESS_MS = 4;
const ALARM_LATENESS_MS = 60;

export class World {
  readonly seed: number;
  readonly pool: Pool;
  readonly faults: Faults;
  readonly timeline: Timeline;
  readonly network: Network;
  readonly upstream: Upstream;
  readonly statistics = new Statistics();
  readonly isolates: readonly Isolate[];
  readonly accountChecks: AccountChecks;
  readonly sessionChecks: SessionChecks;
  readonly keyChecks: KeyChecks;
  readonly #random: Random;
  readonly #machines: Machines;
  readonly #live = new Map<RequestId, Journey>();
  readonly #accounts = new Map<AccountId, AccountRoom>();
  readonly #keys = new Map<KeyId, KeyRoom>();
  readonly #configs: Map<AccountId, AccountConfig>;
  #directory: Directory;
  #begun = 0;
  /** No more requests will come. */
  isEnding = false;

  constructor({ seed, startAt, pool, faults = NO_FAULTS, machines = MACHINES }: WorldOptions) {
    this.seed = seed;
    this.pool = pool;
    this.faults = faults;
    this.#machines = machines;
    this.#random = new Random(seed);
    this.timeline = new Timeline(startAt);
    this.network = new Network(this.timeline, this.#random, faults);
    this.upstream = new Upstream(this.#random);
    const violation = (invariant: string, detail: string) => this.#violation(invariant, detail);
    this.accountChecks = new AccountChecks(this.timeline, this.#live, violation);
    this.sessionChecks = new SessionChecks(this.timeline, violation);
    this.keyChecks = new KeyChecks(this.timeline, this.#live, violation);
    this.#configs = new Map(pool.accounts.map((config) => [config.id, config]));
    this.#directory = directoryOf(pool, pool.accounts, 1);
    this.isolates = Array.from({ length: ISOLATES }, () => new Isolate(this));
    this.#build();
    setGoing(this, this.#random, faults);
  }

  #build(): void {
    const surroundings = {
      timeline: this.timeline,
      machines: this.#machines,
      onGrant: (room: Restartable) => {
        restartSoon(this, room);
      },
      timerLatenessMs: () => this.#random.below(TIMER_LATENESS_MS),
      alarmLatenessMs: () => this.#random.below(ALARM_LATENESS_MS),
    };
    const checks = { accounts: this.accountChecks, sessions: this.sessionChecks };
    for (const config of this.pool.accounts) {
      this.#accounts.set(config.id, new AccountRoom(config, surroundings, checks));
    }
    for (const config of this.pool.keys) {
      this.#keys.set(config.id, new KeyRoom(config, surroundings, this.keyChecks));
    }
  }

  #violation(invariant: string, detail: string): Violation {
    return new Violation({ seed: this.seed, step: this.timeline.steps, invariant, detail });
  }

  get random(): Random {
    return this.#random;
  }

  get directory(): Directory {
    return this.#directory;
  }

  get rooms(): (AccountRoom | KeyRoom)[] {
    return [...this.#accounts.values(), ...this.#keys.values()];
  }

  account(id: AccountId): AccountRoom {
    const room = this.#accounts.get(id);
    if (room === undefined) throw new Error(`no account ${id}`);
    return room;
  }

  key(id: KeyId): KeyRoom {
    const room = this.#keys.get(id);
    if (room === undefined) throw new Error(`no key ${id}`);
    return room;
  }

  /** @param change to how the account was made; one without a limit never gets one, since it wrote no leases */
  configureAccount(made: AccountConfig, change: Partial<AccountConfig>): void {
    const { id, maxConcurrency } = made;
    const config = { ...made, ...change, ...(maxConcurrency === 0 ? { maxConcurrency } : {}) };
    this.#configs.set(id, config);
    this.#directory = directoryOf(this.pool, [...this.#configs.values()], this.#directory.version + 1);
    this.account(id).configure(config);
  }

  configureKey(made: KeyConfig, more: number): void {
    if (made.concurrency === 0 || made.hardBudget) return;
    this.key(made.id).configure({ ...made, concurrency: Math.max(1, made.concurrency + more) });
  }

  /** A client's request begins. */
  begin(turn: Turn): void {
    const { session, model, onEnd } = turn;
    const number = this.#begun++;
    const requestId = `req_${String(number).padStart(8, "0")}` as RequestId;
    const isolate = this.#random.pick(this.isolates);
    let isOver = false;
    const end = (result: Result | "dead"): void => {
      if (isOver) return;
      isOver = true;
      this.statistics.ended(result);
      this.#live.delete(requestId);
      onEnd();
    };
    const stepsLeft = this.#random.chance(this.faults.deathChance) ? this.#random.below(STEPS) : Infinity;
    const life = new Life(isolate.life, stepsLeft, () => {
      this.#lay(journey);
      end("dead");
    });
    const now = this.timeline.now();
    const journey: Journey = {
      requestId,
      number,
      startedAt: now,
      key: this.key(session.key.id),
      isolate,
      session,
      model,
      affinity: session.affinity === null ? null : affinityInFamily(session.affinity, familyOf(model)),
      isMetered: turn.isMetered,
      isUserTurn: turn.isUserTurn,
      life,
      isClientGone: false,
      onGone: null,
      isClosed: false,
      isUrgent: false,
      bookedAccount: null,
      reading: () => ({ tokens: 0, cost: 0 }),
      asking: null,
      use: null,
      isWaitingForPermit: false,
      permit: null,
    };
    this.#live.set(requestId, journey);
    this.timeline.note(number);
    if (turn.leavesAfterMs < Infinity)
      this.timeline.after(turn.leavesAfterMs, () => {
        this.#leave(journey);
      });
    start(relay(this, journey, turn.answer), life, end);
  }

  #leave(journey: Journey): void {
    if (journey.isClosed || journey.life.isOver) return;
    journey.isClientGone = true;
    journey.onGone?.();
  }

  /** Its worker is dead: it uses nothing any more, whatever the objects believe. */
  #lay(journey: Journey): void {
    this.accountChecks.stopsUsing(journey);
    this.sessionChecks.ends(journey);
    this.keyChecks.stopsRunning(journey);
  }

  killAllIn(isolate: Isolate): void {
    isolate.die();
    for (const journey of [...this.#live.values()]) if (journey.isolate === isolate) journey.life.end();
  }

  plan({ session, model, isolate }: Journey): Choice {
    return this.#machines.schedule(
      isolate.directory,
      {
        binding: session.key.binding,
        bindingFallback: session.key.bindingFallback,
        model,
        affinity: session.affinity,
        suits: () => true,
      },
      { random: this.#random.next, seen: isolate.seen },
    );
  }

  /** Asks an object, and once more if no answer came, as `askObject` does; null: none came again. */
  *askTwice<Reply>(room: Reachable, ask: (answer: (value: Reply) => void) => void): Task<Reply | null> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const reply = yield* until(this.network.call<Reply>(room, ask));
      if (reply.kind === "answer") return reply.answer;
    }
    return null;
  }

  *sleep(ms: number): Task<void> {
    yield* until<void>((resume) => {
      this.timeline.after(ms, resume);
    });
  }

  /** Lets time pass, but no longer than the client stays. @returns whether it left */
  *during(journey: Journey, ms: number): Task<boolean> {
    if (journey.isClientGone) return true;
    return yield* until<boolean>((resume) => {
      let isOver = false;
      const finish = (left: boolean): void => {
        if (isOver) return;
        isOver = true;
        journey.onGone = null;
        resume(left);
      };
      journey.onGone = () => {
        finish(true);
      };
      this.timeline.after(ms, () => {
        finish(false);
      });
    });
  }

  /**
   * Runs until nothing happens any more, and checks that nothing is left. A restart within 25 ms of a sweep brings
   * back what was swept, without an alarm to sweep it again: the next call does, whatever it asks.
   */
  run(): void {
    while (this.timeline.step());
    for (const room of this.rooms) room.status();
    while (this.timeline.step());
    for (const room of this.#accounts.values()) this.accountChecks.quiet(room);
    for (const room of this.#keys.values()) this.keyChecks.quiet(room);
    if (this.#live.size > 0)
      throw this.#violation("nothing is left", `${String(this.#live.size)} requests never ended`);
    this.keyChecks.allBooked();
  }
}
