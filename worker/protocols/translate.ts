/**
 * Crosses from one dialect to another: a client's call becomes the upstream's, and the upstream's answer the
 * client's, event by event. The same dialect on both sides never comes here. Pure.
 */
import { RelayError } from "../domain/errors.ts";
import type { AnswerEvent, AnswerFacts, NeutralRequest } from "./neutral.ts";
import type { ClientCall, StreamFilter } from "./protocol.ts";
import { SseReader } from "./sse.ts";

/** An event of an upstream's stream: its name where it has one, and its data, parsed. */
export interface StreamMessage {
  readonly name: string | null;
  readonly data: unknown;
}

/** How a dialect is spoken with a client: requests in, answers out. */
export interface ClientSide {
  /**
   * @throws RelayError `invalid_request` that names what is malformed, or what no other dialect can carry though
   * it changes what is asked
   */
  decodeRequest(call: ClientCall): NeutralRequest;
  createEncoder(call: ClientCall, facts: AnswerFacts): AnswerEncoder;
}

export interface AnswerEncoder {
  /** Of a streamed answer. */
  readonly streamType: string;
  /** What the client is sent for one event, as whole events of its dialect; may be empty. */
  encode(event: AnswerEvent): string;
  /** A complete answer, as JSON text. `error` is not among the events. */
  whole(events: readonly AnswerEvent[]): string;
  /** Of a stream that is a JSON array: what an error needs around it; absent: events lie side by side. */
  readonly frame?: { readonly before: string; readonly after: string } | null;
}

/** How a dialect is spoken with an upstream: requests out, answers in. */
export interface UpstreamSide {
  /** Pictures and documents must be in the request itself: addresses are fetched before `encodeRequest`. */
  readonly needsInlineMedia: boolean;
  /** @throws RelayError `invalid_request` that names what this dialect cannot carry though it changes what is asked */
  encodeRequest(request: NeutralRequest): EncodedRequest;
}

export interface EncodedRequest {
  /** In the dialect's usual form, as its clients write it below a base URL: `/v1/messages`. */
  readonly path: string;
  /** Without `?`. A stream is always asked for as server-sent events. */
  readonly query: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** What was left out because this dialect has no word for it, though the meaning stays as it is. */
  readonly omitted: readonly string[];
  createDecoder(facts: AnswerFacts): AnswerDecoder;
}

export interface AnswerDecoder {
  decode(message: StreamMessage): readonly AnswerEvent[];
  /** The stream is over: what was still open, if the dialect has no terminal event of its own. */
  end(): readonly AnswerEvent[];
  /** A complete answer, parsed. Unknown shapes give what can be read of them; it never throws. */
  whole(body: unknown): readonly AnswerEvent[];
}

/** Both sides of a dialect. */
export interface Crossing {
  readonly client: ClientSide;
  readonly upstream: UpstreamSide;
}

/** What a step of a reducer comes to: the next state, and what is said. */
export type Step<State, Out> = readonly [State, readonly Out[]];

/** Runs a reducer over inputs as they come. */
export function running<State, In, Out>(
  initial: State,
  step: (state: State, input: In) => Step<State, Out>,
): { push(input: In): readonly Out[]; readonly state: State } {
  let state = initial;
  return {
    push(input) {
      const [next, out] = step(state, input);
      state = next;
      return out;
    },
    get state() {
      return state;
    },
  };
}

/** What no dialect but the client's own can carry. @param what as the client wrote it: `logit_bias` */
export const notCarried = (what: string): RelayError =>
  new RelayError(
    "invalid_request",
    `${what}: is not supported here, because this model is served by an account that speaks another protocol.`,
  );

/** Pictures inside an event may be large; what is larger than this no client was meant to get. */
const EVENT_BYTES_MAX = 32 * 1024 * 1024;
const EMPTY = new Uint8Array(0);
const utf8 = { encoder: new TextEncoder(), decoder: new TextDecoder() };

/** Makes the upstream's stream the client's: each event goes on as soon as it is whole. */
export class StreamTranslator implements StreamFilter {
  readonly #decoder: AnswerDecoder;
  readonly #encoder: AnswerEncoder;
  readonly #sse: SseReader;
  #out = "";

  constructor(decoder: AnswerDecoder, encoder: AnswerEncoder) {
    this.#decoder = decoder;
    this.#encoder = encoder;
    this.#sse = new SseReader(
      ({ name, data }) => {
        const parsed = parseJson(data);
        if (parsed !== undefined) this.#say(this.#decoder.decode({ name, data: parsed }));
      },
      { eventBytesMax: EVENT_BYTES_MAX },
    );
  }

  push(bytes: Uint8Array): Uint8Array {
    this.#sse.push(bytes);
    return this.#take();
  }

  end(): Uint8Array {
    this.#sse.end();
    this.#say(this.#decoder.end());
    return this.#take();
  }

  get streamType(): string {
    return this.#encoder.streamType;
  }

  /** The client was sent whole events only. */
  get position() {
    return { atBoundary: true, frame: this.#encoder.frame };
  }

  #say(events: readonly AnswerEvent[]): void {
    for (const event of events) this.#out += this.#encoder.encode(event);
  }

  #take(): Uint8Array {
    if (this.#out === "") return EMPTY;
    const bytes = utf8.encoder.encode(this.#out);
    this.#out = "";
    return bytes;
  }
}

/** A broken line is passed over, as the vendors' SDKs do; `[DONE]` is the one word that is not JSON. */
function parseJson(data: Uint8Array): unknown {
  const text = utf8.decoder.decode(data);
  if (text.trim() === "[DONE]") return "[DONE]";
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A complete answer of the upstream as the client's. Text that is no JSON gives an answer without content. */
export function translateWhole(body: Uint8Array, decoder: AnswerDecoder, encoder: AnswerEncoder): string {
  return encoder.whole(decoder.whole(parseJson(body)));
}
