/**
 * The ChatGPT backend answers in streams only. For a client that asked for a whole answer, its last event has the
 * response as the public API would have sent it, and the items that came before it where that one leaves them out.
 */
import { isObject, type Json } from "../../domain/json.ts";
import { SseReader } from "../../protocols/sse.ts";

/** What an answer may hold together, in bytes; no client could use more. */
const ITEMS_BYTES_MAX = 32 * 1024 * 1024;
/** The last event repeats the whole answer, and a picture has some megabytes. */
const EVENT_BYTES_MAX = 8 * 1024 * 1024;

const ITEM_DONE = new TextEncoder().encode('{"type":"response.output_item.done"');
const WHOLE = ["response.completed", "response.incomplete"] as const;
const TERMINAL = WHOLE.map((type) => new TextEncoder().encode(`{"type":"${type}"`));

const startsWith = (bytes: Uint8Array, prefix: Uint8Array) => prefix.every((byte, at) => bytes[at] === byte);

function parse(data: Uint8Array): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Collects the events of a stream into one response. */
export class WholeAnswer {
  readonly #items: unknown[] = [];
  #itemsBytes = 0;
  #response: Json | null = null;
  readonly #sse = new SseReader(
    ({ data }) => {
      this.#onEvent(data);
    },
    { eventBytesMax: EVENT_BYTES_MAX },
  );

  push(bytes: Uint8Array): void {
    this.#sse.push(bytes);
  }

  /** @throws when the stream failed, or broke off: nothing of it is an answer */
  end(): Uint8Array {
    this.#sse.end();
    if (this.#response === null) throw new Error("the answer has no end");
    const { output } = this.#response;
    const isBare = !Array.isArray(output) || output.length === 0;
    const whole = isBare ? { ...this.#response, output: this.#items } : this.#response;
    return new TextEncoder().encode(JSON.stringify(whole));
  }

  #onEvent(data: Uint8Array): void {
    if (startsWith(data, ITEM_DONE)) this.#addItem(data);
    else if (TERMINAL.some((prefix) => startsWith(data, prefix))) {
      const { response } = parse(data);
      this.#response = isObject(response) ? response : null;
    }
  }

  #addItem(data: Uint8Array): void {
    this.#itemsBytes += data.length;
    if (this.#itemsBytes > ITEMS_BYTES_MAX) throw new Error("the answer is too large");
    const { item } = parse(data);
    if (isObject(item)) this.#items.push(item);
  }
}

/** The answer as one JSON object; its body fails where the stream does. */
export function wholeAnswer(answer: Response): Response {
  const whole = new WholeAnswer();
  const body = answer.body?.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform: (bytes) => {
        whole.push(bytes);
      },
      flush: (controller) => {
        controller.enqueue(whole.end());
      },
    }),
  );
  const headers = new Headers(answer.headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) headers.delete(name);
  headers.set("content-type", "application/json");
  return new Response(body ?? null, { status: answer.status, headers });
}
