/** The contract of every provider: what a client hears while its upstream is silent. Conformance item 25. */
import { describe, expect, it } from "vitest";
import { PROTOCOLS } from "../../../worker/protocols/index.ts";
import { answer } from "../../upstream/behaviour.ts";
import { idle, relayWith, upstream, usageOf } from "../setup/relay.ts";
import { send, serve, STREAM_CASES, type Case } from "./cases.ts";

/** Several heartbeats long, so that a busy machine does not miss them all. */
const SILENCE_MS = 2_400;
const beatingRelay = relayWith({
  HEARTBEAT_MS: "600",
  IDLE_TIMEOUT_MS: "20000",
  HEADERS_TIMEOUT_MS: "20000",
  ANSWER_TIMEOUT_MS: "20000",
});

/** Several wait at the same time on a machine that may have other work. */
const TIMEOUT_MS = 30_000;

const heartbeatOf = ({ protocol }: Case): string | null => {
  const { heartbeat } = PROTOCOLS[protocol];
  return heartbeat === null ? null : new TextDecoder().decode(heartbeat);
};

async function streamThrough(each: Case, place: "between" | "inside"): Promise<string> {
  const served = await serve(each);
  const silence = { ms: SILENCE_MS, place };
  await upstream.set(served.subject, answer({ text: "slow", events: 4, silence }));
  const text = await (await send(each, served, { stream: true, relay: beatingRelay })).text();
  const [record] = await usageOf(served.key);
  expect(record).toMatchObject({ outcome: "completed", estimated: false });
  await idle(served.account, served.key);
  return text;
}

// Side by side: each of them is nothing but waiting.
describe.concurrent("a silence of the upstream", { timeout: TIMEOUT_MS }, () => {
  it.each(STREAM_CASES)(
    "25: between two events is filled by a comment, if the dialect has one: $name",
    async (each) => {
      const text = await streamThrough(each, "between");
      const heartbeat = heartbeatOf(each);
      if (heartbeat === null) expect(text).not.toContain("keep-alive");
      else expect(text).toContain(heartbeat);
      expect(each.dialect.events(text).at(-1)).toEqual(each.dialect.end);
    },
  );

  it.each(STREAM_CASES)("25: inside an event stays a silence: $name", async (each) => {
    const text = await streamThrough(each, "inside");
    const heartbeat = heartbeatOf(each);
    // What has a form of its own is told event by event: a client never sees half of one, and may hear a heartbeat.
    if (heartbeat === null || each.fixture.passesBytes) expect(text).not.toContain("keep-alive");
    else for (const before of text.split(heartbeat).slice(0, -1)) expect(before).toMatch(/(^|\n\n)$/);
    const events = each.dialect.events(text);
    expect(events.slice(0, -1).filter((event) => typeof event === "string")).toEqual([]);
    expect(events.at(-1)).toEqual(each.dialect.end);
  });

  it.each(STREAM_CASES)("that does not end, ends the answer: $name", async (each) => {
    const served = await serve(each);
    await upstream.set(served.subject, { kind: "hang", phase: "midStream", afterEvents: 3 });
    const events = each.dialect.events(await (await send(each, served, { stream: true })).text());
    expect(events.at(-1)).toEqual(each.dialect.streamError);
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "interrupted", estimated: true });
    await idle(served.account, served.key);
  });
});
