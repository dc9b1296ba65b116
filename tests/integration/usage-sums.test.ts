/** Totals, charts and rankings of the ledger: all from sums, in the deployment's days. */
import { beforeAll, describe, expect, it } from "vitest";
import type { UsageGroupTotals, UsageSeries, UsageTotals } from "../../worker/domain/usage-sum.ts";
import { usageRange } from "../../worker/domain/usage-range.ts";
import { usageBreakdown } from "../../worker/storage/usage-sums.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { explaining } from "./setup/explain.ts";
import { createPerson } from "./setup/people.ts";
import { admin, createKey, env, fetchRelay, relayWith, type TestKey } from "./setup/relay.ts";

const HOUR_MS = 3_600_000;
const at = (text: string) => Date.parse(text);
const KATHMANDU = "Asia/Kathmandu";

const read = async <Answer>(path: string): Promise<Answer> => {
  const response = await admin("GET", `/usage/${path}`);
  expect(response.status).toBe(200);
  return response.json<Answer>();
};

let key: TestKey;

beforeAll(async () => {
  key = await createKey({ name: "Ada's" });
  await book([
    recordAt(at("2026-03-01T10:10:00Z"), { keyId: key.id, cost: 5000, tokens: { cacheRead: 70 } }),
    recordAt(at("2026-03-01T10:50:00Z"), { keyId: key.id, cost: 1, outcome: "failed" }),
    recordAt(at("2026-03-02T23:30:00Z"), {
      model: "gpt-6-sol",
      protocol: "openai-chat",
      provider: "openai-responses",
      priceVersion: null,
      cost: 0,
    }),
    recordAt(at("2026-03-03T00:30:00Z"), {
      accountId: null,
      provider: null,
      outcome: "client_gone",
      cost: 7,
    }),
  ]);
});

const MARCH = "from=2026-03-01&to=2026-03-31";

describe("GET /admin/usage/summary", () => {
  it("adds up everything of a range, its last day included", async () => {
    expect(await read<UsageTotals>(`summary?${MARCH}`)).toMatchObject({
      from: at("2026-03-01"),
      to: at("2026-04-01"),
      timeZone: "UTC",
      requests: 4,
      failed: 1,
      unpriced: 1,
      cost: 5008,
      tokens: { input: 40, output: 80, cacheRead: 70, cacheWrite5m: 0, cacheWrite1h: 0, webSearches: 0 },
      totalTokens: 190,
      cacheHitShare: 70 / 110,
    });
  });

  it.each([
    ["key", () => `keyId=${key.id}`, 2],
    ["account", () => "accountId=acc_00000001", 3],
    ["model", () => "model=gpt-6-sol", 1],
    ["protocol", () => "protocol=openai-chat", 1],
    ["provider", () => "provider=claude-console", 2],
    ["a value with quotes, which finds nothing", () => "model=' OR 1=1 --", 0],
  ])("filters by %s", async (_, filter, requests) => {
    expect((await read<UsageTotals>(`summary?${MARCH}&${filter()}`)).requests).toBe(requests);
  });

  it("takes instants as whole hours, and has no share where there was no input", async () => {
    const hours = "from=2026-03-01T10:20:00Z&to=2026-03-01T10:21:00Z";
    expect((await read<UsageTotals>(`summary?${hours}`)).requests).toBe(2);
    const empty = await read<UsageTotals>("summary?from=2020-01-01&to=2020-01-02");
    expect(empty).toMatchObject({ requests: 0, cost: 0, cacheHitShare: null });
  });

  it.each([
    ["an end before its start", "from=2026-03-02&to=2026-03-01"],
    ["a day that is not", "from=2026-02-30&to=2026-03-01"],
    ["eleven years", "from=2015-01-01&to=2026-03-01"],
    ["hours of half a year", "from=2026-01-01T01:00:00Z&to=2026-06-01"],
    ["a protocol nobody speaks", "protocol=smtp"],
    ["an instant past all dates", "from=99999999999999999"],
  ])("refuses %s", async (_, query) => {
    expect((await admin("GET", `/usage/summary?${query}`)).status).toBe(400);
  });

  it("needs somebody signed in", async () => {
    expect((await fetchRelay("/admin/usage/summary")).status).toBe(401);
  });
});

describe("GET /admin/usage/series", () => {
  interface Answer {
    readonly series: readonly UsageSeries[];
  }

  it("has a point for every day, and for every hour", async () => {
    const { series: days } = await read<Answer>("series?step=day&from=2026-03-01&to=2026-03-04");
    expect(days.map(({ points }) => points.map(({ requests }) => requests))).toEqual([[2, 1, 1, 0]]);
    const { series: hours } = await read<Answer>("series?step=hour&from=2026-03-01&to=2026-03-01");
    const points = hours.at(0)?.points ?? [];
    expect(points).toHaveLength(24);
    expect(points.filter(({ requests }) => requests > 0).map(({ start }) => start)).toEqual([
      at("2026-03-01T10:00:00Z"),
    ]);
  });

  it("has a line for the dearest groups, and one for the rest", async () => {
    const { series } = await read<Answer>(`series?step=day&by=key&lines=1&${MARCH}`);
    expect(series.map(({ group }) => group)).toEqual([
      { id: key.id, name: "Ada's" },
      { id: null, name: null },
    ]);
    const requests = series.map(({ points }) => points.reduce((sum, point) => sum + point.requests, 0));
    expect(requests).toEqual([2, 2]);
  });

  it("has no line for a rest that is not there", async () => {
    const { series } = await read<Answer>(`series?step=day&by=protocol&${MARCH}`);
    expect(series.map(({ group }) => group.id)).toEqual(["anthropic", "openai-chat"]);
  });
});

describe("GET /admin/usage/breakdown", () => {
  interface Answer {
    readonly items: readonly UsageGroupTotals[];
    readonly total: number;
  }

  it.each([
    ["key", ["Ada's", null]],
    ["account", [null, null]],
    ["model", ["claude-sonnet-4-5", "gpt-6-sol"]],
    ["protocol", ["anthropic", "openai-chat"]],
    ["provider", ["claude-console", null, "openai-responses"]],
  ])("by %s is in the order of cost", async (by, names) => {
    const { items, total } = await read<Answer>(`breakdown?by=${by}&${MARCH}`);
    expect(items.map(({ name }) => name)).toEqual(names);
    expect(total).toBe(names.length);
    const costs = items.map(({ cost }) => cost);
    expect(costs).toEqual(costs.toSorted((a, b) => b - a));
    expect(costs.reduce((sum, cost) => sum + cost, 0)).toBe(5008);
  });

  it("comes in pages, sorted by what is on the list and nothing else", async () => {
    const { items, total } = await read<Answer>(`breakdown?by=model&sort=requests&limit=1&page=2&${MARCH}`);
    expect([items.map(({ id }) => id), total]).toEqual([["gpt-6-sol"], 2]);
    for (const query of ["by=model&sort=cost;drop", "by=hash", ""]) {
      expect((await admin("GET", `/usage/breakdown?${query}`)).status).toBe(400);
    }
  });
});

describe("what keys say of themselves", () => {
  const YEAR = "from=2027-01-01&to=2027-12-31";
  const bySums = (items: readonly UsageGroupTotals[]) => items.map(({ id, name, cost }) => [id, name, cost]);

  beforeAll(async () => {
    const owner = await createPerson("user");
    owned = { id: owner.id, username: owner.username };
    const both = await createKey({
      tags: ["red", "blue"],
      ownerId: owner.id,
      binding: { kind: "group", group: "g" },
    });
    const one = await createKey({ tags: ["red"] });
    const when = at("2027-02-01T10:00:00Z");
    await book([
      recordAt(when, { keyId: both.id, cost: 10 }),
      recordAt(when, { keyId: both.id, cost: 1, model: "other", accountId: null }),
      recordAt(when + 24 * HOUR_MS, { keyId: one.id, cost: 100 }),
      recordAt(when, { keyId: "key_00000099", cost: 1000 }),
    ]);
    await admin("DELETE", `/keys/${one.id}`);
  });
  let owned: { id: string; username: string };

  it("are sums by owner, group and tag, a key with two tags in both, and the rest under no name", async () => {
    const of = async (by: string) =>
      bySums((await read<{ items: UsageGroupTotals[] }>(`breakdown?by=${by}&${YEAR}`)).items);
    expect(await of("user")).toEqual([
      ["", null, 1100],
      [owned.id, owned.username, 11],
    ]);
    expect(await of("group")).toEqual([
      ["", null, 1100],
      ["g", "g", 11],
    ]);
    expect(await of("tag")).toEqual([
      ["", null, 1000],
      ["red", "red", 111],
      ["blue", "blue", 11],
    ]);
  });

  it.each([
    ["owner", () => `ownerId=${owned.id}`, 11],
    ["group", () => "group=g", 11],
    ["tag", () => "tag=red", 111],
    ["tag and model", () => "tag=red&model=other", 1],
    ["text that is no SQL", () => `tag=${encodeURIComponent("' OR 1=1 --")}`, 0],
  ])("are filters by %s", async (_, filter, cost) => {
    expect((await read<UsageTotals>(`summary?${YEAR}&${filter()}`)).cost).toBe(cost);
  });

  it.each(["day", "hour"] as const)("are lines of a chart by %s", async (step) => {
    const span = "from=2027-02-01&to=2027-02-02";
    const { series } = await read<{ series: UsageSeries[] }>(`series?step=${step}&by=tag&lines=1&${span}`);
    const sums = series.map(({ group, points }) => [
      group.id,
      points.reduce((sum, { cost }) => sum + cost, 0),
    ]);
    expect(sums).toEqual([
      ["", 1000],
      [null, 122],
    ]);
  });

  it("read rollups and nothing else of the ledger", async () => {
    const range = usageRange({ from: { day: "2027-01-01" }, to: { day: "2027-12-31" } }, 0, "UTC");
    if (typeof range === "string") throw new Error(range);
    const filter = { keyId: undefined, accountId: undefined, model: undefined, protocol: undefined };
    for (const by of ["user", "group", "tag"] as const) {
      const { db, plans } = explaining(env.DB);
      const ranking = { by, sort: "cost", limit: 10, offset: 0 } as const;
      await usageBreakdown(db, range, { ...filter, provider: undefined, tag: "x", ownerId: "y" }, ranking);
      const plan = plans.flat().join("; ");
      expect(plan).toContain("SEARCH usage_day USING PRIMARY KEY (day>? AND day<?)");
      expect(plan).toContain("relay_key_owner");
      expect(plan).not.toMatch(/usage_record/);
    }
  });
});

describe("a deployment's days", () => {
  it("begin at its midnight, even a quarter past the hour", async () => {
    // 18:10 and 18:20 of UTC are 23:55 and 00:05 in Kathmandu.
    const day = at("2026-05-10");
    const times = [day + 18 * HOUR_MS + 10 * 60_000, day + 18 * HOUR_MS + 20 * 60_000];
    await book(
      times.map((time) => recordAt(time, { model: "nepal" })),
      KATHMANDU,
    );
    const relay = relayWith({ TIMEZONE: KATHMANDU });
    const { token } = await (
      await fetchRelay("/admin/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
      })
    ).json<{ token: string }>();
    const response = await relay("/admin/usage/series?step=day&model=nepal&from=2026-05-10&to=2026-05-11", {
      headers: { authorization: `Bearer ${token}` },
    });
    const { series } = await response.json<{ series: UsageSeries[] }>();
    expect(series.at(0)?.points.map(({ start, day: name, requests }) => [start, name, requests])).toEqual([
      [at("2026-05-09T18:15:00Z"), "2026-05-10", 1],
      [at("2026-05-10T18:15:00Z"), "2026-05-11", 1],
    ]);
  });
});

describe("GET /admin/usage/live", () => {
  it("counts what ended in the window, and ranks the waits for a first byte", async () => {
    const now = Date.now();
    const waits = Array.from({ length: 20 }, (_, index) => (index + 1) * 10);
    await book([
      ...waits.map((ms) => recordAt(now - 30_000, { firstByteAt: now - 30_000 + ms, tokens: { input: 80 } })),
      recordAt(now - 20_000, { outcome: "failed", firstByteAt: null, tokens: { input: 0, output: 0 } }),
      recordAt(now - 90_000, { endedAt: now - 10_000, firstByteAt: null }),
      recordAt(now - 300_000),
    ]);
    expect(await read("live?minutes=2")).toEqual({
      minutes: 2,
      requests: 22,
      failed: 1,
      requestsPerMinute: 11,
      tokensPerMinute: (20 * 100 + 30) / 2,
      firstByteMs: { p50: 100, p95: 190 },
    });
    for (const minutes of ["0", "61", "x"]) {
      expect((await admin("GET", `/usage/live?minutes=${minutes}`)).status).toBe(400);
    }
  });
});
