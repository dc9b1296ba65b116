/** Bounded reading: of time and of bytes. */
import { concat } from "../protocols/bytes.ts";

/** The value, or null when it does not come within `ms`. The timer never outlives the call. */
export async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value | null> {
  const limit = Promise.withResolvers<null>();
  const timer = setTimeout(() => {
    limit.resolve(null);
  }, ms);
  try {
    return await Promise.race([promise, limit.promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first `limit` bytes of a stream; the rest is cancelled. What was read before an error counts. */
export async function readAtMost(stream: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of stream) {
      chunks.push(chunk.subarray(0, limit - size));
      size += chunk.length;
      if (size >= limit) break;
    }
  } catch {
    // A cut error body is still worth reading as far as it came.
  }
  return concat(chunks);
}
