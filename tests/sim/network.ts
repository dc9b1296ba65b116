/**
 * Calls of objects over a network that delays, loses and repeats. Who called learns only that no answer came: it
 * cannot tell whether the object did what it was asked.
 */
import type { Random } from "./random.ts";
import type { Wait } from "./tasks.ts";
import type { Timeline } from "./timeline.ts";

export type Reply<Answer> = { readonly kind: "answer"; readonly answer: Answer } | { readonly kind: "lost" };
const LOST = { kind: "lost" } as const;

/** What the network needs to know of an object. */
export interface Reachable {
  /** Between the end of one incarnation and the beginning of the next there is nobody to call. */
  readonly isUp: boolean;
  /** How the calls are told that wait inside when the object goes down. */
  readonly pending: Set<() => void>;
}

export interface NetworkFaults {
  /** That a question or an answer is lost, each. */
  readonly lossChance: number;
  /** That a question arrives once more, a while later. */
  readonly repeatChance: number;
}

const DELAY_MEAN_MS = 6;
/** One message in so many is slow. */
const SLOW_ONE_IN = 100;
const SLOW_MS_MAX = 2000;
const REPEAT_MEAN_MS = 400;
const NOTICE_MEAN_MS = 300;

export class Network {
  readonly #timeline: Timeline;
  readonly #random: Random;
  faults: NetworkFaults;

  constructor(timeline: Timeline, random: Random, faults: NetworkFaults) {
    this.#timeline = timeline;
    this.#random = random;
    this.faults = faults;
  }

  #delayMs(): number {
    const isSlow = this.faults.lossChance > 0 && this.#random.below(SLOW_ONE_IN) === 0;
    return isSlow ? this.#random.between(1, SLOW_MS_MAX) : this.#random.interval(DELAY_MEAN_MS);
  }

  call<Answer>(object: Reachable, ask: (answer: (value: Answer) => void) => void): Wait<Reply<Answer>> {
    return (resume) => {
      let isDone = false;
      const finish = (reply: Reply<Answer>): void => {
        if (isDone) return;
        isDone = true;
        resume(reply);
      };
      const fail = (): void => {
        this.#timeline.after(this.#random.interval(NOTICE_MEAN_MS), () => {
          finish(LOST);
        });
      };
      const arrive = (): void => {
        if (!object.isUp) {
          fail();
          return;
        }
        const breakOff = (): void => {
          fail();
        };
        object.pending.add(breakOff);
        ask((answer) => {
          object.pending.delete(breakOff);
          if (this.#random.chance(this.faults.lossChance)) fail();
          else
            this.#timeline.after(this.#delayMs(), () => {
              finish({ kind: "answer", answer });
            });
        });
      };
      const delayMs = this.#delayMs();
      if (this.#random.chance(this.faults.lossChance)) fail();
      else this.#timeline.after(delayMs, arrive);
      if (this.#random.chance(this.faults.repeatChance)) {
        this.#timeline.after(delayMs + this.#random.interval(REPEAT_MEAN_MS), arrive);
      }
    };
  }
}
