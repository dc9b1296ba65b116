/** What passes through a proxy and how it ends: as without one, by both ways. Security case E9. */
import { describe, expect, it } from "vitest";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { call, idle, messagesBody, stream, unique, upstream, usageOf } from "./setup/relay.ts";
import { control, createProxiedPair, placeOf, relayBy, started, WAYS } from "./setup/proxies.ts";

/** Ids differ from answer to answer; everything else must not. */
const withoutIds = (text: string) => text.replace(/(msg|req|toolu)_[A-Za-z0-9]+/g, "$1_");

async function direct(secret: string): Promise<string> {
  const response = await fetch(`${upstream.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": secret },
    body: JSON.stringify(messagesBody({ stream: true })),
  });
  return response.text();
}

const LARGE_BODY_CHARS = 30_000_000;
const text = "多字节字符 und Ümläute 😀👩‍👩‍👧 — the end";

/** Processes are started on the way, and bodies of many megabytes go through several of them. */
const TEST_TIMEOUT_MS = 30_000;

describe.each(WAYS)("by the %s", { timeout: TEST_TIMEOUT_MS }, (way) => {
  const relay = relayBy(way);
  const throughSocks = async () => createProxiedPair(placeOf("socks5", await started("socks5")));
  const throughConnect = async () => createProxiedPair(placeOf("http", await started("http")));

  it.each<[string, Behaviour]>([
    ["cut in the middle of characters", answer({ text, chunkBytes: 1 })],
    ["of events larger than a megabyte", answer({ text, largeEventBytes: 1_500_000 })],
    ["compressed although nobody asked", answer({ text, gzip: true, events: 10 })],
    ["of many events", answer({ text, events: 500 })],
  ])("a stream arrives as it was sent: %s", async (_, behaviour) => {
    const { account, key } = await throughSocks();
    await upstream.set(account.secret, behaviour);
    const relayed = await (await stream(key, { relay })).text();
    expect(withoutIds(relayed)).toBe(withoutIds(await direct(account.secret)));
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });

  it.each([
    ["SOCKS5", throughSocks],
    ["CONNECT", throughConnect],
  ])("the first event arrives before the last is sent, through %s", async (_, create) => {
    const { account, key } = await create();
    const gate = unique("gate");
    await upstream.next(account.secret, { kind: "gateInside", afterEvents: 4, gate });
    const response = await stream(key, { relay });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    if (reader === undefined) throw new Error("no body");
    expect((await reader.read()).value).toContain("message_start");
    expect((await upstream.statsOf(account.secret)).open).toBe(1);
    await upstream.release(gate);
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) rest += piece.value;
    expect(rest).toContain("message_stop");
    await idle(account, key);
  });

  it("a request of thirty megabytes arrives whole", async () => {
    const { account, key } = await throughSocks();
    const content = "x".repeat(LARGE_BODY_CHARS);
    const response = await call(key, {
      relay: relayBy(way, {
        BODY_BYTES_MAX: "40000000",
        HEADERS_TIMEOUT_MS: "60000",
        ANSWER_TIMEOUT_MS: "60000",
      }),
      body: { messages: [{ role: "user", content }] },
    });
    expect(response.status, await response.text()).toBe(200);
    const [entry] = await upstream.log(account.secret);
    expect(entry?.bodyBytes).toBeGreaterThan(LARGE_BODY_CHARS);
  });

  it.each(["socks5", "http"] as const)(
    "a %s proxy that dies in the middle of a stream ends it with an error event, and it is booked",
    async (kind) => {
      const proxy = await control.start({ kind });
      const { account, key } = await createProxiedPair(placeOf(kind, proxy));
      const gate = unique("gate");
      await upstream.next(account.secret, { kind: "gateInside", afterEvents: 4, gate });
      const response = await stream(key, { relay });
      expect(response.status).toBe(200);
      await control.kill(proxy);
      const body = await response.text();
      expect(body).toContain("event: message_start");
      expect(body).toContain("event: error");
      expect(body).not.toContain("message_stop");
      const [record] = await usageOf(key);
      expect(record).toMatchObject({
        outcome: "interrupted",
        error: "upstream_interrupted",
        accountId: account.id,
        estimated: true,
      });
      await idle(account, key);
      await upstream.release(gate);
    },
  );

  it.each<[string, Behaviour, boolean]>([
    ["a length that was not kept", { kind: "malformed", what: "wrongLength" }, false],
    ["a reset", { kind: "cut", afterEvents: 5, mode: "reset" }, true],
    ["an early end", { kind: "cut", afterEvents: 5, mode: "cleanEnd" }, true],
    ["compression that breaks off", { kind: "malformed", what: "truncatedGzip" }, false],
  ])("%s is not taken for a whole answer", async (_, behaviour, streamed) => {
    const { account, key } = await throughSocks();
    await upstream.set(account.secret, behaviour);
    const response = await call(key, { relay, body: { stream: streamed } });
    const body = await response.text();
    if (response.status === 200) expect(body).toContain("event: error");
    else expect(response.status).toBe(502);
    await idle(account, key);
  });

  it("a client that leaves stops the upstream, and nothing stays behind", async () => {
    const { account, key } = await throughSocks();
    await upstream.set(account.secret, { kind: "endless", intervalMs: 20 });
    const controller = new AbortController();
    const response = await stream(key, { relay, signal: controller.signal });
    await response.body?.getReader().read();
    controller.abort();
    await upstream.until(account.secret, ({ open, clientAborts }) => open === 0 && clientAborts === 1);
    await idle(account, key);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "client_gone" });
  });

  it("a client that leaves before the answer has begun stops the upstream as well", async () => {
    const { account, key } = await throughSocks();
    await upstream.set(account.secret, { kind: "hang", phase: "beforeHeaders" });
    const controller = new AbortController();
    const leaving = call(key, {
      signal: controller.signal,
      relay: relayBy(way, { ANSWER_TIMEOUT_MS: "60000" }),
    }).catch(() => null);
    await upstream.until(account.secret, ({ open }) => open === 1);
    controller.abort();
    await leaving;
    await upstream.until(account.secret, ({ open }) => open === 0);
    await idle(account, key);
  });
});
