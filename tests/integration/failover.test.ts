/** What each upstream signal means for the account and for the client: the classification table, row by row. */
import { describe, expect, it } from "vitest";
import type { CooldownReason } from "../../worker/domain/cooldown.ts";
import {
  errorBody,
  forbidden,
  gatewayPage,
  invalidRequest,
  organizationDisabled,
  overloaded,
  rateLimited,
  serverError,
  unauthorized,
  type Behaviour,
} from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  createPool,
  eventually,
  MODEL,
  stream,
  upstream,
  usageOf,
} from "./setup/relay.ts";

const status = (code: number, type: string, message: string): Behaviour => ({
  kind: "status",
  status: code,
  body: errorBody(type, message),
});

interface Row {
  readonly signal: string;
  readonly behaviour: Behaviour;
  /** Failures before the account is cooled down. */
  readonly times?: number;
  readonly reason: CooldownReason | null;
  /** What the client gets when no other account is there. */
  readonly alone: number;
}

const FAILOVERS: Row[] = [
  { signal: "a reset before headers", behaviour: { kind: "reset" }, reason: "network", alone: 502 },
  {
    signal: "no headers in time",
    behaviour: { kind: "hang", phase: "beforeHeaders" },
    reason: "timeout",
    alone: 504,
  },
  { signal: "401", behaviour: unauthorized(), reason: "unauthorized", alone: 502 },
  {
    signal: "402",
    behaviour: status(402, "billing_error", "Payment required"),
    reason: "payment",
    alone: 503,
  },
  { signal: "403", behaviour: forbidden("Not allowed"), times: 3, reason: "forbidden", alone: 502 },
  {
    signal: "404 of a model",
    behaviour: status(404, "not_found_error", `model: ${MODEL}`),
    reason: "model",
    alone: 404,
  },
  {
    signal: "429 with a claim",
    behaviour: rateLimited({ resetAt: Math.floor(Date.now() / 1000) + 600, claim: "five_hour" }),
    reason: "rate_limited",
    alone: 429,
  },
  {
    signal: "429 with retry-after",
    behaviour: rateLimited({ retryAfterS: 30 }),
    reason: "rate_limited",
    alone: 429,
  },
  { signal: "429 without data", behaviour: rateLimited(), reason: "rate_limited", alone: 429 },
  { signal: "500", behaviour: serverError(500), times: 2, reason: "server_error", alone: 502 },
  {
    signal: "502 with an HTML page",
    behaviour: gatewayPage(502),
    times: 2,
    reason: "server_error",
    alone: 502,
  },
  { signal: "504", behaviour: serverError(504), times: 2, reason: "server_error", alone: 502 },
  { signal: "503", behaviour: serverError(503), reason: "unavailable", alone: 503 },
  { signal: "529", behaviour: overloaded(), reason: "overloaded", alone: 529 },
  {
    signal: "a redirect",
    behaviour: { kind: "status", status: 302, headers: { location: "https://example.com" } },
    times: 2,
    reason: "server_error",
    alone: 502,
  },
  {
    signal: "200 with an HTML page",
    behaviour: { kind: "malformed", what: "html" },
    times: 2,
    reason: "server_error",
    alone: 502,
  },
];

describe.each(FAILOVERS)("$signal", ({ behaviour, times = 1, reason, alone }) => {
  it("is answered by the next account, and cools the first one down", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    await upstream.set(first?.secret ?? "", behaviour);
    for (let turn = 0; turn < times; turn++) expect((await call(key)).status).toBe(200);
    const view = await eventually(
      () => accountView({ id: first?.id ?? "" }),
      (account) =>
        account.status?.cooldowns.some(
          (cooldown) => cooldown.reason === reason && cooldown.until > Date.now(),
        ) ?? false,
    );
    expect(view.status?.cooldowns[0]?.reason).toBe(reason);
    expect((await upstream.statsOf(second?.secret ?? "")).requests).toBe(times);
    const [record] = await usageOf(key, times);
    expect(record).toMatchObject({ outcome: "completed", accountId: second?.id, attempts: 2 });
  });

  it("is told to the client as its own kind of error when nobody else is there", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, behaviour);
    const response = await call(key);
    expect(response.status).toBe(alone);
    const body = await response.json<{ type: string; error: { type: string; message: string } }>();
    expect(body.type).toBe("error");
    expect(JSON.stringify(body)).not.toContain(account.secret);
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "failed", status: alone, tokens: { input: 0, output: 0 } });
  });
});

describe("the trouble of an account", () => {
  it("is known at once, although the answer of the next one is still running", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    await upstream.set(first?.secret ?? "", overloaded());
    await upstream.set(second?.secret ?? "", { kind: "endless", intervalMs: 20 });
    const reader = (await stream(key)).body?.getReader();
    await reader?.read();
    const view = await eventually(
      () => accountView({ id: first?.id ?? "" }),
      ({ status: state }) => state?.availability.kind === "cooling",
    );
    expect(view.status?.activeLeases).toBe(0);
    await reader?.cancel();
  });
});

describe("signals about the request itself", () => {
  const long = "Extra usage is required for long context requests.";
  it.each([
    ["400", invalidRequest("max_tokens: too large"), 400],
    ["413", status(413, "request_too_large", "Too large"), 413],
    ["422", status(422, "invalid_request_error", "Unprocessable"), 422],
    ["404 of something else", status(404, "not_found_error", "Not found"), 404],
    ["429 about extra usage", status(429, "rate_limit_error", long), 429],
  ])("%s is passed on with the upstream's own body, and no account is blamed", async (_, behaviour, code) => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    await upstream.set(accounts[0]?.secret ?? "", behaviour);
    const response = await call(key);
    expect(response.status).toBe(code);
    expect(await response.json()).toMatchObject({
      type: "error",
      request_id: expect.stringMatching(/^req_/) as string,
    });
    expect((await upstream.statsOf(accounts[1]?.secret ?? "")).requests).toBe(0);
    expect((await accountView({ id: accounts[0]?.id ?? "" })).status?.cooldowns).toEqual([]);
  });
});

describe("a closed account", () => {
  it.each([
    ["400", organizationDisabled()],
    ["403", forbidden("OAuth authentication is currently not allowed for this organization.")],
  ])("told by %s is stopped until a person resets it", async (_, behaviour) => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const first = { id: accounts[0]?.id ?? "", secret: accounts[0]?.secret ?? "" };
    await upstream.next(first.secret, behaviour);
    expect((await call(key)).status).toBe(200);
    const stopped = await eventually(
      () => accountView(first),
      ({ status: state }) => state?.availability.kind === "disabled",
    );
    expect(stopped.status?.availability).toMatchObject({ kind: "disabled" });
    expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(first.secret)).requests).toBe(1);
    await admin("POST", `/accounts/${first.id}/reset`);
    expect((await accountView(first)).status?.availability.kind).toBe("available");
  });
});

describe("11: 429 in all forms", () => {
  const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

  it("limits the account until the claim's reset and tells the client how long that is", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, rateLimited({ resetAt: inSeconds(900), claim: "five_hour" }));
    const first = await call(key);
    expect(Number(first.headers.get("retry-after"))).toBeGreaterThan(880);
    await eventually(
      () => accountView(account),
      ({ status: state }) => state?.availability.kind === "cooling",
    );
    const second = await call(key);
    expect(second.status).toBe(429);
    expect(Number(second.headers.get("retry-after"))).toBeGreaterThan(880);
    expect((await upstream.statsOf(account.secret)).requests).toBe(1);
  });

  it("limits only the family that a weekly claim names", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, {
      kind: "perModel",
      models: [{ model: "opus", then: rateLimited({ resetAt: inSeconds(3600), claim: "seven_day_opus" }) }],
    });
    const opus = { body: { model: "claude-opus-4-5-20251101" } };
    expect((await call(key, opus)).status).toBe(429);
    await eventually(
      () => accountView(account),
      ({ status: state }) =>
        state?.cooldowns.some(({ scope, target }) => scope === "modelFamily" && target === "opus") ?? false,
    );
    expect((await call(key, opus)).status).toBe(429);
    expect((await call(key)).status).toBe(200);
    expect((await accountView(account)).status?.availability.kind).toBe("available");
  });

  it("serves again when the time that the upstream named is over", async () => {
    const { account, key } = await createPair();
    await upstream.next(account.secret, rateLimited({ retryAfterS: 1 }));
    expect((await call(key)).status).toBe(429);
    await eventually(
      () => accountView(account),
      ({ status: state }) => state?.availability.kind === "cooling",
    );
    const recovered = await eventually(
      () => call(key),
      ({ status: code }) => code === 200,
    );
    expect(recovered.status).toBe(200);
  });
});

describe("an overload", () => {
  it("is tried on one other account at most: it is the upstream's, not the account's", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }, { priority: 3 }]);
    for (const { secret } of accounts) await upstream.set(secret, overloaded());
    const response = await call(key);
    expect(response.status).toBe(529);
    expect(await response.json()).toMatchObject({ error: { type: "overloaded_error" } });
    expect((await upstream.statsOf(accounts[2]?.secret ?? "")).requests).toBe(0);
  });

  it("hidden in the first event of a 200 is answered by the next account", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    await upstream.set(accounts[0]?.secret ?? "", {
      kind: "errorEvent",
      afterEvents: 0,
      errorType: "overloaded_error",
      message: "Overloaded",
    });
    const response = await stream(key);
    const text = await response.text();
    expect(text).not.toContain("event: error");
    expect(text).toContain("event: message_stop");
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", accountId: accounts[1]?.id });
  });

  it("in the middle of an answer is passed on, and the account is cooled down", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, {
      kind: "errorEvent",
      afterEvents: 4,
      errorType: "overloaded_error",
      message: "Overloaded",
      answer: { eventIntervalMs: 5 },
    });
    const text = await (await stream(key)).text();
    expect(text.match(/event: error/g)).toHaveLength(1);
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "interrupted", error: "overloaded_error" });
    const view = await accountView(account);
    expect(view.status?.cooldowns[0]?.reason).toBe("overloaded");
  });
});

describe("9: selection", () => {
  it("tries the smaller priority first and leaves the others alone", async () => {
    const { accounts, key } = await createPool([{ priority: 60 }, { priority: 10 }]);
    for (let turn = 0; turn < 5; turn++) expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(accounts[1]?.secret ?? "")).requests).toBe(5);
    expect((await upstream.statsOf(accounts[0]?.secret ?? "")).requests).toBe(0);
  });

  it("sends a key bound to one account nowhere else", async () => {
    const { accounts } = await createPool([{}, {}]);
    const [first, second] = accounts;
    const { key } = await createPair({}, { binding: { kind: "account", accountId: first?.id } });
    await upstream.set(first?.secret ?? "", overloaded());
    expect((await call(key)).status).toBe(529);
    expect((await upstream.statsOf(second?.secret ?? "")).requests).toBe(0);
  });

  it("skips accounts that are switched off or do not have the model", async () => {
    const { accounts, key } = await createPool([
      { priority: 1, enabled: false },
      { priority: 2, models: ["claude-opus-*"] },
      { priority: 3 },
    ]);
    expect((await call(key)).status).toBe(200);
    expect((await call(key, { body: { model: "claude-opus-4-5-20251101" } })).status).toBe(200);
    const counts = await Promise.all(
      accounts.map(async ({ secret }) => (await upstream.statsOf(secret)).requests),
    );
    expect(counts).toEqual([0, 1, 1]);
  });

  it("says so when no account is set up", async () => {
    const { key } = await createPair({ models: ["other-model"] });
    const response = await call(key);
    expect(response.status).toBe(529);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("No upstream account is set up") as string },
    });
  });
});
