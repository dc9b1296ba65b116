/** Settings that an admin changes while the relay runs. Security cases B8 and C6. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { auditUsageDaily } from "../../worker/cron/audit-usage.ts";
import { rebuildSnapshots } from "../../worker/cron/rebuild-snapshots.ts";
import { dayAt } from "../../worker/domain/calendar.ts";
import type { Overrides, SettingValues } from "../../worker/domain/settings.ts";
import { parseEnv } from "../../worker/env.ts";
import { answer, overloaded } from "../upstream/behaviour.ts";
import { limitOf } from "./setup/limits.ts";
import {
  accountView,
  admin,
  call,
  createKey,
  createPair,
  env,
  eventually,
  fetchRelay,
  idle,
  upstream,
  usageOf,
} from "./setup/relay.ts";

interface View {
  readonly values: SettingValues;
  readonly defaults: SettingValues;
  readonly overrides: Overrides;
}
interface Entry {
  readonly target: string;
  readonly before: object;
  readonly after: object;
}

const view = async () => (await admin("GET", "/settings")).json<View>();
async function set(patch: object): Promise<View> {
  const response = await admin("PATCH", "/settings", patch);
  expect(response.status).toBe(200);
  return response.json();
}

const PNG = "data:image/png;base64,iVBORw0KGgo=";
const DAY_MS = 86_400_000;

afterEach(async () => {
  const { overrides } = await view();
  await set(Object.fromEntries(Object.keys(overrides).map((name) => [name, null])));
});

describe("settings", () => {
  it("are the deployment's own until somebody changes them", async () => {
    const { values, defaults, overrides } = await view();
    expect(values).toEqual(defaults);
    expect(overrides).toEqual({});
    expect(defaults).toMatchObject({ timeZone: "UTC", queueTimeoutMs: 700, logRequests: false });
  });

  it("are changed one by one, and go back one by one", async () => {
    await set({ holdBackMs: 5, branding: { name: "Ours", notice: "Hello" } });
    expect((await set({ branding: { notice: null }, routingDays: 3 })).overrides).toEqual({
      holdBackMs: 5,
      routingDays: 3,
      branding: { name: "Ours" },
    });
    const response = await admin("DELETE", "/settings/holdBackMs");
    expect((await response.json<View>()).values.holdBackMs).toBe(400);
    expect((await admin("DELETE", "/settings/holdBackMs")).status).toBe(404);
    expect((await admin("DELETE", "/settings/nonsense")).status).toBe(404);
  });

  it("are all kept when they are changed at once", async () => {
    const names = ["sessionPatienceMs", "routingDays", "recordMonths", "holdBackMs"];
    await Promise.all(names.map((name, index) => set({ [name]: index + 1 })));
    expect((await view()).overrides).toEqual(
      Object.fromEntries(names.map((name, index) => [name, index + 1])),
    );
  });

  it("C6 hold nothing of a body that names an object's machinery", async () => {
    const bodies = ['{"__proto__":{"holdBackMs":1}}', '{"constructor":{"prototype":{"enabled":true}}}'];
    for (const body of bodies) {
      const response = await admin("PATCH", "/settings", JSON.parse(body) as object);
      // JSON.stringify leaves `__proto__` in: it is an own property here.
      expect(response.status, body).toBe(400);
    }
    expect((await view()).overrides).toEqual({});
    expect(({} as Record<string, unknown>)["enabled"]).toBeUndefined();
  });

  it("are in the audit log, without the picture", async () => {
    await set({ branding: { icon: PNG }, timeZone: "Asia/Tokyo" });
    const response = await admin("GET", "/audit?action=settings.update&limit=1");
    const { items } = await response.json<{ items: Entry[] }>();
    expect(items[0]).toMatchObject({
      target: "settings",
      before: {},
      after: { timeZone: "Asia/Tokyo", branding: { icon: "a picture" } },
    });
  });

  it("are rebuilt in KV when they are missing there, and never carry the picture", async () => {
    await set({ branding: { icon: PNG, name: "Ours" } });
    await env.KV.delete("settings");
    await rebuildSnapshots(parseEnv(env));
    const text = (await env.KV.get("settings")) ?? "";
    expect(JSON.parse(text)).toMatchObject({ overrides: { branding: { name: "Ours" } } });
    expect(text).not.toContain("image/png");
  });
});

describe("GET /admin/branding", () => {
  it("shows anybody the name, the picture and the notice, and nothing else", async () => {
    await set({
      branding: { icon: PNG, name: "Ours", notice: "Maintenance on Sunday" },
      registration: { enabled: true, keysMax: 3 },
      holdBackMs: 5,
    });
    const response = await fetchRelay("/admin/branding");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      name: "Ours",
      icon: PNG,
      notice: "Maintenance on Sunday",
      publicPage: { enabled: true },
      registration: { enabled: true },
    });
  });
});

describe("a setting", () => {
  it("is followed by requests that wait for a slot", async () => {
    const { account, key } = await createPair({ maxConcurrency: 1 });
    await set({ queueTimeoutMs: 0 });
    await upstream.set(account.secret, { kind: "gate", gate: account.secret, then: answer() });
    const running = call(key);
    await upstream.until(account.secret, ({ open }) => open === 1);
    const startedAt = performance.now();
    expect((await call(key)).status).toBe(529);
    expect(performance.now() - startedAt).toBeLessThan(600);
    await upstream.release(account.secret);
    expect((await running).status).toBe(200);
  });

  it("is how long accounts rest that have no lengths of their own", async () => {
    await set({ cooldownSeconds: { overloaded: 0, server_error: 600 } });
    const tired = await createPair();
    const own = await createPair({ cooldownSeconds: { overloaded: 300 } });
    for (const { account, key } of [tired, own]) {
      await upstream.set(account.secret, overloaded());
      expect((await call(key)).status).toBe(529);
      await idle(account, key);
    }
    expect((await accountView(tired.account)).status?.cooldowns).toEqual([]);
    const [cooldown] = (await accountView(own.account)).status?.cooldowns ?? [];
    expect((cooldown?.until ?? 0) - Date.now()).toBeGreaterThan(200_000);
  });

  it("is what a service costs, times the key's own rate", async () => {
    await set({ rates: { claude: 3 } });
    const { key } = await createPair({}, { dailyCost: 100, rates: { claude: 2 } });
    expect((await call(key)).status).toBe(200);
    const [record] = await usageOf(key);
    expect((await limitOf(key, "daily_cost")).used).toBe((record?.cost ?? 0) * 6);
    expect(record?.cost).toBeGreaterThan(0);
  });
});

describe("logRequests", () => {
  it("writes one line for each request's end, and none unless it is set", async () => {
    const lines: string[] = [];
    vi.spyOn(console, "log").mockImplementation((line: string) => lines.push(line));
    const { account, key } = await createPair();
    await call(key);
    await usageOf(key);
    expect(lines).toEqual([]);
    await set({ logRequests: true });
    await call(key);
    const [record] = await usageOf(key, 2);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({
      event: "request",
      requestId: record?.requestId,
      keyId: key.id,
      accountId: account.id,
      outcome: "completed",
      "gen_ai.usage.output_tokens": record?.tokens.output,
    });
    expect(lines[0]).not.toMatch(/Hello|sk-ant|cr_/);
    vi.restoreAllMocks();
  });
});

describe("the time zone", () => {
  it("B8 is a new key's at once; a day that has begun ends when it was to end", async () => {
    const begun = await createPair({}, { dailyCost: 100 });
    expect((await call(begun.key)).status).toBe(200);
    const utc = dayAt(Date.now(), "UTC");
    expect((await limitOf(begun.key, "daily_cost")).resetAt).toBe(utc.end);
    await set({ timeZone: "Asia/Kathmandu" });
    const fresh = await createKey({ dailyCost: 100 });
    expect((await limitOf(fresh, "daily_cost")).resetAt).toBe(dayAt(Date.now(), "Asia/Kathmandu").end);
    expect((await limitOf(begun.key, "daily_cost")).resetAt).toBe(utc.end);
    const response = await admin("GET", "/usage/summary?from=2026-03-01&to=2026-03-02");
    expect(await response.json()).toMatchObject({ timeZone: "Asia/Kathmandu" });
  });

  it("B8 does not make the books look wrong that were kept in another", async () => {
    const { key } = await createPair();
    await call(key);
    await usageOf(key);
    await set({ timeZone: "Pacific/Kiritimati" });
    const last = async () =>
      (await admin("GET", "/usage/reconcile")).json<{ last: { report: { total: number } } | null }>();
    await auditUsageDaily(parseEnv(env), Date.now() + DAY_MS);
    expect((await last()).last).toBeNull();
    await auditUsageDaily(parseEnv(env), Date.now() + 4 * DAY_MS);
    const { last: report } = await eventually(last, ({ last: found }) => found !== null);
    expect(report?.report.total).toBe(0);
  });
});
