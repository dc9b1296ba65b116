/** Reads the usage of a streamed Gemini answer: server-sent events, or one JSON array that grows. Pure. */
import { EMPTY_READING, type UsageReading } from "../../domain/usage.ts";
import { JsonArrayReader } from "../json-array.ts";
import type { ElementFrame, UsageReader } from "../protocol.ts";
import { SseReader } from "../sse.ts";
import { STATUS_NAMES } from "./crossing/statuses.ts";
import { candidatesOf, isBlocked, isObject, textOrNull, unwrapped, withMessage, type Json } from "./usage.ts";

/** Rule of thumb for text whose tokens were never reported. */
const BYTES_PER_TOKEN = 4;
/** More candidates than any model gives. */
const CANDIDATES_MAX = 100;

const decoder = new TextDecoder();

export class GeminiStreamReader implements UsageReader {
  #reading = EMPTY_READING;
  #sawContent = false;
  #errorMessage: string | null = null;
  #textLength = 0;
  readonly #seen = new Set<unknown>();
  readonly #done = new Set<unknown>();
  readonly #sse: SseReader | null;
  readonly #array: JsonArrayReader | null;

  constructor(contentType: string) {
    const onMessage = (data: Uint8Array) => {
      this.#onMessage(data);
    };
    const isSse = contentType.includes("event-stream");
    this.#sse = isSse
      ? new SseReader(({ data }) => {
          onMessage(data);
        })
      : null;
    this.#array = isSse ? null : new JsonArrayReader({ onElement: onMessage });
  }

  push(bytes: Uint8Array): void {
    this.#sse?.push(bytes);
    this.#array?.push(bytes);
  }

  end(): void {
    this.#sse?.end();
  }

  get atBoundary(): boolean {
    return this.#sse?.atBoundary ?? this.#array?.atBoundary ?? true;
  }

  get frame(): ElementFrame | null | undefined {
    return this.#array === null ? undefined : this.#array.frame;
  }

  get sawContent(): boolean {
    return this.#sawContent;
  }

  get errorMessage(): string | null {
    return this.#errorMessage;
  }

  /** Until the end, output is at least what the text seen amounts to. */
  get reading(): UsageReading {
    if (this.#reading.finished) return this.#reading;
    const estimate = Math.ceil(this.#textLength / BYTES_PER_TOKEN);
    const { tokens } = this.#reading;
    return estimate <= tokens.output
      ? this.#reading
      : { ...this.#reading, tokens: { ...tokens, output: estimate } };
  }

  #onMessage(data: Uint8Array): void {
    const parsed = parseMessage(data);
    if (parsed === null) return;
    if (isObject(parsed.error)) {
      this.#onError(parsed.error);
      return;
    }
    const message = unwrapped(parsed);
    this.#reading = withMessage(this.#reading, message);
    for (const candidate of candidatesOf(message)) this.#onCandidate(candidate);
    const isOver = this.#done.size > 0 && this.#done.size === this.#seen.size;
    if (isOver || isBlocked(message)) this.#reading = { ...this.#reading, finished: true };
  }

  #onError({ status, code, message }: Json): void {
    const named = typeof code === "number" ? STATUS_NAMES[code] : undefined;
    this.#reading = { ...this.#reading, errorType: textOrNull(status) ?? named ?? "INTERNAL" };
    this.#errorMessage = textOrNull(message);
  }

  /** Of several candidates each ends by itself. */
  #onCandidate({ index, content, finishReason }: Json): void {
    const name = index ?? 0;
    if (this.#seen.size < CANDIDATES_MAX) this.#seen.add(name);
    if (typeof finishReason === "string" && this.#seen.has(name)) this.#done.add(name);
    const parts = isObject(content) && Array.isArray(content.parts) ? content.parts : [];
    if (parts.length > 0) this.#sawContent = true;
    for (const part of parts.filter(isObject)) {
      if (typeof part.text === "string") this.#textLength += byteLength(part.text);
      if (isObject(part.functionCall)) this.#textLength += JSON.stringify(part.functionCall).length;
    }
  }
}

const byteLength = (text: string): number => new TextEncoder().encode(text).length;

/** Of a message whose JSON is broken nothing can be learnt. */
function parseMessage(data: Uint8Array): Json | null {
  try {
    const value: unknown = JSON.parse(decoder.decode(data));
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
