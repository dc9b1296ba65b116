/** Runs a handshake over a connection that cuts its bytes anywhere. Pure. */

/** What a handshake sends next, and the answer it needs: so many bytes, or all up to a blank line. */
export interface Turn {
  readonly send: Uint8Array;
  readonly until: number | "blank line";
}

/** Throws when the proxy refuses. */
export type Handshake = Generator<Turn, void, Uint8Array>;

/** No proxy has more to say before the tunnel is open. */
const ANSWER_BYTES_MAX = 16 * 1024;

/** What the proxy said is not what its kind says. */
export class BadAnswer extends Error {}

const NOTHING = new Uint8Array(0);

export class Negotiation {
  readonly #handshake: Handshake;
  #turn: IteratorResult<Turn, void>;
  #received: Uint8Array = NOTHING;

  constructor(handshake: Handshake) {
    this.#handshake = handshake;
    this.#turn = handshake.next();
  }

  get isDone(): boolean {
    return this.#turn.done === true;
  }

  /** What to send first. */
  get opening(): Uint8Array {
    return this.#turn.done === true ? NOTHING : this.#turn.value.send;
  }

  /**
   * @returns what to send next; may be empty
   * @throws BadAnswer, or what the handshake throws
   */
  push(chunk: Uint8Array): Uint8Array {
    this.#received = joined(this.#received, chunk);
    const sends: Uint8Array[] = [];
    for (;;) {
      if (this.#turn.done === true) break;
      const end = endOf(this.#received, this.#turn.value.until);
      if (end === null) break;
      const answer = this.#received.subarray(0, end);
      this.#received = this.#received.subarray(end);
      this.#turn = this.#handshake.next(answer);
      if (this.#turn.done !== true) sends.push(this.#turn.value.send);
    }
    if (this.#received.length > ANSWER_BYTES_MAX) throw new BadAnswer("an endless answer");
    // An upstream never speaks first, so these bytes are the proxy's own.
    if (this.isDone && this.#received.length > 0) throw new BadAnswer("more than was asked");
    return sends.reduce(joined, NOTHING);
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

const [CR, LF] = [13, 10];

/** Where the wanted answer ends; null: it has not come yet. */
function endOf(bytes: Uint8Array, until: Turn["until"]): number | null {
  if (until !== "blank line") return bytes.length < until ? null : until;
  for (let at = 3; at < bytes.length; at++) {
    if (bytes[at] === LF && bytes[at - 1] === CR && bytes[at - 2] === LF && bytes[at - 3] === CR)
      return at + 1;
  }
  return null;
}
