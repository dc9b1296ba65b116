/**
 * Calls that an object has not answered yet. Where a question came twice, both are answered; the object's own
 * `waiting-calls.ts` answers the newer one, since whoever asked before has given up by then.
 */
import type { RequestId } from "../../worker/domain/ids.ts";

export class Waiting<Answer> {
  readonly #calls = new Map<RequestId, ((answer: Answer) => void)[]>();

  get isEmpty(): boolean {
    return this.#calls.size === 0;
  }

  wait(requestId: RequestId, resume: (answer: Answer) => void): void {
    const calls = this.#calls.get(requestId);
    if (calls === undefined) this.#calls.set(requestId, [resume]);
    else calls.push(resume);
  }

  /** Does nothing where nobody waits. */
  answer(requestId: RequestId, answer: Answer): void {
    const calls = this.#calls.get(requestId) ?? [];
    this.#calls.delete(requestId);
    for (const resume of calls) resume(answer);
  }

  forget(): void {
    this.#calls.clear();
  }
}
