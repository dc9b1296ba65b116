/** One HTTP/1.1 request and its answer over a connection that is open. */
import type { DialInit } from "../dial.ts";
import { AnswerParser, EarlyEnd, type AnswerHead } from "./answer-parser.ts";
import type { Line } from "./line.ts";
import { tlsFailed } from "../proxy-error.ts";
import { bodyOf, createHead } from "./request.ts";

/** A large body goes out in pieces, so that one that is not wanted any more stops early. */
const PIECE_BYTES = 256 * 1024;
const NO_BODY = [204, 304];
const CODINGS: Readonly<Record<string, "gzip" | "deflate">> = {
  gzip: "gzip",
  "x-gzip": "gzip",
  deflate: "deflate",
};

export async function exchange(line: Line, url: URL, init: DialInit): Promise<Response> {
  const reader = line.readable.getReader();
  const parser = new AnswerParser();
  // The answer may come before the request has gone, and then says more than a write that failed.
  const sent = send(line, url, init).catch((cause: unknown) => cause);
  const head = await readHead({ line, reader, parser }).catch(async (error: unknown) => {
    const isSilentEnd = error instanceof EarlyEnd && url.protocol === "https:";
    if (isSilentEnd) throw tlsFailed(url.hostname, (await line.wait(sent)) ?? error);
    throw error;
  });
  return responseOf(head, bodyStream({ line, reader, parser }));
}

async function send(line: Line, url: URL, init: DialInit): Promise<void> {
  const writer = line.writable.getWriter();
  const body = bodyOf(init);
  await writer.write(createHead(url, init, body.length));
  for (let at = 0; at < body.length; at += PIECE_BYTES) {
    await writer.write(body.subarray(at, at + PIECE_BYTES));
  }
}

interface Answering {
  readonly line: Line;
  readonly reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly parser: AnswerParser;
}

async function readHead(answering: Answering): Promise<AnswerHead> {
  const { parser } = answering;
  for (;;) {
    if (parser.head !== null) return parser.head;
    await readMore(answering);
  }
}

async function readMore({ line, reader, parser }: Answering): Promise<void> {
  const { value, done } = await line.wait(reader.read());
  if (!done) {
    parser.push(value);
    return;
  }
  parser.end();
  // Without a length the end of the connection is the end of the body.
  parser.isComplete = true;
}

/** Pulled by whoever reads it, so that a slow client slows the upstream down, and one that leaves stops it. */
function bodyStream(answering: Answering): ReadableStream<Uint8Array> {
  const { line, parser } = answering;
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      for (;;) {
        const piece = parser.take();
        if (piece !== null) {
          controller.enqueue(piece);
          return;
        }
        if (parser.isComplete) {
          controller.close();
          line.close();
          return;
        }
        await readMore(answering);
      }
    },
    cancel() {
      line.close();
    },
  });
}

/** The relay reads into buffers of its own, which what comes out of a decompression does not allow. */
function readByteWise(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = stream.getReader();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const { value, done } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function responseOf({ status, headers }: AnswerHead, body: ReadableStream<Uint8Array>): Response {
  if (NO_BODY.includes(status)) {
    void body.cancel();
    return new Response(null, { status, headers });
  }
  const coding = headers.get("content-encoding")?.toLowerCase() ?? "identity";
  if (coding === "identity") return new Response(body, { status, headers });
  const format = CODINGS[coding];
  if (format === undefined) {
    void body.cancel();
    throw new Error(`The upstream compressed its answer with "${coding}", which nobody asked for.`);
  }
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(readByteWise(body.pipeThrough(new DecompressionStream(format))), { status, headers });
}
