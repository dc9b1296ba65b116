/** Quota cards: redeemed once, whoever asks how often; guessed by nobody; taken back as far as they are not used. */
import { env as rawEnv } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { tellKeys } from "../../worker/cron/finish-keys.ts";
import type { Card, Redemption } from "../../worker/domain/quota-card.ts";
import { parseEnv } from "../../worker/env.ts";
import { redeemCard } from "../../worker/storage/redeem.ts";
import { findCard } from "../../worker/storage/cards.ts";
import { alone } from "../../worker/storage/commit.ts";
import { costsEach, nano, settledStatus } from "./setup/limits.ts";
import { admin, call, createKey, createPair, env, fetchRelay, keyView, unique } from "./setup/relay.ts";

const HOUR_MS = 3_600_000;
type NewCard = Card & { readonly code: string };

async function createCards(input: object): Promise<NewCard[]> {
  const response = await admin("POST", "/cards", input);
  expect(response.status).toBe(201);
  return (await response.json<{ items: NewCard[] }>()).items;
}
async function createCard(input: object): Promise<NewCard> {
  const [card] = await createCards(input);
  if (card === undefined) throw new Error("no card");
  return card;
}

const redeem = (key: { readonly key: string }, code: string, address = unique("address")) =>
  fetchRelay("/public/key/redeem", {
    method: "POST",
    headers: { "x-api-key": key.key, "content-type": "application/json", "cf-connecting-ip": address },
    body: JSON.stringify({ code }),
  });

const redemptionsOf = async ({ id }: { readonly id: string }) =>
  (await (await admin("GET", `/redemptions?keyId=${id}`)).json<{ items: Redemption[] }>()).items;
const stateOf = async ({ id }: Card) => (await (await admin("GET", `/cards/${id}`)).json<Card>()).state;

describe("a quota card", () => {
  it("has a code that is shown once and kept as a hash only", async () => {
    const cards = await createCards({ cost: 5, note: "for Ada", count: 3 });
    expect(new Set(cards.map(({ code }) => code)).size).toBe(3);
    for (const { code, hint } of cards) {
      expect(code).toMatch(/^CC(_[A-HJ-NP-Z2-9]{4}){3}$/);
      expect(code.endsWith(hint)).toBe(true);
    }
    const code = cards[0]?.code ?? "";
    const shown = JSON.stringify([
      await (await admin("GET", "/cards?limit=200")).json(),
      await (await admin("GET", "/audit?action=card.create&limit=200")).json(),
      (await env.DB.prepare("SELECT * FROM quota_card").all()).results,
    ]);
    expect(shown).toContain("for Ada");
    expect(shown).not.toContain(code.slice(0, 12));
  });

  it("adds to the budget and to the life of a key, however its code is typed", async () => {
    const end = Date.now() + HOUR_MS;
    const { account, key } = await createPair({}, { totalCost: 1, expiresAt: end });
    await costsEach(account, 2);
    await call(key);
    await settledStatus(key);
    expect((await call(key)).status).toBe(402);
    const card = await createCard({ cost: 0.1 + 0.2 + 2, time: { amount: 2, unit: "hours" } });
    const response = await redeem(key, ` ${card.code.toLowerCase()} `);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      costBefore: 1,
      costAfter: 3.3,
      expiresAfter: end + 2 * HOUR_MS,
    });
    expect(await keyView(key)).toMatchObject({ totalCost: 3.3, expiresAt: end + 2 * HOUR_MS });
    await costsEach(account, 0);
    expect((await call(key)).status).toBe(200);
    expect(await stateOf(card)).toBe("redeemed");
    expect((await redeem(key, card.code)).status).toBe(409);
  });

  it(
    "B7 is redeemed once by fifty at the same time, for one key or for many",
    { timeout: 60_000 },
    async () => {
      const keys = await Promise.all(Array.from({ length: 10 }, () => createKey({ totalCost: 1 })));
      const card = await createCard({ cost: 5 });
      const asked = Array.from({ length: 50 }, (_, index) => keys[index % 10] ?? { key: "" });
      const statuses = await Promise.all(asked.map(async (key) => (await redeem(key, card.code)).status));
      expect(statuses.filter((status) => status === 200)).toHaveLength(1);
      expect(statuses.every((status) => [200, 409, 429].includes(status))).toBe(true);
      const budgets = await Promise.all(keys.map(async (key) => (await keyView(key)).totalCost));
      expect(budgets.toSorted((a, b) => a - b)).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 6]);
      const { items } = await (
        await admin("GET", `/audit?action=card.redeem&target=${card.id}`)
      ).json<{ items: unknown[] }>();
      expect(items).toHaveLength(1);
    },
  );

  it("B7 adds up with others that are redeemed for the same key at the same time", async () => {
    const key = await createKey({ totalCost: 1, expiresAt: Date.now() + HOUR_MS });
    const cards = await createCards({ cost: 2, time: { amount: 1, unit: "hours" }, count: 4 });
    const end = (await keyView(key)).expiresAt ?? 0;
    const answers = await Promise.all(cards.map(({ code }) => redeem(key, code)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const view = await keyView(key);
    expect(view).toMatchObject({ totalCost: 9, expiresAt: end + 4 * HOUR_MS });
    expect(view.status?.limits[0]?.limit).toBe(nano(9));
  });

  it("B7 cannot be guessed: tries are slowed down by key and by address", async () => {
    const guess = (index: number) => `CC_AAAA_BBBB_CC${String(22 + (index % 70)).replace(/[01]/g, "9")}`;
    const key = await createKey({ totalCost: 1 });
    const byKey: number[] = [];
    for (let index = 0; index < 8; index++) byKey.push((await redeem(key, guess(index))).status);
    expect(byKey.slice(0, 5)).toEqual([404, 404, 404, 404, 404]);
    expect(byKey).toContain(429);
    const [address, byAddress] = [unique("address"), new Set<number>()];
    for (let index = 0; index < 24; index++) {
      byAddress.add((await redeem(await createKey({ totalCost: 1 }), guess(index), address)).status);
    }
    expect([...byAddress].toSorted()).toEqual([404, 429]);
  });

  it("is refused to a key that it would limit, and stays unused", async () => {
    const unlimited = await createKey();
    const [budget, time] = [
      await createCard({ cost: 5 }),
      await createCard({ time: { amount: 1, unit: "days" } }),
    ];
    expect((await redeem(unlimited, budget.code)).status).toBe(409);
    expect((await redeem(unlimited, time.code)).status).toBe(409);
    expect(await keyView(unlimited)).toMatchObject({ totalCost: 0, expiresAt: null });
    expect([await stateOf(budget), await stateOf(time)]).toEqual(["unused", "unused"]);
    const disabled = await createKey({ enabled: false, totalCost: 1 });
    expect((await redeem(disabled, budget.code)).status).toBe(403);
  });

  it("gives a key that has ended new life", async () => {
    const { key } = await createPair({}, { expiresAt: Date.now() - HOUR_MS });
    expect((await call(key)).status).toBe(401);
    const card = await createCard({ time: { amount: 1, unit: "hours" } });
    expect((await redeem(key, card.code)).status).toBe(200);
    expect((await call(key)).status).toBe(200);
  });

  it("is of no use once it is revoked, expired or deleted", async () => {
    const key = await createKey({ totalCost: 1 });
    const [revoked, expired, deleted] = await Promise.all([
      createCard({ cost: 5 }),
      createCard({ cost: 5, expiresAt: Date.now() - 1 }),
      createCard({ cost: 5 }),
    ]);
    expect((await admin("POST", `/cards/${revoked.id}/revoke`)).status).toBe(200);
    expect((await admin("POST", `/cards/${revoked.id}/revoke`)).status).toBe(409);
    expect((await admin("DELETE", `/cards/${deleted.id}`)).status).toBe(204);
    expect((await redeem(key, revoked.code)).status).toBe(409);
    expect((await redeem(key, expired.code)).status).toBe(409);
    expect((await redeem(key, deleted.code)).status).toBe(404);
    expect((await keyView(key)).totalCost).toBe(1);
    expect(await stateOf(expired)).toBe("expired");
    const stats = await (await admin("GET", "/cards/stats")).json<Record<string, number>>();
    expect(stats).toMatchObject({ revoked: 1, expired: 1 });
    const { total } = await (await admin("GET", "/cards?state=expired")).json<{ total: number }>();
    expect(total).toBe(1);
  });

  it("is redeemed by an admin, too, and then neither revoked nor deleted", async () => {
    const key = await createKey({ totalCost: 1 });
    const card = await createCard({ cost: 5 });
    const order = { keyId: key.id };
    expect((await admin("POST", `/cards/${card.id}/redeem`, order)).status).toBe(200);
    expect((await admin("POST", `/cards/${card.id}/redeem`, order)).status).toBe(409);
    expect((await admin("POST", `/cards/${card.id}/revoke`)).status).toBe(409);
    expect((await admin("DELETE", `/cards/${card.id}`)).status).toBe(409);
    expect(await redemptionsOf(key)).toMatchObject([{ cardId: card.id, keyName: key.name, by: "admin" }]);
  });

  it.each([
    {},
    { cost: 0 },
    { cost: -5 },
    { cost: 1e9 },
    { cost: "5" },
    { cost: null },
    { time: { amount: 0, unit: "days" } },
    { time: { amount: 1, unit: "years" } },
    { cost: 5, count: 101 },
    { cost: 5, count: 0 },
    { cost: 5, code: "CC_AAAA_AAAA_AAAA" },
  ])("B5 is not made of %j", async (input) => {
    expect((await admin("POST", "/cards", input)).status).toBe(400);
  });
});

describe("a worker that dies after a redemption", () => {
  it("B7 leaves it to the job, which makes the key's object know of it once", async () => {
    const { key } = await createPair({}, { totalCost: 1 });
    const { id } = await createCard({ cost: 5 });
    const db = env.DB;
    const now = Date.now();
    const dead = () => Promise.reject(new Error("the worker is gone"));
    const snapshots = { kv: env.KV, now, waitUntil: () => undefined };
    await redeemCard(
      { find: () => findCard(db, id, now), keyId: key.id, by: "test" },
      {
        reach: { db, snapshots, configure: dead },
        statusOf: () => Promise.resolve(null),
        commit: () => alone(db),
        now,
      },
    );
    const limit = async () => (await keyView(key)).status?.limits[0]?.limit;
    expect(await limit()).toBe(nano(1));
    expect(await tellKeys(parseEnv(rawEnv), now)).toBe(1);
    expect(await limit()).toBe(nano(6));
    expect(await tellKeys(parseEnv(rawEnv), now)).toBe(0);
    expect(await limit()).toBe(nano(6));
  });
});

describe("a redemption that is revoked", () => {
  const revoke = async (key: { readonly id: string }) => {
    const [redemption] = await redemptionsOf(key);
    return admin("POST", `/redemptions/${redemption?.id ?? ""}/revoke`);
  };

  it("takes back what is not used, once", async () => {
    const { account, key } = await createPair({}, { totalCost: 1, expiresAt: Date.now() + HOUR_MS });
    const end = key.expiresAt ?? 0;
    const card = await createCard({ cost: 10, time: { amount: 3, unit: "hours" } });
    await redeem(key, card.code);
    await costsEach(account, 4);
    await call(key);
    const used = (await settledStatus(key)).limits[0]?.used ?? 0;
    expect(used).toBeGreaterThan(nano(3));
    const response = await revoke(key);
    expect(response.status).toBe(200);
    const taken = (await response.json<Redemption>()).takenBack;
    const view = await keyView(key);
    expect(view.status?.limits[0]).toMatchObject({ limit: used, used });
    expect(taken?.cost).toBeCloseTo(11 - used / 1e9, 6);
    expect([view.expiresAt, taken?.timeMs]).toEqual([end, 3 * HOUR_MS]);
    expect((await call(key)).status).toBe(402);
    expect((await revoke(key)).status).toBe(409);
  });

  it("never makes a key unlimited, and never ends it before now", async () => {
    const key = await createKey({ totalCost: 1, expiresAt: Date.now() + HOUR_MS });
    const card = await createCard({ cost: 10, time: { amount: 30, unit: "days" } });
    await redeem(key, card.code);
    const from = Date.now();
    await admin("PATCH", `/keys/${key.id}`, { totalCost: 2, expiresAt: from + HOUR_MS });
    await revoke(key);
    const view = await keyView(key);
    expect(view.totalCost).toBe(0.01);
    expect(view.expiresAt).toBeGreaterThanOrEqual(from);
    expect(view.expiresAt).toBeLessThan(from + HOUR_MS);
  });
});
