/** Takes Code Assist's envelope off an answer, so that it is one of the Gemini API: JSON, events or a growing array. */
import { concat } from "../../protocols/bytes.ts";
import { JsonArrayReader } from "../../protocols/json-array.ts";
import { topLevelFields } from "../../protocols/json-fields.ts";
import type { StreamFilter } from "../../protocols/protocol.ts";
import { SseReader } from "../../protocols/sse.ts";

/** A message with an image is some megabytes; what is larger cannot be held in memory beside other requests. */
const MESSAGE_BYTES_MAX = 24 * 1024 * 1024;

const encoder = new TextEncoder();

const tooLarge = (): never => {
  throw new Error("A message of the answer is too large to be unwrapped.");
};

/** What is inside `response`; a message without one, such as an error or a count, is passed as it is. */
function unwrapped(message: Uint8Array): Uint8Array {
  try {
    const range = topLevelFields(message).get("response");
    return range === undefined ? message : message.subarray(range.start, range.end);
  } catch {
    return message;
  }
}

/** Collects what a reader's callback makes of one piece. */
abstract class Unwrapper implements StreamFilter {
  #out: Uint8Array[] = [];

  abstract push(bytes: Uint8Array): Uint8Array;
  abstract end(): Uint8Array;

  protected say(...parts: readonly (string | Uint8Array)[]): void {
    // A view into the reader's bytes is only valid until its callback returns.
    for (const part of parts) this.#out.push(typeof part === "string" ? encoder.encode(part) : part.slice());
  }

  protected taken(): Uint8Array {
    const all = concat(this.#out);
    this.#out = [];
    return all;
  }
}

class EventUnwrapper extends Unwrapper {
  readonly #sse = new SseReader(
    ({ data }) => {
      this.say("data: ", unwrapped(data), "\r\n\r\n");
    },
    { eventBytesMax: MESSAGE_BYTES_MAX, onOversized: tooLarge },
  );

  push(bytes: Uint8Array): Uint8Array {
    this.#sse.push(bytes);
    return this.taken();
  }

  end(): Uint8Array {
    this.#sse.end();
    return this.taken();
  }
}

class ArrayUnwrapper extends Unwrapper {
  #elements = 0;
  #isClosed = false;
  readonly #array = new JsonArrayReader({
    onElement: (element) => {
      this.say(this.#elements++ === 0 ? "[" : ",\r\n", unwrapped(element));
    },
    elementBytesMax: MESSAGE_BYTES_MAX,
    onOversized: tooLarge,
  });

  push(bytes: Uint8Array): Uint8Array {
    this.#array.push(bytes);
    if (this.#array.isClosed && !this.#isClosed) {
      this.#isClosed = true;
      this.say(this.#elements === 0 ? "[]" : "]");
    }
    return this.taken();
  }

  /** What was broken off stays open, so that the relay sees it. */
  end(): Uint8Array {
    return this.taken();
  }
}

class BodyUnwrapper implements StreamFilter {
  readonly #chunks: Uint8Array[] = [];
  #size = 0;

  push(bytes: Uint8Array): Uint8Array {
    this.#size += bytes.length;
    if (this.#size > MESSAGE_BYTES_MAX) tooLarge();
    this.#chunks.push(bytes);
    return new Uint8Array(0);
  }

  end(): Uint8Array {
    return unwrapped(concat(this.#chunks)).slice();
  }
}

export function createUnwrapper(contentType: string, stream: boolean): StreamFilter {
  if (contentType.includes("event-stream")) return new EventUnwrapper();
  return stream ? new ArrayUnwrapper() : new BodyUnwrapper();
}

/** A stream of bytes, since only such a one can be read into buffers of the reader's own. */
function filtered(body: ReadableStream<Uint8Array>, filter: StreamFilter): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  // A break shows in the read that meets it; nobody waits for `closed`, whose rejection would be reported.
  reader.closed.catch(() => undefined);
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const bytes = done ? filter.end() : filter.push(value);
        if (bytes.length > 0) controller.enqueue(bytes);
        if (done) {
          controller.close();
          controller.byobRequest?.respond(0);
          return;
        }
        if (bytes.length > 0) return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export function unwrapAnswer(answer: Response, stream: boolean): Response {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (body === null) return answer;
  const headers = new Headers(answer.headers);
  for (const name of ["content-length", "content-encoding"]) headers.delete(name);
  const filter = createUnwrapper(headers.get("content-type") ?? "", stream);
  return new Response(filtered(body, filter), { status: answer.status, headers });
}
