/** What passes through, and how it ends: conformance items 14, 21, 24 and 25. */
import { describe, expect, it } from "vitest";
import { answer, errorBody, type Behaviour } from "../upstream/behaviour.ts";
import { SECRET_COOKIE, SECRET_ORGANIZATION } from "../upstream/response-headers.ts";
import {
  call,
  createPair,
  fetchRelay,
  idle,
  messagesBody,
  stream,
  upstream,
  usageOf,
} from "./setup/relay.ts";

const events = (text: string) => [...text.matchAll(/^event: ?(.+?)\r?$/gm)].map(([, name]) => name);

/** The same request sent to the upstream without the relay between. */
async function direct(secret: string, body: Record<string, unknown>): Promise<Uint8Array> {
  const response = await fetch(`${upstream.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": secret },
    body: JSON.stringify(messagesBody(body)),
  });
  return new Uint8Array(await response.arrayBuffer());
}

/** Ids differ from answer to answer; everything else must not. */
const withoutIds = (bytes: Uint8Array) =>
  new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
    .decode(bytes)
    .replace(/(msg|req|toolu)_[A-Za-z0-9]+/g, "$1_");

describe("21: bytes", () => {
  const text = "多字节字符 und Ümläute 😀👩‍👩‍👧 — the end";
  it.each<[string, Behaviour]>([
    ["with CR line ends", answer({ text, lineEnd: "\r", chunkBytes: 5 })],
    ["with a byte order mark", answer({ text, bom: true })],
  ])("arrive as they were sent: %s", async (_, behaviour) => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, behaviour);
    const response = await stream(key);
    const relayed = new Uint8Array(await response.arrayBuffer());
    expect(response.headers.get("content-encoding")).toBeNull();
    expect(withoutIds(relayed)).toBe(withoutIds(await direct(account.secret, { stream: true })));
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });

  it("of the request arrive unchanged, unknown fields and white space included", async () => {
    const { account, key } = await createPair();
    await upstream.recordBodies(account.secret);
    const body = `{ "model" : "claude-sonnet-4-5",\n\t"max_tokens": 1e2, "unknown_field": [1.50, "é\\u00e9"],\r\n "messages":[{"role":"user","content":"x"},{"role":"system","content":"y"}] }`;
    const response = await fetchRelay("/v1/messages", {
      method: "POST",
      headers: { "x-api-key": key.key },
      body,
    });
    expect(response.status).toBe(200);
    const [entry] = await upstream.log(account.secret);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(body)));
    expect(entry?.bodySha256).toBe([...digest].map((byte) => byte.toString(16).padStart(2, "0")).join(""));
  });
});

describe("14: the end of a stream", () => {
  it("is the upstream's own: no [DONE], nothing after message_stop", async () => {
    const { key } = await createPair();
    const text = await (await stream(key)).text();
    expect(events(text).at(-1)).toBe("message_stop");
    expect(text).not.toContain("[DONE]");
  });

  it("before its first event is an error with a status, not a stream", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, { kind: "cut", afterEvents: 0, mode: "reset" });
    const response = await stream(key);
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "api_error" } });
  });

  it("that was silent when its client left is stopped at once, not at its next event", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, { kind: "hang", phase: "midStream", afterEvents: 5 });
    const controller = new AbortController();
    const response = await stream(key, { signal: controller.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    const leftAt = Date.now();
    controller.abort();
    await upstream.until(account.secret, ({ clientAborts }) => clientAborts === 1);
    expect(Date.now() - leftAt).toBeLessThan(800);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "client_gone", estimated: true });
    await idle(account, key);
  });

  it("is complete in the ledger when the client hangs up on the terminal event", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ events: 5 }));
    const response = await stream(key);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes('"message_stop"}')) text += (await reader?.read())?.value ?? "";
    await reader?.cancel();
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });
});

describe("25: a heartbeat", () => {
  it("comes before the first event, too", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, answer({ firstEventDelayMs: 2800 }));
    const text = await (await stream(key)).text();
    expect(text.startsWith(": keep-alive\n\n")).toBe(true);
    expect(events(text).at(-1)).toBe("message_stop");
  });
});

describe("24: headers", () => {
  it("that carry or describe the client stay here; those that the call needs go on", async () => {
    const { account, key } = await createPair();
    await call(key, {
      headers: {
        authorization: `Bearer ${key.key}`,
        cookie: "session=1",
        "cf-connecting-ip": "1.2.3.4",
        "x-forwarded-for": "1.2.3.4",
        "x-real-ip": "1.2.3.4",
        origin: "https://client.test",
        referer: "https://client.test/page",
        "x-relay-account": "acc_other",
        "x-admin-token": "t",
        "proxy-authorization": "Basic x",
        "user-agent": "claude-cli/2.1.329 (external, cli)",
        "anthropic-version": "2026-10-21",
        "anthropic-beta": "a-2025-01-01,b-2025-02-02",
        "x-app": "cli",
        "x-stainless-lang": "js",
      },
    });
    const [entry] = await upstream.log(account.secret);
    const headers = entry?.headers ?? {};
    expect(headers).toMatchObject({
      "user-agent": "claude-cli/2.1.329 (external, cli)",
      "anthropic-version": "2026-10-21",
      "anthropic-beta": "a-2025-01-01,b-2025-02-02",
      "x-app": "cli",
      "x-stainless-lang": "js",
      "x-api-key": account.secret,
    });
    const sent = JSON.stringify(headers);
    expect(sent).not.toContain(key.key);
    for (const name of [
      "cookie",
      "cf-connecting-ip",
      "x-forwarded-for",
      "x-real-ip",
      "origin",
      "referer",
      "x-relay-account",
      "x-admin-token",
      "proxy-authorization",
      "authorization",
    ]) {
      expect(headers[name]).toBeUndefined();
    }
  });

  it.each([false, true])(
    "of the upstream that speak of its account do not reach the client (stream: %s)",
    async (streamed) => {
      const { key } = await createPair();
      const response = await call(key, { body: { stream: streamed } });
      await response.text();
      const received = JSON.stringify([...response.headers]);
      expect(received).not.toContain(SECRET_ORGANIZATION);
      expect(received).not.toContain(SECRET_COOKIE);
      expect(received).not.toMatch(/cf-ray|anthropic-ratelimit|set-cookie/);
      expect(response.headers.get("request-id")).toMatch(/^req_/);
    },
  );

  it("and error texts never carry a credential back to the client", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, {
      kind: "status",
      status: 400,
      body: errorBody("invalid_request_error", `The key ${account.secret} may not do this`),
    });
    const text = await (await call(key)).text();
    expect(text).not.toContain(account.secret);
    expect(text).toContain("may not do this");
  });
});
