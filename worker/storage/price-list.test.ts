import { beforeEach, describe, expect, it, vi } from "vitest";
import { NO_PRICE_LIST, type PriceList } from "../domain/price-list.ts";

/** A module without the memory of another test's: a cold isolate. */
const cold = async () => {
  vi.resetModules();
  return import("./price-list.ts");
};

const LIST: PriceList = {
  version: 3,
  fetched: {
    table: {
      version: "genai-prices-2026-11-20+00000000",
      models: [
        {
          id: "m",
          provider: "p",
          name: "M",
          contextWindow: null,
          deprecated: false,
          match: { or: [{ equals: "m" }, { regex: "^m-\\d{8}$" }] },
          fastPercent: 100,
          batchPercent: 50,
          prices: [
            {
              from: null,
              rates: { input: 1, output: 2, cacheWrite5m: 1, cacheWrite1h: 1, cacheRead: 1 },
              longContext: null,
              webSearchNano: 0,
            },
          ],
        },
      ],
    },
    bundle: "bundle",
  },
};

let reads: number;
let stored: unknown;
const kv = {
  get: async () => {
    reads++;
    if (stored instanceof Error) throw stored;
    return stored;
  },
} as unknown as KVNamespace;
const at = (now: number) => ({ kv, now, waitUntil: () => undefined });

beforeEach(() => {
  [reads, stored] = [0, LIST];
});

describe("findPriceList", () => {
  it("reads KV once in ten minutes, and gives the same object in between", async () => {
    const { findPriceList } = await cold();
    const first = await findPriceList(at(0));
    expect(first).toEqual(LIST);
    for (let ms = 0; ms <= 600_000; ms += 30_000) expect(await findPriceList(at(ms))).toBe(first);
    expect(reads).toBe(1);
    await findPriceList(at(600_001));
    expect(reads).toBe(2);
  });

  it("E5 is no list where KV fails: the bundled prices hold", async () => {
    const { findPriceList } = await cold();
    stored = new Error("KV is down");
    expect(await findPriceList(at(0))).toEqual(NO_PRICE_LIST);
    stored = LIST;
    expect(await findPriceList(at(1))).toEqual(LIST);
  });

  it.each([["nonsense"], [{ version: 4, fetched: { table: { models: [] } } }], [null]])(
    "E5 is no list where KV holds %j",
    async (damaged) => {
      const { findPriceList } = await cold();
      stored = damaged;
      expect((await findPriceList(at(0))).fetched).toBeNull();
    },
  );
});
