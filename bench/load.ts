/** A closed loop: so many clients, each with a request under way at every moment. */
import { Connection, encodeRequest, type Answer } from "./connection.ts";
import type { RequestBody } from "./bodies.ts";
import type { Target } from "./targets.ts";

export interface Load {
  readonly clients: number;
  readonly durationMs: number;
  /** The body that a client sends again and again. */
  readonly bodyOf: (client: number) => RequestBody;
}

export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  /** Of each request, in ms. */
  readonly firstByteMs: readonly number[];
  /** Every answer had this many bytes. */
  readonly bodyBytes: number;
}

function assertRight(answer: Answer, bodyBytes: number, target: Target): void {
  if (answer.status === 200 && answer.bodyBytes === bodyBytes) return;
  throw new Error(
    `${target.name} answered ${String(answer.status)} with ${String(answer.bodyBytes)} bytes, not 200 with ${String(bodyBytes)}`,
  );
}

export async function closedLoop(target: Target, load: Load): Promise<LoadResult> {
  const clients = await Promise.all(
    Array.from({ length: load.clients }, async (_, index) => ({
      connection: await Connection.open(target),
      request: encodeRequest(target, load.bodyOf(index)),
    })),
  );
  const firstByteMs: number[] = [];
  let bodyBytes: number | null = null;
  const startedAt = performance.now();
  const deadline = startedAt + load.durationMs;
  await Promise.all(
    clients.map(async ({ connection, request }) => {
      while (performance.now() < deadline) {
        const answer = await connection.send(request);
        bodyBytes ??= answer.bodyBytes;
        assertRight(answer, bodyBytes, target);
        firstByteMs.push(answer.firstByteMs);
      }
    }),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  for (const { connection } of clients) connection.close();
  return { requests: firstByteMs.length, seconds, firstByteMs, bodyBytes: bodyBytes ?? 0 };
}
