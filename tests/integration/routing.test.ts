/** The story of a request: how it found its account, for the admin, and for its key's holder where that is allowed. */
import { describe, expect, it } from "vitest";
import { forgetOldRouting } from "../../worker/cron/forget-routing.ts";
import { parseEnv } from "../../worker/env.ts";
import { answer, errorBody, overloaded, rateLimited, type Behaviour } from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  createPool,
  env,
  eventually,
  keyView,
  patientRelay,
  stream,
  unique,
  upstream,
} from "./setup/relay.ts";
import { inSession, newSession } from "./setup/sessions.ts";
import { requestView, storyOf } from "./setup/story.ts";

const DAY_MS = 86_400_000;
const ANY_NUMBER = expect.any(Number) as number;

describe("the story of a request", () => {
  it("that went straight to its account has one step", async () => {
    const { account, key } = await createPair();
    expect(await storyOf(key, await call(key))).toEqual({
      candidates: [account.id],
      candidatesTotal: 1,
      home: null,
      steps: [{ kind: "leased", account: account.id, model: "claude-sonnet-4-5-20250929", waitedMs: 0 }],
    });
  });

  it("of a session names its home", async () => {
    const { account, key } = await createPair();
    const { home } = await storyOf(key, await call(key, inSession(newSession())));
    expect(home).toBe(account.id);
  });

  it.each([false, true])("that failed over says who failed and why (stream: %s)", async (streamed) => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    await upstream.next(first?.secret ?? "", overloaded());
    const session = inSession(newSession());
    const response = await call(key, { ...session, body: { stream: streamed } });
    await response.text();
    const { candidates, home, steps } = await storyOf(key, response);
    expect(candidates).toEqual([first?.id, second?.id]);
    expect(home).toBe(first?.id);
    expect(steps).toMatchObject([
      { kind: "leased", account: first?.id },
      {
        kind: "failed",
        account: first?.id,
        reason: "overloaded",
        message: "The upstream answered HTTP 529.",
      },
      { kind: "leased", account: second?.id },
      { kind: "handed_over", account: second?.id },
    ]);
    const next = await storyOf(key, await call(key, session));
    expect(next.steps).toMatchObject([
      { kind: "moved", account: second?.id },
      { kind: "leased", account: second?.id },
    ]);
  });

  it("that was refused says until when, and whether the account itself said so", async () => {
    const { account, key } = await createPair();
    await upstream.next(account.secret, rateLimited({ retryAfterS: 60 }));
    await call(key);
    await eventually(
      () => accountView(account),
      ({ status }) => status?.availability.kind === "cooling",
    );
    const refusal = { kind: "refused", account: account.id, reason: "rate_limited", retryAt: ANY_NUMBER };
    const stories = [await storyOf(key, await call(key)), await storyOf(key, await call(key))];
    expect(stories.map(({ steps }) => steps)).toEqual([
      [{ ...refusal, remembered: false }],
      [{ ...refusal, remembered: true }],
    ]);
  });

  it("that waited in its key's queue says how long", async () => {
    const { account, key } = await createPair({}, { concurrency: 1, queueLength: 1 });
    const gate = unique("gate");
    await upstream.next(account.secret, { kind: "gate", gate, then: answer() });
    const first = call(key, { relay: patientRelay });
    await upstream.until(account.secret, ({ open }) => open === 1);
    const waiting = call(key, { relay: patientRelay });
    await eventually(
      () => keyView(key),
      ({ status }) => status?.waiting === 1,
    );
    await upstream.release(gate);
    await first;
    const { steps } = await storyOf(key, await waiting);
    expect(steps).toContainEqual({ kind: "queued", waitedMs: ANY_NUMBER });
  });

  it("that waited in its account's queue says so, and which model it asked for", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1, modelMap: { "*": "claude-haiku-4-5" } });
    const gate = unique("gate");
    await upstream.next(account.secret, { kind: "gate", gate, then: answer() });
    const first = call(key, { relay: patientRelay });
    await upstream.until(account.secret, ({ open }) => open === 1);
    const waiting = call(key, { relay: patientRelay });
    await eventually(
      () => accountView(account),
      ({ status }) => status?.waiting === 1,
    );
    await upstream.release(gate);
    await first;
    const { steps } = await storyOf(key, await waiting);
    expect(steps).toMatchObject([
      { kind: "refused", account: account.id, reason: "full" },
      { kind: "leased", account: account.id, model: "claude-haiku-4-5" },
    ]);
    const leased = steps.find((step) => step.kind === "leased");
    expect(leased?.waitedMs).toBeGreaterThan(0);
  });

  it("is unknown where the request is", async () => {
    expect((await admin("GET", "/requests/req_00000000000000000000000000")).status).toBe(404);
    expect((await admin("GET", "/requests/nonsense")).status).toBe(404);
  });
});

describe("the routing header", () => {
  it("tells the holder of a key that may know, in answers, streams and errors alike", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }], { explain: true });
    const [first, second] = accounts;
    await upstream.next(first?.secret ?? "", overloaded());
    const failedOver = await call(key);
    expect(failedOver.headers.get("x-relay-routing")).toBe(
      `2 candidates; ${first?.id ?? ""} leased; ${first?.id ?? ""} failed: overloaded; ${second?.id ?? ""} leased`,
    );
    const streamed = await stream(key);
    await streamed.text();
    expect(streamed.headers.get("x-relay-routing")).toContain(`${second?.id ?? ""} leased`);
    await upstream.set(second?.secret ?? "", rateLimited({ retryAfterS: 60 }));
    const refused = await call(key);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("x-relay-routing")).toContain(`${second?.id ?? ""} failed: rate_limited`);
  });

  it("is absent for all others", async () => {
    const { account, key } = await createPair();
    expect((await call(key)).headers.has("x-relay-routing")).toBe(false);
    await upstream.set(account.secret, overloaded());
    expect((await call(key)).headers.has("x-relay-routing")).toBe(false);
  });

  it("says nothing of what upstreams said", async () => {
    const { account, key } = await createPair({}, { explain: true });
    await upstream.set(account.secret, {
      kind: "status",
      status: 402,
      body: errorBody("billing_error", "The card of Jane Roe was declined"),
    });
    const response = await call(key);
    expect(response.headers.get("x-relay-routing")).toContain("failed: payment");
    expect(JSON.stringify([...response.headers])).not.toContain("Jane Roe");
  });
});

describe("a story's secrets", () => {
  const declined = (secret: string): Behaviour => ({
    kind: "status",
    status: 402,
    body: errorBody("billing_error", `No credit for ${secret}`),
  });
  const event =
    (afterEvents: number) =>
    (secret: string): Behaviour => ({
      kind: "errorEvent",
      afterEvents,
      errorType: "rate_limit_error",
      message: `Too much for ${secret}`,
    });

  it.each<[string, (secret: string) => Behaviour]>([
    ["an error's body", declined],
    ["the first event", event(0)],
    ["an event after content", event(5)],
  ])("stay out of it, and out of the account's cooldowns, when %s tells them", async (_, behaviour) => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }], { explain: true });
    const [first] = accounts;
    if (first === undefined) throw new Error("no account");
    const { secret, ...told } = first;
    await upstream.set(secret, behaviour(secret));
    const response = await stream(key);
    await response.text();
    expect(JSON.stringify([...response.headers])).not.toContain(secret);
    expect(JSON.stringify(await requestView(key, response))).not.toContain(secret);
    const view = await eventually(
      () => accountView(told),
      ({ status }) => (status?.cooldowns.length ?? 0) > 0,
    );
    expect(view.status?.cooldowns[0]?.message).toContain("[secret]");
    expect(JSON.stringify(view)).not.toContain(secret);
  });
});

describe("an upstream's own failure", () => {
  const quote = "while working on: Dear diary";

  it.each<[string, Behaviour]>([
    ["an answer", { kind: "status", status: 503, body: errorBody("api_error", quote) }],
    ["an error event", { kind: "errorEvent", afterEvents: 1, errorType: "overloaded_error", message: quote }],
  ])("may quote the prompt, so nothing of its text is kept: told by %s", async (_, behaviour) => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const told = { id: accounts[0]?.id ?? "" };
    await upstream.set(accounts[0]?.secret ?? "", behaviour);
    const response = await stream(key);
    await response.text();
    expect(JSON.stringify(await requestView(key, response))).not.toContain("Dear diary");
    expect(JSON.stringify(await accountView(told))).not.toContain("Dear diary");
  });
});

describe("a story's end", () => {
  it("comes when its days are over; the record stays", async () => {
    const { key } = await createPair();
    const response = await call(key);
    await storyOf(key, response);
    const settings = parseEnv(env);
    await forgetOldRouting(settings, Date.now() + (settings.ROUTING_DAYS - 1) * DAY_MS);
    expect((await requestView(key, response)).routing).not.toBeNull();
    await forgetOldRouting(settings, Date.now() + (settings.ROUTING_DAYS + 1) * DAY_MS);
    expect(await requestView(key, response)).toMatchObject({ routing: null, outcome: "completed" });
  });
});
