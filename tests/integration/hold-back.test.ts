/** A stream's beginning stays here until its first content, so that trouble in its place is met by another account. */
import { describe, expect, it } from "vitest";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import {
  accountView,
  createPair,
  createPool,
  eventually,
  idle,
  messagesBody,
  relayWith,
  stream,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";
import { requestsOf } from "./setup/sessions.ts";
import { requestView } from "./setup/story.ts";

const OVERLOADED = { errorType: "overloaded_error", message: "Overloaded" };
const PING = { earlyPing: true };

const events = (text: string) => [...text.matchAll(/^event: ?(.+?)\r?$/gm)].map(([, name]) => name);
/** Ids differ from answer to answer; everything else must not. */
const withoutIds = (text: string) => text.replace(/(msg|req)_[A-Za-z0-9]+/g, "$1_");

async function direct(secret: string): Promise<string> {
  const response = await fetch(`${upstream.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": secret },
    body: JSON.stringify(messagesBody({ stream: true })),
  });
  return response.text();
}

/** Two accounts, of which the first is asked first and misbehaves. */
async function poolWith(behaviour: Behaviour) {
  const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
  const [first, second] = accounts;
  if (first === undefined || second === undefined) throw new Error("no accounts");
  await upstream.set(first.secret, behaviour);
  return { accounts, key, first, second };
}

interface Reading {
  readonly text: string;
  readonly done: boolean;
}

async function readUntil(
  reader: ReadableStreamDefaultReader<string> | undefined,
  enough: (text: string) => boolean,
): Promise<Reading> {
  let text = "";
  while (!enough(text)) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return { text, done: true };
    text += piece.value;
  }
  return { text, done: false };
}

const readerOf = (response: Response) => response.body?.pipeThrough(new TextDecoderStream()).getReader();
const toTheEnd = () => false;

describe("trouble before the first content", () => {
  it.each<[string, Behaviour, string]>([
    ["an error as the first event", { kind: "errorEvent", afterEvents: 0, ...OVERLOADED }, "overloaded"],
    ["an error after message_start", { kind: "errorEvent", afterEvents: 1, ...OVERLOADED }, "overloaded"],
    [
      "an error after a ping",
      { kind: "errorEvent", afterEvents: 2, answer: PING, ...OVERLOADED },
      "overloaded",
    ],
    ["a broken connection after message_start", { kind: "cut", afterEvents: 1, mode: "reset" }, "network"],
    ["an end after message_start", { kind: "cut", afterEvents: 1, mode: "cleanEnd" }, "network"],
    [
      "a broken connection in the middle of the first block's start",
      { kind: "cut", afterEvents: 1, mode: "reset", midEvent: true },
      "network",
    ],
  ])("is answered by the next account, unseen: %s", async (_, behaviour, reason) => {
    const { key, first, second } = await poolWith(behaviour);
    const response = await stream(key);
    expect(response.status).toBe(200);
    expect(withoutIds(await response.text())).toBe(withoutIds(await direct(second.secret)));
    const record = await requestView(key, response);
    expect(record).toMatchObject({ outcome: "completed", accountId: second.id, attempts: 2 });
    expect(record.routing?.steps).toContainEqual(
      expect.objectContaining({ kind: "failed", account: first.id, reason }),
    );
    const view = await accountView(first);
    expect(view.status?.cooldowns[0]?.reason).toBe(reason);
  });

  it("is an error with a status where nobody else is there", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, { kind: "errorEvent", afterEvents: 1, ...OVERLOADED });
    const response = await stream(key);
    expect(response.status).toBe(529);
    expect(await response.json()).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "failed", status: 529 });
    await idle(account, key);
  });

  it("that speaks of the request is passed on: another account would say the same", async () => {
    const invalid = { errorType: "invalid_request_error", message: "prompt is too long" };
    const { accounts, key } = await poolWith({ kind: "errorEvent", afterEvents: 1, ...invalid });
    const text = await (await stream(key)).text();
    expect(events(text)).toEqual(["message_start", "error"]);
    expect(text).toContain("prompt is too long");
    expect(await requestsOf(accounts)).toEqual([1, 0]);
  });
});

describe("a beginning without content", () => {
  it("is passed on when it has been held back long enough, and the rest follows", async () => {
    const { account, key } = await createPair();
    const gate = unique("gate");
    await upstream.set(account.secret, { kind: "gateInside", afterEvents: 2, gate, answer: PING });
    const reader = readerOf(await stream(key));
    const beginning = await readUntil(reader, (text) => events(text).length === 2);
    expect(events(beginning.text)).toEqual(["message_start", "ping"]);
    await upstream.release(gate);
    const rest = await readUntil(reader, toTheEnd);
    expect(withoutIds(beginning.text + rest.text)).toBe(withoutIds(await direct(account.secret)));
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "completed", estimated: false });
    await idle(account, key);
  });

  it("is followed by the error that comes after it was passed on, and cools the account down", async () => {
    const gate = unique("gate");
    const error = { type: "overloaded_error", message: "Overloaded" };
    const { accounts, key, first } = await poolWith({ kind: "gateInside", afterEvents: 1, gate, error });
    const reader = readerOf(await stream(key));
    await readUntil(reader, (text) => text.includes("message_start"));
    await upstream.release(gate);
    const rest = await readUntil(reader, toTheEnd);
    expect(events(rest.text)).toEqual(["error"]);
    expect(await requestsOf(accounts)).toEqual([1, 0]);
    const view = await eventually(
      () => accountView(first),
      ({ status }) => status?.availability.kind === "cooling",
    );
    expect(view.status?.cooldowns[0]?.reason).toBe("overloaded");
  });

  it("is not held back at all where that is switched off", async () => {
    const gate = unique("gate");
    const error = { type: "overloaded_error", message: "Overloaded" };
    const { accounts, key } = await poolWith({ kind: "gateInside", afterEvents: 1, gate, error });
    const reader = readerOf(await stream(key, { relay: relayWith({ HOLD_BACK_MS: "0" }) }));
    await readUntil(reader, (text) => text.includes("message_start"));
    await upstream.release(gate);
    expect(events((await readUntil(reader, toTheEnd)).text)).toEqual(["error"]);
    expect(await requestsOf(accounts)).toEqual([1, 0]);
  });

  it("that nobody waits for any longer is given up: the upstream is stopped, what it told is booked", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1 });
    const gate = unique("gate");
    await upstream.set(account.secret, { kind: "gateInside", afterEvents: 1, gate });
    const controller = new AbortController();
    const leaving = stream(key, { signal: controller.signal }).catch(() => null);
    await eventually(
      () => upstream.log(account.secret),
      ([entry]) => (entry?.usageStarted ?? null) !== null,
    );
    controller.abort();
    await leaving;
    await upstream.until(account.secret, ({ clientAborts }) => clientAborts === 1);
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "client_gone", accountId: account.id, estimated: true });
    expect(record?.tokens.input).toBeGreaterThan(0);
    expect((await accountView(account)).status?.cooldowns).toEqual([]);
    await idle(account, key);
  });
});

describe("what was held back", () => {
  it.each<[string, Behaviour]>([
    ["in single bytes", answer({ ...PING, chunkBytes: 1 })],
    ["with comments before every event", answer({ ...PING, comments: true })],
    ["with CRLF line ends", answer({ ...PING, lineEnd: "\r\n", chunkBytes: 3 })],
    ["event by event", answer({ ...PING, eventIntervalMs: 5 })],
  ])("reaches the client byte for byte: sent %s", async (_, behaviour) => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, behaviour);
    const relayed = await (await stream(key)).text();
    expect(withoutIds(relayed)).toBe(withoutIds(await direct(account.secret)));
  });

  it("is no longer held back once there is content: what fails then is passed on", async () => {
    const { accounts, key } = await poolWith({ kind: "errorEvent", afterEvents: 3, ...OVERLOADED });
    const text = await (await stream(key)).text();
    expect(events(text)).toEqual(["message_start", "content_block_start", "ping", "error"]);
    expect(await requestsOf(accounts)).toEqual([1, 0]);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "interrupted", error: "overloaded_error" });
  });
});
