/** Fetches the public list of prices: from an allowed address, within its time and its size, and from nowhere else. */
import { assertAllowedTarget } from "../net/guard.ts";
import { concat } from "../protocols/bytes.ts";

/** Several times what the list has. */
const BYTES_MAX = 5_000_000;
const TIMEOUT_MS = 20_000;

export interface DownloadOptions {
  readonly allowPrivate: boolean;
  readonly timeoutMs?: number;
}

/** @throws Error that says why there is none */
export async function download(
  url: string,
  { allowPrivate, timeoutMs = TIMEOUT_MS }: DownloadOptions,
): Promise<unknown> {
  assertAllowedTarget(url, allowPrivate);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    // A redirect would lead around the guard.
    const response = await fetch(url, {
      headers: { accept: "application/json" },
      redirect: "manual",
      signal,
    });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`It answered with HTTP ${String(response.status)}.`);
    }
    return JSON.parse(new TextDecoder().decode(await bytesOf(response)));
  } catch (error) {
    if (signal.aborted) throw new Error("It did not come in time.", { cause: error });
    if (error instanceof SyntaxError) throw new Error("It is not JSON.", { cause: error });
    throw error;
  }
}

async function bytesOf({ body, headers }: Response): Promise<Uint8Array> {
  const tooLarge = new Error(`It is larger than ${String(BYTES_MAX)} bytes.`);
  const stream: ReadableStream<Uint8Array> | null = body;
  if (stream === null) return new Uint8Array();
  if (Number(headers.get("content-length") ?? 0) > BYTES_MAX) {
    await stream.cancel();
    throw tooLarge;
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > BYTES_MAX) throw tooLarge;
    chunks.push(chunk);
  }
  return concat(chunks);
}
