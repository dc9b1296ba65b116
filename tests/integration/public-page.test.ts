/** The public page: a key's holder sees what the key is and used, and nobody else sees anything. */
import { describe, expect, it } from "vitest";
import { apiDocument } from "../../worker/api-document/document.ts";
import { documentedRoutes } from "../../worker/admin/routes.ts";
import { keyCardAnswer, keyRequestsAnswer, keyUsageAnswer } from "../../worker/public/answers.ts";
import { costsEach, settledStatus } from "./setup/limits.ts";
import { book, recordAt } from "./setup/ledger.ts";
import {
  admin,
  call,
  createKey,
  createPair,
  fetchRelay,
  MODEL,
  relayWith,
  unique,
  usageOf,
} from "./setup/relay.ts";

const PATHS = ["/public/key", "/public/key/usage", "/public/key/requests"] as const;

const ask = (path: string, key: { readonly key: string }, address = unique("address")) =>
  fetchRelay(path, { headers: { authorization: `Bearer ${key.key}`, "cf-connecting-ip": address } });

const read = async <Answer>(path: string, key: { readonly key: string }): Promise<Answer> => {
  const response = await ask(path, key);
  expect(response.status).toBe(200);
  expect(response.headers.get("cache-control")).toBe("no-store");
  return response.json<Answer>();
};

describe("GET /public/key", () => {
  it("shows all that limits the key, how far it is used, and nothing of accounts or remarks", async () => {
    const { account, key } = await createPair(
      {},
      {
        description: "for the secret project",
        tags: ["secret-tag"],
        permissions: ["claude"],
        concurrency: 3,
        totalCost: 10,
        dailyCost: 5,
        windowMinutes: 60,
        windowRequests: 100,
      },
    );
    await costsEach(account, 1);
    await call(key);
    await settledStatus(key);
    const shown = await read<{ limits: { id: string; used: number }[] }>("/public/key", key);
    expect(shown).toMatchObject({
      name: key.name,
      hint: key.key.slice(-6),
      validity: "active",
      permissions: ["claude"],
      concurrency: { limit: 3, active: 0, waiting: 0 },
      totals: { requests: 1 },
      timeZone: "UTC",
    });
    expect(keyCardAnswer.parse(shown)).toEqual(shown);
    expect(shown.limits.map(({ id }) => id)).toEqual(["total_cost", "daily_cost", "window_requests"]);
    expect(shown.limits.every(({ used }) => used > 0)).toBe(true);
    const text = JSON.stringify(shown);
    for (const secret of ["secret", account.id, account.name, key.id, ...account.groups, "fingerprint"]) {
      expect(text).not.toContain(secret);
    }
  });

  it.each([
    ["disabled", { enabled: false }],
    ["expired", { expiresAt: 1 }],
    ["not_begun", { activation: { amount: 1, unit: "days" } }],
    ["active", { expiresAt: 4e12 }],
  ])("says of a key that it is %s, and begins no lifetime", async (validity, overrides) => {
    const key = await createKey(overrides);
    await read("/public/key/usage", key);
    expect(await read("/public/key", key)).toMatchObject({ validity });
  });
});

describe("what a key used", () => {
  it("is its own alone, by model and by day", async () => {
    const [key, other] = [await createKey(), await createKey()];
    const now = Date.now();
    const DAY_MS = 86_400_000;
    await book([
      recordAt(now, { keyId: key.id, cost: 5, model: "a" }),
      recordAt(now, { keyId: key.id, cost: 3, model: "b" }),
      recordAt(now - 3 * DAY_MS, { keyId: key.id, cost: 20, model: "a" }),
      recordAt(now - 20 * DAY_MS, { keyId: key.id, cost: 300, model: "a" }),
      recordAt(now, { keyId: other.id, cost: 4000, model: "a" }),
    ]);
    const costs = async (period: string) => {
      const path = `/public/key/usage?period=${period}`;
      const usage = await read<{
        totals: { cost: number };
        models: { model: string; cost: number }[];
        days: { day: string; cost: number }[];
      }>(path, key);
      const models = usage.models.map(({ model, cost }) => [model, cost]);
      return [usage.totals.cost, models, usage.days.map(({ cost }) => cost)];
    };
    expect((await costs("day"))[0]).toBe(8);
    expect(await costs("week")).toEqual([
      28,
      [
        ["a", 25],
        ["b", 3],
      ],
      [20, 8],
    ]);
    expect((await costs("month"))[0]).toBe(328);
    expect((await costs("all"))[0]).toBe(8);
    expect((await ask("/public/key/usage?period=year", key)).status).toBe(400);
  });

  it("is listed request by request, without how it was routed", async () => {
    const { account, key } = await createPair();
    const { key: other } = await createPair();
    await call(other);
    for (let count = 0; count < 3; count++) await call(key);
    await usageOf(key, 3);
    await usageOf(other);
    const first = await read<{ items: object[]; next: string }>("/public/key/requests?limit=2", key);
    const path = `/public/key/requests?limit=2&after=${first.next}`;
    const second = await read<{ items: object[]; next: string | null }>(path, key);
    expect([first.items.length, second.items.length, second.next]).toEqual([2, 1, null]);
    expect(first.items[0]).toMatchObject({ requestedModel: MODEL, outcome: "completed" });
    const text = JSON.stringify([first, second]);
    for (const hidden of [account.id, account.name, "provider", "routing", "keyName"]) {
      expect(text).not.toContain(hidden);
    }
    for (const query of ["limit=0", "limit=101", "after=x"]) {
      expect((await ask(`/public/key/requests?${query}`, key)).status).toBe(400);
    }
  });
});

describe("whoever holds no key", () => {
  it.each(PATHS)("A6 gets nothing from %s, by an id least of all", async (path) => {
    const key = await createKey();
    const rotated = await createKey();
    const old = rotated.key;
    await admin("POST", `/keys/${rotated.id}/rotate`);
    const binned = await createKey();
    await admin("DELETE", `/keys/${binned.id}`);
    const texts = [key.id, "cr_short", `cr_${"0".repeat(64)}`, old, binned.key, ""];
    const bodies = new Set<string>();
    for (const text of texts) {
      const response = await ask(path, { key: text });
      expect(response.status, text).toBe(401);
      const { error } = await response.json<{ error: { code: string } }>();
      if (text !== "") bodies.add(JSON.stringify({ ...error, requestId: "" }));
    }
    expect(bodies.size).toBe(1);
    for (const query of [`?id=${key.id}`, `?apiId=${key.id}`, `?key=${key.key}`]) {
      const response = await fetchRelay(path + query, { headers: { "cf-connecting-ip": unique("a") } });
      expect(response.status).toBe(401);
    }
  });

  it("is slowed down, and keeps nobody with a key out", async () => {
    const address = unique("address");
    const key = await createKey();
    const statuses: number[] = [];
    for (let count = 0; count < 25; count++) {
      statuses.push((await ask("/public/key", { key: `cr_${"1".repeat(64)}` }, address)).status);
    }
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 401));
    expect(statuses).toContain(429);
    expect((await ask("/public/key", key, address)).status).toBe(200);
  });

  it("reads it from no other origin", async () => {
    const key = await createKey();
    for (const method of ["OPTIONS", "GET"]) {
      const headers = { authorization: `Bearer ${key.key}`, origin: "https://evil.test" };
      const response = await fetchRelay("/public/key", { method, headers });
      for (const [name] of response.headers) expect(name).not.toMatch(/^access-control/);
    }
  });

  it("finds nothing where the page is switched off", async () => {
    const key = await createKey();
    const relay = relayWith({ PUBLIC_PAGE: "false" });
    for (const path of PATHS) {
      const response = await relay(path, { headers: { authorization: `Bearer ${key.key}` } });
      expect(response.status).toBe(404);
    }
  });
});

describe("the document", () => {
  it("has each of these routes, its key, and what it answers", async () => {
    const { paths } = apiDocument(documentedRoutes());
    const own = Object.keys(paths).filter((path) => path.startsWith("/public/"));
    expect(own).toEqual([...PATHS, "/public/key/redeem"]);
    for (const path of own) {
      for (const { security } of Object.values(paths[path] ?? {})) expect(security).toEqual([{ key: [] }]);
    }
    const { key } = await createPair();
    await call(key);
    await usageOf(key);
    const [usage, requests] = [await read("/public/key/usage", key), await read("/public/key/requests", key)];
    expect(keyUsageAnswer.parse(usage)).toEqual(usage);
    expect(keyRequestsAnswer.parse(requests)).toEqual(requests);
  });
});
