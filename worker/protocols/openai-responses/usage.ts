/** Reads what a Responses stream cost (platform.openai.com/docs/api-reference/responses-streaming). Pure. */
import { isObject, type Json } from "../../domain/json.ts";
import { EMPTY_READING, type UsageReading } from "../../domain/usage.ts";
import {
  parseEvent,
  searchesIn,
  streamErrorOf,
  textBytesOf,
  withEstimate,
  withNames,
  withUsage,
} from "../openai/usage.ts";
import type { UsageReader } from "../protocol.ts";
import { SseReader, type OversizedEvent, type SseEvent } from "../sse.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);

// Content events are the bulk of a stream and carry no usage: they are told by their first bytes and not parsed.
const EVENT_PREFIX = bytesOf('{"type":"response.');
const LIFECYCLE = ["created", "queued", "in_progress", "completed", "incomplete", "failed"].map((name) =>
  bytesOf(`${name}"`),
);
const DELTA_END = bytesOf('.delta"');
const QUOTE = 0x22;
/** JSON around the text of an `output_text.delta` event, in bytes: what is longer is text. */
const DELTA_ENVELOPE_BYTES = 200;

export class ResponsesUsageReader implements UsageReader {
  #reading = EMPTY_READING;
  #sawContent = false;
  #errorMessage: string | null = null;
  #textBytes = 0;
  readonly #sse = new SseReader(
    (event) => {
      this.#onEvent(event);
    },
    {
      onOversized: (event) => {
        this.#onOversized(event);
      },
    },
  );

  push(bytes: Uint8Array): void {
    this.#sse.push(bytes);
  }

  end(): void {
    this.#sse.end();
  }

  get atBoundary(): boolean {
    return this.#sse.atBoundary;
  }

  get sawContent(): boolean {
    return this.#sawContent;
  }

  get errorMessage(): string | null {
    return this.#errorMessage;
  }

  get reading(): UsageReading {
    return withEstimate(this.#reading, this.#textBytes);
  }

  #onEvent({ data }: SseEvent): void {
    if (isContent(data)) {
      this.#sawContent = true;
      if (isDelta(data)) this.#textBytes += textBytesOf(data.length, DELTA_ENVELOPE_BYTES);
      return;
    }
    const event = parseEvent(data);
    if (event !== null && typeof event.type === "string") this.#step(event.type, event);
  }

  /** An answer's last event repeats all of it, pictures too; its usage stands behind them. */
  #onOversized({ head, tail }: OversizedEvent): void {
    if (isContent(head)) {
      this.#sawContent = true;
      return;
    }
    const [, type] = TYPE.exec(decoder.decode(head)) ?? [];
    if (type !== undefined) this.#step(type, { response: { usage: lastUsageIn(decoder.decode(tail)) } });
  }

  #step(type: string, event: Json): void {
    switch (type) {
      case "response.created":
      case "response.queued":
      case "response.in_progress":
        return this.#observe(event.response);
      case "response.completed":
      case "response.incomplete":
        this.#observe(event.response);
        this.#reading = { ...this.#reading, finished: true };
        return;
      case "response.failed":
        this.#observe(event.response);
        return this.#fail(isObject(event.response) ? event.response.error : null);
      case "error":
        // The public API has code and message in the event itself, the ChatGPT backend in an object of their own.
        return this.#fail(isObject(event.error) ? event.error : { ...event, type: "server_error" });
      default:
        // An event whose type is not its first field.
        if (type.startsWith("response.")) this.#sawContent = true;
    }
  }

  #observe(response: unknown): void {
    if (!isObject(response)) return;
    const reading = withUsage(withNames(this.#reading, response), response.usage);
    const webSearches = Math.max(reading.tokens.webSearches, searchesIn(response.output));
    this.#reading = { ...reading, tokens: { ...reading.tokens, webSearches } };
  }

  #fail(error: unknown): void {
    const { type, message } = streamErrorOf(error);
    this.#reading = { ...this.#reading, errorType: type };
    this.#errorMessage = message;
  }
}

const decoder = new TextDecoder();
const TYPE = /^\{"type":"([a-z._]{1,60})"/;
/** An object with objects inside, and none in those. Inside a JSON string every quote has a backslash before it. */
const USAGE = /"usage":\s*(\{(?:[^{}]|\{[^{}]*\})*\})/g;

function lastUsageIn(text: string): unknown {
  const last = [...text.matchAll(USAGE)].at(-1)?.[1];
  return last === undefined ? null : parseEvent(new TextEncoder().encode(last));
}

/** Every `response.*` event that tells of a part of the answer, and not of the answer as a whole. */
function isContent(data: Uint8Array): boolean {
  if (!hasAt(data, 0, EVENT_PREFIX)) return false;
  return !LIFECYCLE.some((name) => hasAt(data, EVENT_PREFIX.length, name));
}

/** The types that end in `.done` repeat what their deltas brought. */
function isDelta(data: Uint8Array): boolean {
  const end = data.indexOf(QUOTE, EVENT_PREFIX.length);
  return end !== -1 && hasAt(data, end + 1 - DELTA_END.length, DELTA_END);
}

function hasAt(bytes: Uint8Array, at: number, part: Uint8Array): boolean {
  for (let i = 0; i < part.length; i++) if (bytes[at + i] !== part[i]) return false;
  return true;
}
