/** The contract of every provider: streams that end before their time. */
import { describe, expect, it } from "vitest";
import type { Behaviour } from "../../upstream/behaviour.ts";
import { idle, upstream, usageOf } from "../setup/relay.ts";
import { send, serve, STREAM_CASES } from "./cases.ts";

const ANSWER = { events: 40, text: "word ".repeat(400), eventIntervalMs: 2 };
const CUT: Behaviour = { kind: "cut", afterEvents: 12, mode: "reset", answer: ANSWER };

describe.each(STREAM_CASES)("a stream of $name", (each) => {
  it("that its client leaves is stopped at the upstream, booked as far as it came, and gone", async () => {
    const served = await serve(each, { account: { maxConcurrency: 1 } });
    await upstream.set(served.subject, { kind: "endless", intervalMs: 5 });
    const reader = (await send(each, served, { stream: true })).body?.getReader();
    for (let piece = 0; piece < 5; piece++) await reader?.read();
    await reader?.cancel();
    await upstream.until(served.subject, ({ open, clientAborts }) => open === 0 && clientAborts === 1);
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "client_gone", estimated: true, status: 200 });
    expect(record?.tokens.output).toBeGreaterThan(0);
    await idle(served.account, served.key);
  });

  it.each<[string, Behaviour]>([
    ["by its upstream's connection", CUT],
    ["inside an event", { ...CUT, midEvent: true }],
    ["as if it were whole", { ...CUT, mode: "cleanEnd" }],
    ["inside an event, as if it were whole", { ...CUT, mode: "cleanEnd", midEvent: true }],
  ])("14: that is cut %s ends with one error of its own protocol, and is booked so", async (_, behaviour) => {
    const served = await serve(each);
    await upstream.set(served.subject, behaviour);
    const response = await send(each, served, { stream: true });
    expect(response.status).toBe(200);
    const events = each.dialect.events(await response.text());
    expect(events.length).toBeGreaterThan(5);
    expect(events.at(-1)).toEqual(each.dialect.streamError);
    expect(events.slice(0, -1)).not.toContainEqual(each.dialect.streamError);
    expect(events).not.toContainEqual(each.dialect.end);
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "interrupted", estimated: true, status: 200 });
    expect(record?.tokens.output).toBeGreaterThan(0);
    await idle(served.account, served.key);
  });
});
