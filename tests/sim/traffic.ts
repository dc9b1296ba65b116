/** Who asks for what, when: conversations that take turns, so many at a time, until the last request is made. */
import { anyModel, sessionOf, type Session } from "./pool.ts";
import { EVENT_MS, type Model } from "./prices.ts";
import type { World } from "./world.ts";

export interface TrafficOptions {
  readonly requests: number;
  readonly sessions: number;
  /** Share of the accounts' slots that is in use, on average, if nothing goes wrong. */
  readonly load: number;
  /** Clients name their sessions. */
  readonly named: boolean;
  /** That a turn is joined by another one of the same session, as agents do. */
  readonly parallelChance: number;
  /** That a call only counts tokens. */
  readonly countChance: number;
}

const SECOND = 1000;
/** Answers have 40 events on average, and one in twenty has many more. */
const EVENTS_MEAN = 40;
const LONG_ONE_IN = 20;
const EVENTS_LONG_MEAN = 400;
const FIRST_BYTE_MEAN_MS = 1500;
/** What a turn takes in all, on average. */
const TURN_MS = FIRST_BYTE_MEAN_MS + (EVENTS_MEAN + EVENTS_LONG_MEAN / LONG_ONE_IN) * EVENT_MS;

/** Between two turns: tools answer at once, people think, and now and then they have lunch. */
const GAPS = [
  { share: 0.67, meanMs: 3 * SECOND, isPerson: false },
  { share: 0.3, meanMs: 60 * SECOND, isPerson: true },
  { share: 0.03, meanMs: 900 * SECOND, isPerson: true },
] as const;
const GAP_MS = GAPS.reduce((sum, { share, meanMs }) => sum + share * meanMs, 0);

/** Slots that an account without a limit counts as. */
const SLOTS_UNLIMITED = 8;

export class Traffic {
  readonly #world: World;
  readonly #options: TrafficOptions;
  readonly #turnsMean: number;
  /** Conversations. */
  readonly #atOnce: number;
  #requestsLeft: number;
  #sessions = 0;

  constructor(world: World, options: TrafficOptions) {
    this.#world = world;
    this.#options = options;
    this.#requestsLeft = options.requests;
    this.#turnsMean = options.requests / options.sessions;
    const slots = world.pool.accounts.reduce(
      (sum, each) => sum + (each.maxConcurrency || SLOTS_UNLIMITED),
      0,
    );
    this.#atOnce = Math.ceil((options.load * slots * (TURN_MS + GAP_MS)) / TURN_MS);
  }

  start(): void {
    const { timeline, random } = this.#world;
    for (let number = 0; number < this.#atOnce; number++) {
      timeline.after(random.interval(GAP_MS), () => {
        this.#converse();
      });
    }
  }

  #converse(): void {
    const { random, pool } = this.#world;
    // The first key has no limits: half of the work is its.
    const key = random.chance(0.5) ? pool.keys[0] : random.pick(pool.keys);
    const session = sessionOf(
      this.#sessions++,
      key ?? random.pick(pool.keys),
      anyModel(random),
      this.#options.named,
    );
    this.#takeTurn(session, Math.max(1, Math.round(random.interval(this.#turnsMean))), true);
  }

  #takeTurn(session: Session, turnsLeft: number, isPerson: boolean): void {
    const { random } = this.#world;
    let left = turnsLeft - 1;
    this.#ask(session, session.model, isPerson, () => {
      const gap = this.#gap();
      this.#world.timeline.after(random.interval(gap.meanMs), () => {
        if (left > 0) this.#takeTurn(session, left, gap.isPerson);
        else this.#converse();
      });
    });
    if (left > 0 && random.chance(this.#options.parallelChance)) {
      left--;
      this.#ask(session, anyModel(random), false, () => undefined);
    }
  }

  #gap(): (typeof GAPS)[number] {
    let draw = this.#world.random.next();
    for (const gap of GAPS) {
      if (draw < gap.share) return gap;
      draw -= gap.share;
    }
    return GAPS[0];
  }

  #ask(session: Session, model: Model, isPerson: boolean, onEnd: () => void): void {
    if (this.#requestsLeft === 0) {
      this.#world.isEnding = true;
      return;
    }
    this.#requestsLeft--;
    const { random, faults } = this.#world;
    const isLong = random.below(LONG_ONE_IN) === 0;
    const events = random.interval(isLong ? EVENTS_LONG_MEAN : EVENTS_MEAN);
    const isMetered = !random.chance(this.#options.countChance);
    this.#world.begin({
      session,
      model,
      isMetered,
      isUserTurn: isPerson && isMetered,
      answer: {
        firstByteMs: random.interval(FIRST_BYTE_MEAN_MS),
        events: isMetered ? events : 0,
        breaksAfter: random.chance(faults.breakChance) ? random.below(events) : Infinity,
      },
      leavesAfterMs: random.chance(faults.leaveChance) ? random.interval(TURN_MS) : Infinity,
      onEnd,
    });
  }
}
