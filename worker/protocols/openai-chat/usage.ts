/** Reads what a Chat Completions stream cost (platform.openai.com/docs/api-reference/chat-streaming). Pure. */
import { isObject, type Json } from "../../domain/json.ts";
import { EMPTY_READING, type UsageReading } from "../../domain/usage.ts";
import {
  parseEvent,
  streamErrorOf,
  textBytesOf,
  withEstimate,
  withNames,
  withUsage,
} from "../openai/usage.ts";
import type { UsageReader } from "../protocol.ts";
import { SseReader, type SseEvent } from "../sse.ts";

/**
 * How a chunk ends that brings content and nothing else: the bulk of a stream, and not parsed. The obfuscation is
 * padding that OpenAI adds.
 */
const CONTENT_END = /"finish_reason":null\}\](?:,"usage":null)?(?:,"obfuscation":"[^"\\]*")?\}$/;
const CONTENT_END_BYTES_MAX = 120;
const DONE = "[DONE]";
/** JSON around the text of a chunk, in bytes: what is longer is text. */
const CHUNK_ENVELOPE_BYTES = 220;

const decoder = new TextDecoder();
const tailOf = (data: Uint8Array) => decoder.decode(data.subarray(-CONTENT_END_BYTES_MAX));

/** A chunk that certainly has neither usage nor an error, told by its last bytes. */
export const isPlainContent = (data: Uint8Array): boolean => CONTENT_END.test(tailOf(data));

export class ChatUsageReader implements UsageReader {
  #reading = EMPTY_READING;
  #sawContent = false;
  #sawFinish = false;
  #errorMessage: string | null = null;
  #textBytes = 0;
  readonly #sse = new SseReader((event) => {
    this.#onEvent(event);
  });

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
    if (this.#reading.model !== null && isPlainContent(data)) {
      this.#sawContent = true;
      this.#textBytes += textBytesOf(data.length, CHUNK_ENVELOPE_BYTES);
      return;
    }
    if (tailOf(data).trim() === DONE) {
      this.#reading = { ...this.#reading, finished: true };
      return;
    }
    const chunk = parseEvent(data);
    if (chunk !== null) this.#step(chunk, data.length);
  }

  #step(chunk: Json, bytes: number): void {
    if (isObject(chunk.error)) {
      const { type, message } = streamErrorOf(chunk.error);
      this.#reading = { ...this.#reading, errorType: type };
      this.#errorMessage = message;
      return;
    }
    this.#reading = withUsage(withNames(this.#reading, chunk), chunk.usage);
    const choices: readonly unknown[] = Array.isArray(chunk.choices) ? chunk.choices : [];
    if (choices.some(hasContent)) {
      this.#sawContent = true;
      this.#textBytes += textBytesOf(bytes, CHUNK_ENVELOPE_BYTES);
    }
    this.#sawFinish ||= choices.some(
      (choice) => isObject(choice) && typeof choice.finish_reason === "string",
    );
    // Some upstreams end without `[DONE]`; after the usage that follows the last choice nothing comes but that.
    if (this.#sawFinish && choices.length === 0 && this.#reading.reported) {
      this.#reading = { ...this.#reading, finished: true };
    }
  }
}

/** More than the role, which opens a stream before the model has said anything. */
function hasContent(choice: unknown): boolean {
  if (!isObject(choice)) return false;
  if (typeof choice.finish_reason === "string") return true;
  const delta = isObject(choice.delta) ? choice.delta : {};
  return Object.entries(delta).some(
    ([name, value]) => name !== "role" && value !== null && value !== "" && value !== undefined,
  );
}
