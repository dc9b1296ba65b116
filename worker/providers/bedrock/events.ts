/** Bedrock's stream as Anthropic's server-sent events, frame by frame; the same for every slicing of the bytes. Pure. */
import { z } from "zod";
import type { StreamFilter } from "../../protocols/protocol.ts";
import { meaningOf, MESSAGE_LENGTH_MAX, readErrorBody, type ErrorText } from "./exceptions.ts";
import { BrokenFrame, FrameReader, type Frame } from "./frames.ts";
import { Metrics } from "./metrics.ts";

const chunkPayload = z.object({ bytes: z.string() });
/** A name that may stand in an event's first line. */
const anthropicEvent = z.looseObject({ type: z.string().regex(/^[a-z_]{1,64}$/) });

export type AnthropicEvent = z.infer<typeof anthropicEvent>;

/** The figures of the whole call, which only Bedrock puts there: they are not Anthropic's protocol. */
const METRICS_FIELD = "amazon-bedrock-invocationMetrics";

const LAST_EVENTS: readonly string[] = ["message_stop", "error"];

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
const NOTHING = new Uint8Array(0);

/** Thrown for what ends the stream with an error event. */
class StreamError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

const unreadable = () => new StreamError("api_error", "The upstream sent a frame that cannot be read.");

export class EventDecoder implements StreamFilter {
  readonly #frames = new FrameReader();
  readonly #metrics = new Metrics();
  /** A `message_delta` that lacks figures which the next event may bring. */
  #held: AnthropicEvent | null = null;
  #text = "";
  /** The last event has come: the message's end, or an error. */
  isOver = false;
  /** Over, and what the upstream may still send is nothing to wait for. */
  isBroken = false;

  push(bytes: Uint8Array): Uint8Array {
    if (this.isOver) return NOTHING;
    try {
      for (const frame of this.#frames.push(bytes)) {
        this.#onFrame(frame);
        if (this.isOver) break;
      }
    } catch (error) {
      this.#fail(asStreamError(error));
    }
    return this.#take();
  }

  end(): Uint8Array {
    this.#release();
    return this.#take();
  }

  #take(): Uint8Array {
    const text = this.#text;
    this.#text = "";
    return text === "" ? NOTHING : encoder.encode(text);
  }

  #onFrame({ headers, payload }: Frame): void {
    const kind = headers.get(":message-type");
    if (kind === "exception") {
      throw exceptionOf(headers.get(":exception-type"), readErrorBody(textOf(payload)));
    }
    if (kind === "error") {
      const message = (headers.get(":error-message") ?? "").slice(0, MESSAGE_LENGTH_MAX);
      throw exceptionOf(headers.get(":error-code"), { name: null, message });
    }
    if (kind !== "event") throw unreadable();
    // Other events may be added at any time; AWS's own clients pass over them, too.
    if (headers.get(":event-type") === "chunk") this.#onEvent(payload);
  }

  #onEvent(payload: Uint8Array): void {
    const { json, event } = readChunk(payload);
    this.#metrics.see(event);
    if (event.type === "message_stop") this.#metrics.seeTotals(event[METRICS_FIELD]);
    const isLast = LAST_EVENTS.includes(event.type);
    if (isLast || event.type === "message_delta") this.#release();
    this.isOver = isLast;
    if (event.type === "message_delta" && !this.#metrics.isComplete) this.#held = event;
    else this.#emit(event, json);
  }

  #release(): void {
    if (this.#held !== null) this.#emit(this.#metrics.completed(this.#held), null);
    this.#held = null;
  }

  /** @param json the event as it came, which is passed on as it is where it may be; null: it was changed */
  #emit(event: AnthropicEvent, json: string | null): void {
    const { [METRICS_FIELD]: metrics, ...rest } = event;
    const asItCame = json !== null && metrics === undefined && !/[\r\n]/.test(json);
    this.#text += `event: ${event.type}\ndata: ${asItCame ? json : JSON.stringify(rest)}\n\n`;
  }

  #fail({ type, message }: StreamError): void {
    this.#release();
    this.isOver = true;
    this.isBroken = true;
    this.#emit({ type: "error", error: { type, message } }, null);
  }
}

function asStreamError(error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  if (error instanceof BrokenFrame) return unreadable();
  throw error;
}

function exceptionOf(name: string | undefined, { name: inBody, message }: ErrorText): StreamError {
  const meaning = meaningOf(name ?? "") ?? meaningOf(inBody ?? "");
  return new StreamError(meaning?.type ?? "api_error", message === "" ? "The upstream failed." : message);
}

function readChunk(payload: Uint8Array): { json: string; event: AnthropicEvent } {
  try {
    const { bytes } = chunkPayload.parse(JSON.parse(textOf(payload)));
    const json = textOf(Uint8Array.from(atob(bytes), (character) => character.charCodeAt(0)));
    return { json, event: anthropicEvent.parse(JSON.parse(json)) };
  } catch {
    throw unreadable();
  }
}

/** @throws StreamError when the bytes are no UTF-8 */
function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw unreadable();
  }
}
