/** Clients that leave before their answer has begun: nothing goes on without them, and the ledger knows. */
import { describe, expect, it } from "vitest";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { call, createPair, idle, patientRelay, unique, upstream, usageOf } from "./setup/relay.ts";

const gated = (): Behaviour => ({ kind: "gate", gate: unique("gate"), then: answer() });

describe("a client that leaves while the upstream", () => {
  it.each<[string, Behaviour, boolean]>([
    ["has not answered yet", gated(), false],
    ["has not begun its stream yet", gated(), true],
    ["has sent half of a complete answer", { kind: "hang", phase: "midStream" }, false],
  ])("%s stops it, frees its slots, and is in the ledger", async (_, behaviour, streamed) => {
    const { account, key } = await createPair({ maxConcurrency: 1 }, { concurrency: 1 });
    await upstream.set(account.secret, behaviour);
    const controller = new AbortController();
    const leaving = call(key, {
      body: { stream: streamed },
      signal: controller.signal,
      relay: patientRelay,
    }).catch(() => null);
    await upstream.until(account.secret, ({ open }) => open === 1);
    controller.abort();
    await leaving;
    await upstream.until(account.secret, ({ open, clientAborts }) => open === 0 && clientAborts === 1);
    await idle(account, key);
    expect((await usageOf(key))[0]).toMatchObject({
      outcome: "client_gone",
      status: 499,
      accountId: account.id,
    });
  });
});
