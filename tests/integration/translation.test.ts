/** A client of one dialect served by an account of another: every pair, through the whole relay. */
import { describe, expect, it } from "vitest";
import { PROTOCOL_IDS, type ProtocolId } from "../../worker/domain/protocol-id.ts";
import { answer, openAiError } from "../upstream/behaviour.ts";
import { googleStatus } from "../upstream/google/behaviours.ts";
import { DIALECTS, USAGE } from "./contract/dialects.ts";
import { fixtureOf } from "./contract/fixtures.ts";
import { createPool, fetchRelay, idle, unique, upstream, usageOf } from "./setup/relay.ts";
import { storyOf } from "./setup/story.ts";

/** A provider that speaks nothing but the dialect. */
const PROVIDER: Readonly<Record<ProtocolId, string>> = {
  anthropic: "claude-console",
  "openai-responses": "openai-oauth",
  "openai-chat": "openai-chat",
  gemini: "gemini-api",
};

const PAIRS = PROTOCOL_IDS.flatMap((client) =>
  PROTOCOL_IDS.filter((account) => account !== client).map((account) => ({ client, account })),
);

async function serve(account: ProtocolId, overrides: Record<string, unknown> = {}, key = {}) {
  const { subject, input } = await fixtureOf(PROVIDER[account]).account("good");
  const model = DIALECTS[account][0].model;
  const pool = await createPool([{ ...input, ...overrides }], { modelMap: { "*": model }, ...key });
  const [served] = pool.accounts;
  if (served === undefined) throw new Error("no account");
  return { key: pool.key, account: served, subject, model };
}

function ask(client: ProtocolId, { key }: { readonly key: { readonly key: string } }, stream: boolean) {
  const [dialect] = DIALECTS[client];
  return fetchRelay(dialect.path(stream), {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key.key}` },
    body: JSON.stringify(dialect.body("Hello", stream)),
  });
}

/** All text that an answer of a dialect says, streamed or whole. */
function textIn(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value)) return value.map(textIn).join("");
  if (typeof value !== "object" || value === null) return "";
  return Object.values(value).map(textIn).join("");
}

describe.each(PAIRS)("a client of $client with an account of $account", ({ client, account }) => {
  const [dialect] = DIALECTS[client];
  const expected = DIALECTS[account][0].tokens;

  it.each([false, true])(
    "gets its answer in its own dialect, booked as it was counted (stream: %s)",
    async (stream) => {
      const served = await serve(account);
      await upstream.set(served.subject, answer({ text: "All is well 你好 🌍.", usage: USAGE }));
      const response = await ask(client, served, stream);
      expect(response.status).toBe(200);
      const text = await response.text();
      if (stream) expect(dialect.events(text).at(-1)).toEqual(dialect.end);
      else expect(textIn(JSON.parse(text))).toContain("All is well 你好 🌍.");
      const [record] = await usageOf(served.key);
      expect(record).toMatchObject({
        outcome: "completed",
        protocol: client,
        provider: PROVIDER[account],
        requestedModel: dialect.model,
        model: served.model,
        tokens: expected,
        estimated: false,
      });
      expect(await upstream.statsOf(served.subject)).toMatchObject({ requests: 1 });
    },
  );

  it("is told in its own dialect why the upstream refused", async () => {
    const served = await serve(account);
    const { vendorOf } = fixtureOf(PROVIDER[account]);
    await upstream.set(served.subject, vendorOf(account).invalid("temperature: must not be 7"));
    for (const stream of [false, true]) {
      const response = await ask(client, served, stream);
      expect(response.status).toBe(400);
      const body = await response.json();
      expect(body).toEqual(dialect.error(400));
      expect(JSON.stringify(body)).toContain("temperature: must not be 7");
    }
  });

  it("is told in its own dialect that the answer broke off", async () => {
    const served = await serve(account);
    await upstream.set(served.subject, { kind: "cut", afterEvents: 4, mode: "reset" });
    const response = await ask(client, served, true);
    expect(dialect.events(await response.text()).at(-1)).toEqual(dialect.streamError);
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "interrupted" });
    await idle(served.account, served.key);
  });

  it("waits as long as the upstream says when its limit is reached", async () => {
    const served = await serve(account);
    await upstream.set(served.subject, fixtureOf(PROVIDER[account]).vendorOf(account).limited(600));
    const response = await ask(client, served, false);
    expect(response.status).toBe(429);
    expect(await response.json()).toEqual(dialect.error(429));
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(500);
  });
});

describe("a translated stream", () => {
  it("goes on event by event: the first text is there before the upstream says the next", async () => {
    const served = await serve("openai-responses");
    await upstream.next(served.subject, answer({ text: "one two three", events: 3, eventIntervalMs: 400 }));
    const response = await ask("anthropic", served, true);
    const reader = (response.body as ReadableStream<Uint8Array>).getReader();
    let seen = "";
    const startedAt = performance.now();
    while (!seen.includes("text_delta")) {
      const { value } = await reader.read();
      seen += new TextDecoder().decode(value);
    }
    expect(performance.now() - startedAt).toBeLessThan(1200);
    expect(seen).not.toContain("message_stop");
    await reader.cancel();
    await idle(served.account, served.key);
  });
});

describe("whose account serves a model", () => {
  it("is decided by its name, whatever the path", async () => {
    const group = unique("group");
    const [claude, openai, gemini] = await Promise.all(
      (["anthropic", "openai-responses", "gemini"] as const).map((id) =>
        fixtureOf(PROVIDER[id]).account("good"),
      ),
    );
    if (claude === undefined || openai === undefined || gemini === undefined) throw new Error("no accounts");
    const all = [claude, openai, gemini].map(({ input }) => ({ ...input, groups: [group] }));
    const { key } = await createPool(all, { binding: { kind: "group", group } });
    const post = (path: string, body: unknown) =>
      fetchRelay(path, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${key.key}` },
        body: JSON.stringify(body),
      });
    const messages = [{ role: "user", content: "Hello" }];
    for (const model of ["claude-sonnet-4-5", "gpt-6-sol", "gemini-2.5-pro"]) {
      expect((await post("/v1/chat/completions", { model, messages })).status).toBe(200);
      expect((await post("/v1/messages", { model, messages, max_tokens: 100 })).status).toBe(200);
      expect((await post("/v1/responses", { model, input: "Hello" })).status).toBe(200);
      expect(
        (
          await post(`/v1beta/models/${model}:generateContent`, {
            contents: [{ parts: [{ text: "Hello" }] }],
          })
        ).status,
      ).toBe(200);
    }
    for (const { subject } of [claude, openai, gemini]) {
      expect(await upstream.statsOf(subject)).toMatchObject({ requests: 4 });
    }
    // These paths say themselves whose account it is.
    expect((await post("/openai/claude/v1/chat/completions", { model: "whatever", messages })).status).toBe(
      200,
    );
    expect((await upstream.statsOf(claude.subject)).requests).toBe(5);
    expect((await post("/openai/gemini/v1/chat/completions", { model: "gpt-6-sol", messages })).status).toBe(
      200,
    );
    expect((await upstream.statsOf(gemini.subject)).requests).toBe(5);
  });

  it("is what the key must be allowed to use", async () => {
    const served = await serve("gemini", {}, { permissions: ["claude"] });
    const refused = await ask("anthropic", served, false);
    expect(refused.status).toBe(403);
    expect(await refused.json()).toEqual(DIALECTS.anthropic[0].denied("service_not_allowed"));
    expect((await upstream.statsOf(served.subject)).requests).toBe(0);
  });

  it("is decided by the accounts that name it first", async () => {
    const served = await serve("openai-chat", { models: ["claude-sonnet-4-5"] }, { modelMap: {} });
    const response = await fetchRelay("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${served.key.key}` },
      body: JSON.stringify({ model: "claude-sonnet-4-5", messages: [{ role: "user", content: "Hi" }] }),
    });
    expect(response.status).toBe(200);
  });
});

describe("what another dialect cannot carry", () => {
  it("is refused by its name where it changes what is asked", async () => {
    const served = await serve("anthropic");
    const response = await fetchRelay("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${served.key.key}` },
      body: JSON.stringify({ model: "gpt-6-sol", n: 2, messages: [{ role: "user", content: "Hi" }] }),
    });
    expect(response.status).toBe(400);
    expect(JSON.stringify(await response.json())).toContain("n: is not supported here");
    await idle(served.account, served.key);
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "failed", status: 400, error: "invalid_request" });
  });

  it("is told in the routing story where it leaves the meaning as it is", async () => {
    const served = await serve("anthropic", {}, { explain: true });
    const response = await fetchRelay("/v1/responses", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${served.key.key}` },
      body: JSON.stringify({ model: "gpt-6-sol", input: "Hi", tools: [{ type: "web_search" }] }),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get("x-relay-routing")).toMatch(/translated to anthropic without .*web_search/);
    const { steps } = await storyOf(served.key, response);
    expect(steps).toContainEqual(
      expect.objectContaining({ kind: "translated", account: served.account.id, protocol: "anthropic" }),
    );
  });
});

describe("a picture given by its address", () => {
  const asked = (served: { readonly key: { readonly key: string } }, url: string) =>
    fetchRelay("/v1/chat/completions", {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${served.key.key}` },
      body: JSON.stringify({
        model: "gpt-6-sol",
        messages: [{ role: "user", content: [{ type: "image_url", image_url: { url } }] }],
      }),
    });

  it("is refused where it cannot be had, and nothing stays held", async () => {
    const served = await serve("gemini");
    for (const url of [
      `${upstream.url}/nothing-here.png`,
      "https://127.0.0.1:1/x.png",
      "ftp://example.org/x.png",
    ]) {
      const response = await asked(served, url);
      expect(response.status).toBe(400);
    }
    expect((await upstream.statsOf(served.subject)).requests).toBe(0);
    await idle(served.account, served.key);
  });
});

describe("an error that an upstream hides in its stream", () => {
  it.each([
    [
      "anthropic",
      { kind: "errorEvent", afterEvents: 1, errorType: "overloaded_error", message: "Overloaded" },
    ],
    ["openai-chat", openAiError(503, { code: "server_is_overloaded" })],
    ["gemini", googleStatus(503, "UNAVAILABLE", "The service is unavailable.")],
  ] as const)("of %s fails over as it does without a translation", async (account, behaviour) => {
    const one = await fixtureOf(PROVIDER[account]).account("good");
    const two = await fixtureOf(PROVIDER[account]).account("good");
    const model = DIALECTS[account][0].model;
    const { key } = await createPool(
      [one, two].map(({ input }, index) => ({ ...input, priority: index + 1 })),
      { modelMap: { "*": model } },
    );
    await upstream.next(one.subject, behaviour);
    const client = account === "anthropic" ? "openai-chat" : "anthropic";
    const response = await ask(client, { key }, true);
    expect(DIALECTS[client][0].events(await response.text()).at(-1)).toEqual(DIALECTS[client][0].end);
    expect((await upstream.statsOf(two.subject)).requests).toBe(1);
  });
});
