/** Bedrock's answers as Anthropic's API gives them. */
import { z } from "zod";
import type { UpstreamCall } from "../provider.ts";
import { EventDecoder } from "./events.ts";

/** The answer of a count is some ten bytes. */
const COUNT_BYTES_MAX = 64 * 1024;

export function decodeAnswer(answer: Response, call: UpstreamCall): Response {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  const contentType = answer.headers.get("content-type") ?? "";
  if (body === null) return answer;
  if (contentType.startsWith("application/vnd.amazon.eventstream")) {
    return decoded(answer, eventsAsText(body), "text/event-stream; charset=utf-8");
  }
  if (call.operation === "count_tokens" && contentType.includes("json")) {
    return decoded(answer, body.pipeThrough(countAsAnthropics()), "application/json");
  }
  return answer;
}

function decoded(answer: Response, body: ReadableStream<Uint8Array>, contentType: string): Response {
  const headers = new Headers(answer.headers);
  headers.set("content-type", contentType);
  // Neither holds for what comes out.
  headers.delete("content-length");
  headers.delete("content-encoding");
  const requestId = headers.get("x-amzn-requestid");
  if (requestId !== null) headers.set("request-id", requestId);
  return new Response(body, { status: answer.status, headers });
}

/**
 * Pulled by whoever reads it, so that a slow client slows Bedrock down, and one that leaves stops it. A stream of
 * bytes, since the relay reads into buffers of its own.
 */
function eventsAsText(frames: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = frames.getReader();
  const decoder = new EventDecoder();
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const events = done ? decoder.end() : decoder.push(value);
        if (events.length > 0) controller.enqueue(events);
        if (done || decoder.isBroken) {
          controller.close();
          // Of what Bedrock may still send after a broken frame, nothing could be read.
          return done ? undefined : reader.cancel();
        }
        if (events.length > 0) return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

const count = z.object({ inputTokens: z.int().nonnegative() });

function countAsAnthropics(): TransformStream<Uint8Array, Uint8Array> {
  const decoder = new TextDecoder();
  let text = "";
  return new TransformStream({
    transform(chunk) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > COUNT_BYTES_MAX) throw new Error("The upstream's count is too large to be one.");
    },
    flush(controller) {
      const { inputTokens } = count.parse(JSON.parse(text));
      controller.enqueue(new TextEncoder().encode(JSON.stringify({ input_tokens: inputTokens })));
    },
  });
}
