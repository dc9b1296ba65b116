/** The contract of every provider: what passes between client and upstream, and what is booked of it. */
import { describe, expect, it } from "vitest";
import { PROVIDERS } from "../../../worker/providers/index.ts";
import { answer } from "../../upstream/behaviour.ts";
import { SECRET_COOKIE, SECRET_ORGANIZATION } from "../../upstream/response-headers.ts";
import { fetchRelay, idle, patientRelay, relayWith, unique, upstream, usageOf } from "../setup/relay.ts";
import { CASES, pathOf, send, serve, sha256, STREAM_CASES, type Case } from "./cases.ts";
import { USAGE } from "./dialects.ts";
import { FIXTURE_IDS } from "./fixtures.ts";

const TEXT = "多字节字符 und Ümläute 😀👩‍👩‍👧 — the end";

/** The same bytes for everybody who asks for it in the same dialect. */
const sameFor = ({ dialect }: Case) =>
  answer({ id: "msg_of_the_contract", model: dialect.model, usage: USAGE, text: TEXT });

/** What the vendor whose protocol it is answers, without a relay between. */
async function native({ dialect }: Case, stream: boolean, behaviour: ReturnType<typeof answer>) {
  const secret = unique("native");
  await upstream.set(secret, behaviour);
  return fetch(`${upstream.url}${dialect.path(stream)}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${secret}` },
    body: JSON.stringify(dialect.body("Hello", stream)),
  });
}

describe("the fixtures", () => {
  it("are those of the registry", () => {
    expect(FIXTURE_IDS.toSorted()).toEqual([...PROVIDERS.keys()].toSorted());
  });
});

describe.each(STREAM_CASES)("a stream of $name", (each) => {
  it.each([
    ["as the upstream does it", {}],
    ["21: cut in the middle of characters", { chunkBytes: 1 }],
    ["21: in pieces of seven bytes, event by event", { chunkBytes: 7, events: 20 }],
    ["21: with CRLF line ends", { lineEnd: "\r\n", chunkBytes: 5 }],
    ["21: with LF line ends", { lineEnd: "\n", chunkBytes: 5 }],
    ["21: with an event larger than a megabyte", { largeEventBytes: 1_500_000 }],
    ["21: with comment lines", { comments: true }],
    ["21: with data: and no space", { spacelessData: true }],
    ["22: compressed although nobody asked", { gzip: true, events: 10 }],
  ] as const)("%s, is what the protocol's own upstream sends", async (_, shape) => {
    const served = await serve(each);
    const behaviour = { ...sameFor(each), ...shape };
    await upstream.set(served.subject, behaviour);
    const response = await send(each, served, { stream: true, relay: patientRelay });
    expect(response.headers.get("content-encoding")).toBeNull();
    const relayed = new Uint8Array(await response.arrayBuffer());
    const direct = new Uint8Array(await (await native(each, true, behaviour)).arrayBuffer());
    if (each.fixture.passesBytes) expect(await sha256(relayed)).toBe(await sha256(direct));
    const [events, expected] = [relayed, direct].map((bytes) =>
      each.dialect.events(new TextDecoder().decode(bytes)),
    );
    expect(events).toEqual(expected);
    expect(events?.at(-1)).toEqual(each.dialect.end);
  });

  it.each([
    ["as it usually is", {}],
    ["with an event larger than a megabyte", { largeEventBytes: 1_500_000 }],
  ])("%s, is booked to the token", async (_, shape) => {
    const served = await serve(each);
    await upstream.set(served.subject, { ...sameFor(each), ...shape });
    await (await send(each, served, { stream: true, relay: patientRelay })).text();
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({
      provider: each.provider.id,
      accountId: served.account.id,
      model: each.dialect.model,
      outcome: "completed",
      stream: true,
      estimated: false,
      tokens: each.dialect.tokens,
    });
    expect(record?.cost).toBeGreaterThan(0);
    await idle(served.account, served.key);
  });
});

describe.each(CASES)("a whole answer of $name", (each) => {
  it.each([
    ["as it usually is", {}],
    ["of more than a megabyte", { largeEventBytes: 1_500_000 }],
  ])("%s, is what the protocol's own upstream answers, and booked to the token", async (_, shape) => {
    const served = await serve(each);
    const behaviour = { ...sameFor(each), ...shape };
    await upstream.set(served.subject, behaviour);
    const response = await send(each, served, { relay: patientRelay });
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual(await (await native(each, false, behaviour)).json());
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({
      provider: each.provider.id,
      model: each.dialect.model,
      outcome: "completed",
      stream: false,
      estimated: false,
      tokens: each.dialect.tokens,
    });
    await idle(served.account, served.key);
  });
});

/** What the platform itself puts on every request that a worker makes, and nobody can take off. */
const PLATFORM_HEADER = "cf-worker";

/** What a client, its network and the network's edge put on a request, all with the relay key in it. */
const revealing = (key: string) => ({
  "x-api-key": key,
  "api-key": key,
  "x-goog-api-key": key,
  authorization: `Bearer ${key}`,
  cookie: `session=${key}`,
  "cf-access-client-secret": key,
  "cf-connecting-ip": "1.2.3.4",
  "cf-ipcountry": "DE",
  "cf-ray": "8a1b2c3d4e5f-FRA",
  "cf-visitor": '{"scheme":"https"}',
  "proxy-authorization": `Bearer ${key}`,
  "x-forwarded-for": "1.2.3.4",
  "x-real-ip": "1.2.3.4",
  "x-relay-key": key,
});

describe.each(CASES)("the headers of $name", (each) => {
  it.each([true, false])(
    "24: keep relay key, cookie and cf-* from the upstream, and its account from the client (stream: %s)",
    async (stream) => {
      const served = await serve(each);
      const path = pathOf(each, stream);
      const response = await fetchRelay(`${path}${path.includes("?") ? "&" : "?"}key=${served.key.key}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...revealing(served.key.key) },
        body: JSON.stringify(each.dialect.body("Hello", stream)),
      });
      expect(response.status).toBe(200);
      await response.text();
      const [entry] = await upstream.log(served.subject);
      expect(JSON.stringify(entry)).not.toContain(served.key.key);
      const names = Object.keys(entry?.headers ?? {}).filter((name) => name !== PLATFORM_HEADER);
      expect(names).toContain("content-type");
      expect(names.filter((name) => /^(cf-|cookie|proxy-|x-forwarded|x-real|x-relay)/.test(name))).toEqual(
        [],
      );
      const received = JSON.stringify([...response.headers]);
      for (const secret of [SECRET_ORGANIZATION, SECRET_COOKIE]) expect(received).not.toContain(secret);
      expect(received).not.toMatch(/"(cf-ray|set-cookie|openai-organization|anthropic-organization-id)"/);
    },
  );
});

/** The largest body that Anthropic takes has 32 MB; what a provider adds to it must still fit. */
const LARGE_BYTES = 30_000_000;
const LARGE_TIMEOUT_MS = 60_000;
const roomyRelay = relayWith({
  BODY_BYTES_MAX: "32000000",
  HEADERS_TIMEOUT_MS: "60000",
  ANSWER_TIMEOUT_MS: "60000",
});

describe.each(CASES)("a request of 30 MB to $name", (each) => {
  it(
    "arrives as it was sent, but for what its upstream wants of its own",
    async () => {
      const served = await serve(each);
      await upstream.recordBodies(served.subject);
      const text = "x€".repeat(LARGE_BYTES / 4);
      const response = await send(each, served, { stream: true, text, relay: roomyRelay });
      expect([response.status, each.dialect.events(await response.text()).at(-1)]).toEqual([
        200,
        each.dialect.end,
      ]);
      const { dialect, fixture } = each;
      const body = dialect.body(text, true);
      const expected = new TextEncoder().encode(
        JSON.stringify(fixture.upstreamBody?.(body, dialect.model) ?? body),
      );
      const [entry] = await upstream.log(served.subject);
      expect(entry?.bodyBytes).toBe(expected.length);
      expect(entry?.bodySha256).toBe(await sha256(expected));
    },
    LARGE_TIMEOUT_MS,
  );
});
