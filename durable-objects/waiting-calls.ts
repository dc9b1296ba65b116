/** Calls that an object has not answered yet, and the one timer that keeps their time limits. */
import type { EpochMs, RequestId } from "../worker/domain/ids.ts";

export class WaitingCalls<Answer> {
  readonly #calls = new Map<RequestId, PromiseWithResolvers<Answer>>();
  readonly #onTime: () => void;
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param onTime called when the time given to `wakeAt` has come */
  constructor(onTime: () => void) {
    this.#onTime = onTime;
  }

  get requestIds(): RequestId[] {
    return [...this.#calls.keys()];
  }

  /** Asked twice for the same request, the calls share one answer. */
  wait(requestId: RequestId): Promise<Answer> {
    const known = this.#calls.get(requestId);
    if (known !== undefined) return known.promise;
    const call = Promise.withResolvers<Answer>();
    this.#calls.set(requestId, call);
    return call.promise;
  }

  /** Does nothing where nobody waits. */
  answer(requestId: RequestId, answer: Answer): void {
    const call = this.#calls.get(requestId);
    this.#calls.delete(requestId);
    call?.resolve(answer);
  }

  /** A timer is enough: while calls wait, they keep the object in memory. */
  wakeAt(at: EpochMs, now: EpochMs): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer =
      at === Infinity || this.#calls.size === 0
        ? null
        : setTimeout(
            () => {
              this.#timer = null;
              this.#onTime();
            },
            Math.max(1, at - now),
          );
  }
}
