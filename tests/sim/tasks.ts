/**
 * Steps that take virtual time, written from top to bottom: a task is a generator that yields what it waits for.
 * Unlike promises these run to the last without a microtask in between, so their order is the timeline's alone.
 */

/** Something to wait for: given the rest of the task, it runs it once. */
export type Wait<Value> = (resume: (value: Value) => void) => void;
export type Task<Value> = Generator<Wait<unknown>, Value, unknown>;

/** What a task runs in. A dead one never takes another step: whatever it still waits for is lost. */
export class Life {
  #stepsLeft: number;
  readonly #within: Life | null;
  readonly #onDeath: () => void;

  /**
   * @param within what it does not outlive
   * @param stepsLeft it dies on its own before this step; Infinity: it does not
   */
  constructor(within: Life | null, stepsLeft: number, onDeath: () => void) {
    this.#within = within;
    this.#stepsLeft = stepsLeft;
    this.#onDeath = onDeath;
  }

  get isOver(): boolean {
    return this.#stepsLeft < 0;
  }

  end(): void {
    if (this.isOver) return;
    this.#stepsLeft = -1;
    this.#onDeath();
  }

  /** @returns whether there is another step in it */
  takeStep(): boolean {
    if (this.#stepsLeft === 0 || this.#within?.isOver === true) this.end();
    else if (this.#stepsLeft > 0) this.#stepsLeft--;
    return !this.isOver;
  }
}

export function* until<Value>(wait: Wait<Value>): Task<Value> {
  return (yield wait) as Value;
}

export function start<Value>(task: Task<Value>, life: Life, onEnd: (value: Value) => void): void {
  const go = (value?: unknown): void => {
    if (!life.takeStep()) return;
    const result = task.next(value);
    if (result.done === true) onEnd(result.value);
    else result.value(go);
  };
  go();
}

/** Runs two tasks side by side until both are done. */
export function both<First, Second>(
  life: Life,
  first: Task<First>,
  second: Task<Second>,
): Task<[First, Second]> {
  return until((resume) => {
    const done: { first?: [First]; second?: [Second] } = {};
    const join = () => {
      if (done.first !== undefined && done.second !== undefined) resume([done.first[0], done.second[0]]);
    };
    start(first, life, (value) => {
      done.first = [value];
      join();
    });
    start(second, life, (value) => {
      done.second = [value];
      join();
    });
  });
}
