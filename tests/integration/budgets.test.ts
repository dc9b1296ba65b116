/** What a key may spend: conformance item 8, simultaneous requests, and what running ones hold back. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer, invalidRequest } from "../upstream/behaviour.ts";
import {
  call,
  createPair,
  stream,
  upstream,
  usageOf,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import {
  costsEach,
  DAY_MS,
  HOUR_MS,
  limitOf,
  midnightToCome,
  nano,
  refusalOf,
  setNow,
  settledStatus,
} from "./setup/limits.ts";

const OPUS = { model: "claude-opus-4-5-20251101" };
const MONDAY = 1;
const WEDNESDAY = 3;

const exhausted = (code: string, retryAfter: number | null) => ({
  status: 402,
  type: "billing_error",
  code,
  retryAfter,
});

/** A pair whose requests cost a dollar and a half each. */
async function createSpender(keyOverrides: Record<string, unknown>) {
  const pair = await createPair({}, keyOverrides);
  await costsEach(pair.account, 1.5);
  return pair;
}

/** One request from its beginning to its settlement. */
async function spend(key: TestKey, body: Record<string, unknown> = {}): Promise<number> {
  const { status } = await call(key, { body });
  await settledStatus(key);
  return status;
}

/** The first midnight to come in UTC that begins a weekday: 1 is Monday. */
function weekdayToCome(weekday: number): number {
  let midnight = midnightToCome();
  // The week begins with Monday here and with Sunday in `Date`.
  while (((new Date(midnight).getUTCDay() + 6) % 7) + 1 !== weekday) midnight += DAY_MS;
  return midnight;
}

afterEach(() => {
  vi.useRealTimers();
});

describe("8: a key's budget", () => {
  it("for a day is refused until midnight, and is whole again then", async () => {
    const { key } = await createSpender({ dailyCost: 3 });
    const midnight = midnightToCome();
    setNow(midnight - HOUR_MS);
    expect([await spend(key), await spend(key)]).toEqual([200, 200]);
    expect(await limitOf(key, "daily_cost")).toEqual({
      id: "daily_cost",
      unit: "cost",
      limit: nano(3),
      used: nano(3),
      reserved: 0,
      resetAt: midnight,
    });
    expect(await refusalOf(await call(key))).toEqual(exhausted("daily_cost", 3600));
    setNow(midnight - 1);
    expect(await refusalOf(await call(key))).toEqual(exhausted("daily_cost", 1));
    setNow(midnight);
    expect(await spend(key)).toBe(200);
    expect(await limitOf(key, "daily_cost")).toMatchObject({ used: nano(1.5), resetAt: midnight + DAY_MS });
  });

  it("for a week goes on over midnight and ends at the end of Sunday, unless the key says otherwise", async () => {
    const { key } = await createSpender({ weeklyCost: 1 });
    const monday = weekdayToCome(MONDAY);
    setNow(monday - 2 * DAY_MS);
    expect(await spend(key)).toBe(200);
    setNow(monday - DAY_MS);
    expect(await refusalOf(await call(key))).toEqual(exhausted("weekly_cost", 86_400));
    setNow(monday);
    expect(await spend(key)).toBe(200);
  });

  it("for a week begins anew on the key's own day and hour", async () => {
    const { key } = await createSpender({ weeklyCost: 1, weekStartDay: WEDNESDAY, weekStartHour: 9 });
    const start = weekdayToCome(WEDNESDAY) + 9 * HOUR_MS;
    setNow(start - 3 * DAY_MS);
    expect(await spend(key)).toBe(200);
    setNow(start - 2 * HOUR_MS);
    expect(await refusalOf(await call(key))).toEqual(exhausted("weekly_cost", 7200));
    setNow(start);
    expect(await spend(key)).toBe(200);
    expect(await limitOf(key, "weekly_cost")).toMatchObject({ resetAt: start + 7 * DAY_MS });
  });

  it("for premium models leaves the others alone", async () => {
    const { key } = await createSpender({ weeklyPremiumCost: 1 });
    setNow(weekdayToCome(MONDAY) - HOUR_MS);
    expect([await spend(key), await spend(key)]).toEqual([200, 200]);
    expect(await limitOf(key, "weekly_premium_cost")).toMatchObject({ used: 0 });
    expect(await spend(key, OPUS)).toBe(200);
    expect(await refusalOf(await call(key, { body: OPUS }))).toEqual(exhausted("weekly_premium_cost", 3600));
    expect(await spend(key)).toBe(200);
  });

  it("for premium models means those that the key names", async () => {
    const { key } = await createSpender({ weeklyPremiumCost: 1, premiumModels: ["*sonnet*"] });
    expect([await spend(key, OPUS), await spend(key, OPUS), await spend(key)]).toEqual([200, 200, 200]);
    expect((await refusalOf(await call(key))).code).toBe("weekly_premium_cost");
  });

  it("in all never comes back", async () => {
    const { key } = await createSpender({ totalCost: 1 });
    expect(await spend(key)).toBe(200);
    expect(await refusalOf(await call(key))).toEqual(exhausted("total_cost", null));
    setNow(Date.now() + 400 * DAY_MS);
    expect(await refusalOf(await call(key))).toEqual(exhausted("total_cost", null));
  });

  it("is charged at the rate of the service, and the ledger at list price", async () => {
    const { key } = await createSpender({ totalCost: 100, rates: { claude: 2, gemini: 50 } });
    expect(await spend(key)).toBe(200);
    expect(await limitOf(key, "total_cost")).toMatchObject({ used: nano(3) });
    expect((await settledStatus(key)).totalCost).toBe(nano(1.5));
    expect((await usageOf(key))[0]?.cost).toBe(nano(1.5));
  });

  it("is not touched where the service's rate is zero, or the model has no price", async () => {
    const { key: free } = await createSpender({ totalCost: 1, rates: { claude: 0 } });
    const { key: unpriced } = await createSpender({ totalCost: 1 });
    const model = "someone-elses-model";
    expect([await spend(free), await spend(free)]).toEqual([200, 200]);
    expect([await spend(unpriced, { model }), await spend(unpriced, { model })]).toEqual([200, 200]);
    expect(await limitOf(free, "total_cost")).toMatchObject({ used: 0 });
    expect(await limitOf(unpriced, "total_cost")).toMatchObject({ used: 0 });
  });

  it("does not keep anyone from counting tokens", async () => {
    const { key } = await createSpender({ totalCost: 1 });
    expect(await spend(key)).toBe(200);
    expect((await call(key)).status).toBe(402);
    expect((await call(key, { path: "/v1/messages/count_tokens" })).status).toBe(200);
  });
});

describe("two hundred simultaneous requests", () => {
  const LIMIT = 0.02;

  it.each([
    ["dailyCost", "daily_cost"],
    ["weeklyCost", "weekly_cost"],
    ["totalCost", "total_cost"],
  ] as const)("do not spend more than %s allows", async (option, id) => {
    const { account, key } = await createPair({}, { [option]: LIMIT });
    // A little less than what is held back for a request of a hundred tokens.
    await upstream.set(
      account.secret,
      answer({ headersDelayMs: 50, usage: { input_tokens: 30, output_tokens: 100 } }),
    );
    const responses = await Promise.all(Array.from({ length: 200 }, () => call(key)));
    const served = responses.filter(({ status }) => status === 200).length;
    const refusals = await Promise.all(responses.filter(({ ok }) => !ok).map(refusalOf));
    expect(served).toBeGreaterThan(0);
    expect((await upstream.statsOf(account.secret)).requests).toBe(served);
    for (const { status, code, retryAfter } of refusals) {
      expect([`429 ${id}_reserved`, `402 ${id}`]).toContain(`${String(status)} ${String(code)}`);
      if (status === 429) expect(retryAfter).toBe(5);
    }
    const limit = await limitOf(key, id);
    const records = await usageOf(key, served);
    expect(limit.used).toBe(records.reduce((sum, { cost }) => sum + cost, 0));
    expect(limit.used).toBeLessThanOrEqual(limit.limit);
    expect(limit.reserved).toBe(0);
  });
});

describe("what a running request holds back", () => {
  const LIMITED = {
    windowMinutes: 60,
    windowTokens: 1e9,
    windowCost: 900,
    dailyCost: 900,
    weeklyCost: 900,
    weeklyPremiumCost: 900,
    totalCost: 900,
    premiumModels: ["*"],
  };

  const reserved = async (key: TestKey) =>
    Object.fromEntries((await settledStatus(key)).limits.map(({ id, reserved: held }) => [id, held]));

  const NONE = {
    total_cost: 0,
    weekly_premium_cost: 0,
    weekly_cost: 0,
    daily_cost: 0,
    window_tokens: 0,
    window_cost: 0,
  };

  const ENDINGS: readonly [string, (account: TestAccount, key: TestKey) => Promise<unknown>][] = [
    ["was answered", async (_, key) => (await call(key)).text()],
    ["was streamed", async (_, key) => (await stream(key)).text()],
    [
      "was refused upstream",
      async ({ secret }, key) => {
        await upstream.next(secret, invalidRequest("no"));
        expect((await call(key)).status).toBe(400);
      },
    ],
    [
      "was reset before it began",
      async ({ secret }, key) => {
        await upstream.next(secret, { kind: "reset" });
        expect((await call(key)).status).toBe(502);
      },
    ],
    [
      "broke off",
      async ({ secret }, key) => {
        await upstream.next(secret, { kind: "cut", afterEvents: 3, mode: "reset" });
        await (await stream(key)).text();
      },
    ],
    [
      "took too long",
      async ({ secret }, key) => {
        await upstream.next(secret, { kind: "hang", phase: "beforeHeaders" });
        expect((await call(key)).status).toBe(504);
      },
    ],
    [
      "was left by its client",
      async ({ secret }, key) => {
        await upstream.next(secret, { kind: "endless", intervalMs: 10 });
        const controller = new AbortController();
        const response = await stream(key, { signal: controller.signal });
        const reader = response.body?.getReader();
        await reader?.read();
        await reader?.cancel();
        controller.abort();
      },
    ],
  ];

  it.each(ENDINGS)("comes back when it %s", async (_, end) => {
    const { account, key } = await createPair({}, LIMITED);
    await end(account, key);
    expect(await reserved(key)).toEqual(NONE);
  });

  it("comes back when no account could serve", async () => {
    const { key } = await createPair({ enabled: false }, LIMITED);
    expect((await call(key)).status).toBe(529);
    expect(await reserved(key)).toEqual(NONE);
  });

  it("is what it may cost, which others cannot spend meanwhile", async () => {
    const { account, key } = await createPair({}, { dailyCost: 0.9 });
    await upstream.next(account.secret, { kind: "endless", intervalMs: 10 });
    const controller = new AbortController();
    // $0.48 of output each.
    const body = { max_tokens: 32_000 };
    const running = await stream(key, { body, signal: controller.signal });
    expect(await refusalOf(await call(key, { body }))).toEqual({
      status: 429,
      type: "rate_limit_error",
      code: "daily_cost_reserved",
      retryAfter: 5,
    });
    await running.body?.cancel();
    controller.abort();
    await settledStatus(key);
    expect((await call(key, { body })).status).toBe(200);
  });

  it("is bounded by the deployment, however much the client asks for", async () => {
    const { key } = await createPair({}, { dailyCost: 1 });
    // 128,000 tokens of output, as Claude Code asks for, would cost $1.92; 32,000 cost $0.48.
    expect((await call(key, { body: { max_tokens: 128_000 } })).status).toBe(200);
  });
});
