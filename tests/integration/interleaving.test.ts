/** Many at once: each client gets its own answer, and nothing of another's. */
import { describe, expect, it } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import { createPool, stream, upstream } from "./setup/relay.ts";

describe("a thousand interleaved answers", () => {
  it("each reach the client that asked", async () => {
    const { accounts, key } = await createPool([{}, {}, {}]);
    for (const { secret } of accounts) await upstream.set(secret, answer({ events: 1 }));
    const canaries = Array.from(
      { length: 1000 },
      (_, index) => `canary-${String(index)}-${crypto.randomUUID().slice(0, 8)}`,
    );
    for (let at = 0; at < canaries.length; at += 100) {
      await Promise.all(
        canaries.slice(at, at + 100).map(async (canary) => {
          const response = await stream(key, { body: { messages: [{ role: "user", content: canary }] } });
          const text = await response.text();
          expect(text).toContain(canary.slice(0, 20));
        }),
      );
    }
  }, 60_000);
});
