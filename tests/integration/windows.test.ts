/** What upstreams say of their limits, and how accounts rest by it: conformance items 11 and 13. */
import { afterEach, describe, expect, it, vi } from "vitest";
import {
  overloaded,
  rateLimited,
  serverError,
  withWindows,
  type Behaviour,
  type WindowShape,
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
  type TestAccount,
} from "./setup/relay.ts";
import { requestsOf, servedBy } from "./setup/sessions.ts";

afterEach(() => {
  vi.useRealTimers();
});

const HOUR_S = 3600;
const WEEK_S = 7 * 24 * HOUR_S;
const OPUS = { body: { model: "claude-opus-4-5-20251101" } };

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** From here on it is this much later; what the isolate remembers of refusals is over, too. */
function pass(seconds: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + seconds * 1000);
}

const cooldownsOf = async (account: TestAccount) => (await accountView(account)).status?.cooldowns ?? [];

const resting = (account: TestAccount) =>
  eventually(
    () => cooldownsOf(account),
    (cooldowns) => cooldowns.length > 0,
  );

const warning = (resetAt = inSeconds(HOUR_S)): WindowShape => ({
  status: "allowed_warning",
  resetAt,
  utilization: 0.914,
});

describe("13: an account's windows", () => {
  it("are shown as the upstream's last answer told them", async () => {
    const { account, key } = await createPair();
    const resetAt = inSeconds(HOUR_S);
    await upstream.set(
      account.secret,
      withWindows({ "5h": warning(resetAt), "7d_opus": { status: "rejected", resetAt, utilization: 1 } }),
    );
    await call(key);
    const view = await eventually(
      () => accountView(account),
      ({ status }) => (status?.windows.length ?? 0) > 0,
    );
    expect(view.status?.windows).toEqual([
      { id: "5h", status: "warning", utilization: 0.91, resetAt: resetAt * 1000 },
      { id: "7d", status: "allowed", utilization: 0.5, resetAt: expect.any(Number) as number },
      { id: "7d_opus", status: "rejected", utilization: 1, resetAt: resetAt * 1000 },
    ]);
    await upstream.set(account.secret, withWindows({ "5h": { ...warning(resetAt), utilization: 0.97 } }));
    await (await stream(key)).text();
    const later = await eventually(
      () => accountView(account),
      ({ status }) => status?.windows[0]?.utilization === 0.97,
    );
    expect(later.status?.windows.map(({ id }) => id)).toEqual(["5h", "7d"]);
  });

  it("are unknown where the upstream says nothing of them", async () => {
    const { account, key } = await createPair();
    const headers = {
      "anthropic-ratelimit-unified-5h-status": null,
      "anthropic-ratelimit-unified-7d-status": null,
    };
    await upstream.set(account.secret, { kind: "answer", headers });
    expect((await call(key)).status).toBe(200);
    expect((await accountView(account)).status?.windows).toEqual([]);
  });
});

describe("13: a warning of the five-hour window", () => {
  async function warned(overrides: Record<string, unknown> = { stopOnWarning: true }) {
    const { accounts, key } = await createPool([{ priority: 1, ...overrides }, { priority: 2 }]);
    const [first, second] = accounts;
    if (first === undefined || second === undefined) throw new Error("no accounts");
    await upstream.next(first.secret, withWindows({ "5h": warning() }));
    expect((await servedBy([first], () => call(key))).id).toBe(first.id);
    return { accounts, key, first, second };
  }

  it("stops an account that is set so, until the window begins anew", async () => {
    const { accounts, key, first, second } = await warned();
    expect(await resting(first)).toMatchObject([{ scope: "account", reason: "window_warning" }]);
    expect((await servedBy(accounts, () => call(key))).id).toBe(second.id);
    pass(HOUR_S + 1);
    expect((await accountView(first)).status?.availability.kind).toBe("available");
    expect((await servedBy(accounts, () => call(key))).id).toBe(first.id);
  });

  it("is shown and no more where it is not", async () => {
    const { accounts, key, first } = await warned({});
    await eventually(
      () => accountView(first),
      ({ status }) => status?.windows[0]?.status === "warning",
    );
    expect((await servedBy(accounts, () => call(key))).id).toBe(first.id);
    expect(await cooldownsOf(first)).toEqual([]);
  });

  it("of another window stops nobody", async () => {
    const { account, key } = await createPair({ stopOnWarning: true });
    await upstream.set(account.secret, withWindows({ "7d": warning() }));
    await call(key);
    await eventually(
      () => accountView(account),
      ({ status }) =>
        status?.windows.some(({ id, status: state }) => id === "7d" && state === "warning") ?? false,
    );
    expect(await cooldownsOf(account)).toEqual([]);
  });

  it("does not switch an account on again that a person switched off", async () => {
    const { accounts, key, first, second } = await warned();
    await resting(first);
    await admin("PATCH", `/accounts/${first.id}`, { enabled: false });
    pass(HOUR_S + 1);
    expect((await accountView(first)).status?.availability.kind).toBe("disabled");
    expect((await servedBy(accounts, () => call(key))).id).toBe(second.id);
  });

  it("ends before its time when a person says so", async () => {
    const { key, first } = await warned();
    await resting(first);
    await admin("POST", `/accounts/${first.id}/reset`);
    expect((await accountView(first)).status?.availability.kind).toBe("available");
    expect((await call(key)).status).toBe(200);
  });

  it("tells a client that finds nobody else until when to wait", async () => {
    const { account, key } = await createPair({ stopOnWarning: true });
    await upstream.next(account.secret, withWindows({ "5h": warning() }));
    await call(key);
    await resting(account);
    const response = await call(key);
    expect(response.status).toBe(529);
    expect(Number(response.headers.get("retry-after"))).toBeGreaterThan(HOUR_S - 60);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("limits are nearly used up") as string },
    });
  });
});

describe("11: a limit of one family", () => {
  it("leaves the account's other models alone, and ends when the week does", async () => {
    const { account, key } = await createPair();
    const limit = rateLimited({ resetAt: inSeconds(WEEK_S), claim: "seven_day_opus" });
    await upstream.next(account.secret, limit);
    expect((await call(key, OPUS)).status).toBe(429);
    expect(await resting(account)).toMatchObject([
      { scope: "modelFamily", target: "opus", reason: "rate_limited" },
    ]);
    expect((await call(key, OPUS)).status).toBe(429);
    expect((await call(key)).status).toBe(200);
    expect((await upstream.statsOf(account.secret)).requests).toBe(2);
    pass(WEEK_S + 1);
    expect((await call(key, OPUS)).status).toBe(200);
    expect(await cooldownsOf(account)).toEqual([]);
  });

  it("sends only that family's requests to the next account", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    await upstream.next(
      first?.secret ?? "",
      rateLimited({ resetAt: inSeconds(HOUR_S), claim: "seven_day_opus" }),
    );
    expect((await call(key, OPUS)).status).toBe(200);
    expect((await servedBy(accounts, () => call(key, OPUS))).id).toBe(second?.id);
    expect((await servedBy(accounts, () => call(key))).id).toBe(first?.id);
  });
});

describe("11: a limit of the account", () => {
  it.each(["five_hour", "seven_day"])(
    "by the claim %s holds for every model, until its reset",
    async (claim) => {
      const { account, key } = await createPair();
      await upstream.next(account.secret, rateLimited({ resetAt: inSeconds(HOUR_S), claim }));
      expect((await call(key, OPUS)).status).toBe(429);
      expect(await resting(account)).toMatchObject([{ scope: "account", reason: "rate_limited" }]);
      expect((await call(key)).status).toBe(429);
      pass(HOUR_S + 1);
      expect((await call(key)).status).toBe(200);
      expect((await upstream.statsOf(account.secret)).requests).toBe(2);
    },
  );

  it("without any header rests a minute, and twice as long the next time", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, rateLimited());
    const lengths: number[] = [];
    for (let turn = 0; turn < 2; turn++) {
      const at = Date.now();
      expect((await call(key)).status).toBe(429);
      const [cooldown] = await resting(account);
      lengths.push(Math.round(((cooldown?.until ?? 0) - at) / 1000));
      pass((lengths.at(-1) ?? 0) + 1);
    }
    expect(lengths[0]).toBeGreaterThanOrEqual(60);
    expect(lengths[0]).toBeLessThan(90);
    expect(lengths[1]).toBeGreaterThanOrEqual(120);
    expect(lengths[1]).toBeLessThan(150);
  });
});

describe("an account's own lengths of rest", () => {
  const CHOSEN: [string, Behaviour, number][] = [
    ["overloaded", overloaded(), 1],
    ["rate_limited", rateLimited(), 1],
    ["unavailable", serverError(503), 1],
    ["server_error", serverError(500), 2],
  ];

  it.each(CHOSEN)("replace the table's: %s", async (reason, behaviour, strikes) => {
    const { account, key } = await createPair({ cooldownSeconds: { [reason]: 600 } });
    await upstream.next(account.secret, behaviour, strikes);
    const at = Date.now();
    for (let turn = 0; turn < strikes; turn++) await call(key);
    const [cooldown] = await resting(account);
    expect(cooldown?.reason).toBe(reason);
    expect(cooldown?.until).toBeGreaterThanOrEqual(at + 600_000);
    expect(cooldown?.until).toBeLessThan(at + 660_000);
    pass(661);
    expect((await call(key)).status).toBe(200);
  });

  it.each(CHOSEN)("may be none at all: %s", async (reason, behaviour, strikes) => {
    const { account, key } = await createPair({ cooldownSeconds: { [reason]: 0 } });
    await upstream.next(account.secret, behaviour, strikes + 1);
    for (let turn = 0; turn <= strikes; turn++) expect((await call(key)).ok).toBe(false);
    expect((await call(key)).status).toBe(200);
    expect(await cooldownsOf(account)).toEqual([]);
    expect((await upstream.statsOf(account.secret)).requests).toBe(strikes + 2);
  });

  it("still let the request go to the next account", async () => {
    const { accounts, key } = await createPool([
      { priority: 1, cooldownSeconds: { overloaded: 0 } },
      { priority: 2 },
    ]);
    await upstream.set(accounts[0]?.secret ?? "", overloaded());
    expect((await call(key)).status).toBe(200);
    expect((await call(key)).status).toBe(200);
    expect(await requestsOf(accounts)).toEqual([2, 2]);
  });

  it("give way to the time that the upstream names", async () => {
    const { account, key } = await createPair({ cooldownSeconds: { rate_limited: 5 } });
    await upstream.next(account.secret, rateLimited({ retryAfterS: 900 }));
    const at = Date.now();
    await call(key);
    const [cooldown] = await resting(account);
    expect(cooldown?.until).toBeGreaterThanOrEqual(at + 900_000);
  });

  it("hold for a part of an account as for the whole", async () => {
    const { account, key } = await createPair({ cooldownSeconds: { model: 0 } });
    await upstream.next(account.secret, {
      kind: "status",
      status: 404,
      body: { type: "error", error: { type: "not_found_error", message: `model: ${MODEL}` } },
    });
    expect((await call(key)).status).toBe(404);
    expect((await call(key)).status).toBe(200);
  });
});
