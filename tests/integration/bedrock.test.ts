/** Accounts of Amazon Bedrock: conformance item 18 (a frame split over chunks, exception frames, figures from the metrics). */
import { describe, expect, it } from "vitest";
import { answer, bedrockError, type Behaviour } from "../upstream/behaviour.ts";
import { BEDROCK_EXPIRED } from "../upstream/bedrock-keys.ts";
import { accessKeyId, bedrockAccount, REGION } from "./setup/bedrock.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  createPool,
  idle,
  messagesBody,
  stream,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";
import { storyOf } from "./setup/story.ts";

const PROFILE = "us.anthropic.claude-sonnet-4-5-20250929-v1%3A0";
const USAGE = {
  input_tokens: 1_001,
  output_tokens: 202,
  cache_read_input_tokens: 3_003,
  cache_creation: { ephemeral_5m_input_tokens: 44, ephemeral_1h_input_tokens: 55 },
};
const TOKENS = {
  input: 1_001,
  output: 202,
  cacheRead: 3_003,
  cacheWrite5m: 44,
  cacheWrite1h: 55,
  webSearches: 0,
};

async function bedrockPair(overrides: Record<string, unknown> = {}) {
  const id = accessKeyId();
  const { account, key } = await createPair({ ...bedrockAccount(id), ...overrides });
  return { account, key, id };
}

const events = (text: string) => [...text.matchAll(/^event: (.+)$/gm)].map(([, name]) => name);

describe("a call of an account of Bedrock", () => {
  it("goes to the region's profile of the model, and comes back as Anthropic's answer", async () => {
    const { key, id } = await bedrockPair();
    await upstream.recordBodies(id);
    await upstream.set(id, answer({ usage: USAGE, text: "你好" }));
    const response = await call(key, {
      path: "/v1/messages?beta=true",
      headers: { "anthropic-beta": "a,b" },
    });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ type: "message", content: [{ type: "text" }] });
    const [entry] = await upstream.log(id);
    expect(entry?.path).toBe(`/model/${PROFILE}/invoke`);
    const { model: _, ...rest } = messagesBody();
    expect(entry?.body).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      anthropic_beta: ["a", "b"],
      ...rest,
    });
    const [record] = await usageOf(key);
    expect(record).toMatchObject({
      provider: "bedrock",
      outcome: "completed",
      estimated: false,
      tokens: TOKENS,
    });
    expect(record?.cost).toBeGreaterThan(0);
  });

  it("takes what the account's own map names before the table", async () => {
    const { key, id } = await bedrockPair({ modelMap: { "claude-*": "eu.anthropic.claude-opus-5-5" } });
    expect((await call(key)).status).toBe(200);
    expect((await upstream.log(id))[0]?.path).toBe("/model/eu.anthropic.claude-opus-5-5/invoke");
  });

  it("carries no credential, cookie or version of the client's", async () => {
    const { key, id } = await bedrockPair();
    await call(key, { headers: { "anthropic-version": "2023-06-01", cookie: "a=b" } });
    const [entry] = await upstream.log(id);
    expect(JSON.stringify(entry?.headers)).not.toContain(key.key);
    expect(Object.keys(entry?.headers ?? {})).not.toEqual(expect.arrayContaining(["cookie"]));
    expect(entry?.headers).not.toHaveProperty("anthropic-version");
  });

  it("counts tokens by Bedrock's own count, of the model below the profile", async () => {
    const { key, id } = await bedrockPair();
    await upstream.order({ subject: id, endpoint: "count_tokens", standing: answer({ usage: USAGE }) });
    const response = await call(key, { path: "/v1/messages/count_tokens", body: { max_tokens: undefined } });
    expect([response.status, await response.json()]).toEqual([200, { input_tokens: 1_001 }]);
    const [entry] = await upstream.log(id);
    expect(entry?.path).toBe("/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/count-tokens");
  });

  it("says in Anthropic's form that a model's tokens cannot be counted there", async () => {
    const { key } = await bedrockPair({
      modelMap: { "claude-*": "arn:aws:bedrock:us-east-1:1:inference-profile/x" },
    });
    const response = await call(key, { path: "/v1/messages/count_tokens" });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: {
        type: "invalid_request_error",
        message: "The provided model doesn't support counting tokens.",
      },
    });
  });

  it("loses the scope of its cache marks, which Bedrock refuses, and keeps their lifetime", async () => {
    const { key, id } = await bedrockPair();
    await upstream.recordBodies(id);
    const mark = (cache_control: unknown) => [{ type: "text", text: "You help.", cache_control }];
    const response = await call(key, {
      body: { system: mark({ type: "ephemeral", ttl: "1h", scope: "global" }) },
    });
    expect(response.status).toBe(200);
    const [entry] = await upstream.log(id);
    expect(entry?.body).toMatchObject({ system: mark({ type: "ephemeral", ttl: "1h" }) });
    expect((await usageOf(key))[0]?.tokens.cacheWrite1h).toBe(200);
  });
});

describe("signing in at Bedrock", () => {
  it("works with a temporary access key and its session token", async () => {
    const id = accessKeyId("ASIA");
    const { key } = await createPair(bedrockAccount(id));
    expect((await stream(key)).status).toBe(200);
    expect((await upstream.log(id))[0]?.status).toBe(200);
  });

  it("works with a Bedrock API key, unsigned", async () => {
    const bearerToken = unique("bedrock-api-key");
    const { key } = await createPair({ ...bedrockAccount("-"), credential: { bearerToken, region: REGION } });
    const text = await (await stream(key)).text();
    expect(events(text).at(-1)).toBe("message_stop");
    const [entry] = await upstream.log(bearerToken);
    expect(Object.keys(entry?.headers ?? {}).filter((name) => name.startsWith("x-amz"))).toEqual([]);
  });

  it.each([
    ["an expired session", { sessionToken: BEDROCK_EXPIRED }],
    ["a wrong secret", { secretAccessKey: "not-the-secret" }],
  ])("with %s makes the account rest, and the client's request goes elsewhere", async (_, wrong) => {
    const first = accessKeyId();
    const { accounts, key } = await createPool([
      { ...bedrockAccount(first, wrong), priority: 1 },
      { ...bedrockAccount(accessKeyId()), priority: 2 },
    ]);
    expect((await call(key)).status).toBe(200);
    const resting = await Promise.all(accounts.map(accountView));
    expect(resting[0]?.status?.cooldowns).toMatchObject([{ reason: "unauthorized" }]);
    expect(JSON.stringify(resting)).not.toContain("not-the-secret");
  });

  it.each([
    ["no way in", { region: REGION }],
    ["half of a way", { region: REGION, accessKeyId: accessKeyId() }],
    ["two ways", { region: REGION, bearerToken: "b", accessKeyId: accessKeyId(), secretAccessKey: "s" }],
    ["a region that is another host", { region: "us-east-1.evil.test/", bearerToken: "b" }],
    ["a region with a port", { region: "us-east-1:443", bearerToken: "b" }],
    ["a line break", { region: REGION, bearerToken: "a\r\nx: y" }],
  ])("is refused when the account is made with %s", async (_, credential) => {
    const response = await admin("POST", "/accounts", { name: unique("a"), provider: "bedrock", credential });
    expect(response.status).toBe(400);
  });
});

describe("18: a stream of Bedrock", () => {
  it.each<[string, Behaviour]>([
    ["frame by frame", answer({ usage: USAGE, eventIntervalMs: 1 })],
    ["in one piece", answer({ usage: USAGE })],
    ["a byte at a time", answer({ usage: USAGE, chunkBytes: 1 })],
    ["in pieces that cut its frames", answer({ usage: USAGE, chunkBytes: 61, events: 20 })],
    ["with a frame larger than a megabyte", answer({ usage: USAGE, largeEventBytes: 1_500_000 })],
  ])("becomes Anthropic's, and is booked to the token: %s", async (_, behaviour) => {
    const { account, key, id } = await bedrockPair();
    await upstream.set(id, behaviour);
    const response = await stream(key);
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const text = await response.text();
    expect(events(text)[0]).toBe("message_start");
    expect(events(text).at(-1)).toBe("message_stop");
    expect(text).not.toContain("amazon-bedrock");
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", estimated: false, tokens: TOKENS });
    expect((await upstream.log(id))[0]?.path).toBe(`/model/${PROFILE}/invoke-with-response-stream`);
    await idle(account, key);
  });

  it("is booked by Bedrock's metrics where its events tell no figures", async () => {
    const { key, id } = await bedrockPair();
    await upstream.set(id, answer({ usage: USAGE, omitUsage: true }));
    const text = await (await stream(key)).text();
    expect(events(text).at(-1)).toBe("message_stop");
    const [record] = await usageOf(key);
    // The metrics do not split the cache writes by their lifetimes.
    const tokens = { ...TOKENS, cacheWrite5m: 99, cacheWrite1h: 0 };
    expect(record).toMatchObject({ outcome: "completed", estimated: false, tokens });
  });

  it.each<[string, Behaviour, string]>([
    ["throttling", exception("throttlingException"), "rate_limited"],
    ["an internal error", exception("internalServerException"), "server_error"],
    ["an overload", exception("serviceUnavailableException"), "overloaded"],
    ["a wrong checksum", { kind: "malformed", what: "checksum" }, "server_error"],
  ])(
    "that turns out to be %s before its content is another account's, unseen",
    async (_, behaviour, reason) => {
      const [first, second] = [accessKeyId(), accessKeyId()];
      const { key } = await createPool([
        { ...bedrockAccount(first), priority: 1 },
        { ...bedrockAccount(second), priority: 2 },
      ]);
      await upstream.set(first, behaviour);
      const response = await stream(key);
      const text = await response.text();
      expect(events(text).at(-1)).toBe("message_stop");
      expect(text).not.toContain("event: error");
      const [record] = await usageOf(key);
      expect(record).toMatchObject({ outcome: "completed", attempts: 2 });
      expect(JSON.stringify(await storyOf(key, response))).toContain(reason);
      expect((await upstream.statsOf(second)).answersInFull).toBe(1);
    },
  );

  it.each<[string, Behaviour]>([["an exception", exception("modelStreamErrorException", 6)]])(
    "that ends with %s after its content ends with one error event",
    async (_, behaviour) => {
      const { account, key, id } = await bedrockPair();
      await upstream.set(id, behaviour);
      const names = events(await (await stream(key)).text());
      expect(names.filter((name) => name === "error")).toHaveLength(1);
      expect(names.at(-1)).toBe("error");
      const [record] = await usageOf(key);
      expect(record).toMatchObject({ outcome: "interrupted", estimated: true, status: 200 });
      expect(record?.tokens.input).toBeGreaterThan(0);
      await idle(account, key);
    },
  );
});

function exception(errorType: string, afterEvents = 1): Behaviour {
  return { kind: "errorEvent", afterEvents, errorType, message: "Bedrock says no." };
}

describe("an error of Bedrock", () => {
  it("that is the request's reaches the client in Anthropic's form", async () => {
    const { key, id } = await bedrockPair();
    await upstream.set(id, bedrockError(400, "ValidationException", "messages.0: too short"));
    const response = await call(key);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: "messages.0: too short" },
    });
  });

  it.each([
    [429, "ThrottlingException", "rate_limited", 429],
    [403, "AccessDeniedException", null, 502],
    [503, "ServiceUnavailableException", "unavailable", 503],
    [500, "InternalServerException", null, 502],
    [408, "ModelTimeoutException", "timeout", 504],
  ] as const)("with %i %s lets the account rest as %s", async (status, name, reason, clientStatus) => {
    const { account, key, id } = await bedrockPair();
    await upstream.set(id, bedrockError(status, name, "No."));
    expect((await call(key)).status).toBe(clientStatus);
    const cooldowns = (await accountView(account)).status?.cooldowns.map((cooldown) => cooldown.reason);
    expect(cooldowns).toEqual(reason === null ? [] : [reason]);
  });

  it("about a model that this account lacks is another account's chance", async () => {
    const first = accessKeyId();
    const { key } = await createPool([
      { ...bedrockAccount(first), priority: 1 },
      { ...bedrockAccount(accessKeyId()), priority: 2 },
    ]);
    await upstream.set(
      first,
      bedrockError(400, "ValidationException", "The provided model identifier is invalid."),
    );
    expect((await call(key)).status).toBe(200);
  });
});

describe("the admin's test of an account of Bedrock", () => {
  it("makes the smallest call", async () => {
    const { account, id } = await bedrockPair();
    const response = await admin("POST", `/accounts/${account.id}/test`);
    expect(await response.json()).toMatchObject({ ok: true, status: 200 });
    expect((await upstream.log(id))[0]?.path).toContain("claude-haiku-4-5");
  });
});
