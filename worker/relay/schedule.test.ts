import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Directory, DirectoryEntry } from "../domain/account.ts";
import type { AccountId, Affinity } from "../domain/ids.ts";
import { POLICIES, type Policy } from "../domain/group.ts";
import { schedule as choose, serves, type Wish } from "./schedule.ts";

const account = (number: number, overrides: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  id: `acc_${String(number).padStart(8, "0")}` as AccountId,
  provider: "claude-console",
  priority: 50,
  weight: 100,
  groups: [],
  models: [],
  modelMap: {},
  userTurns: null,
  enabled: true,
  ...overrides,
});

const directory = (accounts: readonly DirectoryEntry[], policy?: Policy): Directory => ({
  version: 1,
  accounts: [...accounts],
  groups: policy === undefined ? [] : [{ name: "*", policy, modelMap: {} }],
  purses: [],
});
const accounts = (count: number) => Array.from({ length: count }, (_, number) => account(number));
const session = (number: number) => `key_00000000:session-${String(number)}` as Affinity;

const wish = (overrides: Partial<Wish> = {}): Wish => ({
  binding: null,
  bindingFallback: false,
  model: "claude-sonnet-4-5",
  affinity: null,
  suits: () => true,
  ...overrides,
});

const seenNothing = () => ({ active: 0, lastUsedAt: 0 });

const schedule = (entries: Directory, wanted: Wish, random: () => number) => [
  ...choose(entries, wanted, { random, seen: seenNothing }).accounts,
];

/** The same numbers at every run. */
function seeded(): () => number {
  let state = 42;
  return () => ((state = (Math.imul(state, 1664525) + 1013904223) >>> 0) + 0.5) / 2 ** 32;
}

const never = () => {
  throw new Error("randomness was used");
};

const homeOf = (entries: readonly DirectoryEntry[], number: number) =>
  schedule(directory(entries), wish({ affinity: session(number) }), never)[0];

describe("schedule", () => {
  it("ranks the same session alike whatever the order of the directory, without randomness", () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(accounts(20), { minLength: 20 }), fc.nat(), (shuffled, number) => {
        const affinity = session(number);
        const ranked = schedule(directory(accounts(20)), wish({ affinity }), never);
        expect(schedule(directory(shuffled), wish({ affinity }), never)).toEqual(ranked);
      }),
    );
  });

  it("moves only its own sessions when an account comes or goes", () => {
    const all = accounts(20);
    const gone = all[7]?.id;
    let moved = 0;
    for (let number = 0; number < 10_000; number++) {
      const before = homeOf(all, number);
      const after = homeOf(
        all.filter(({ id }) => id !== gone),
        number,
      );
      if (before === after) continue;
      moved++;
      expect(before).toBe(gone);
    }
    expect(moved / 10_000).toBeGreaterThan(0.04);
    expect(moved / 10_000).toBeLessThan(0.06);
  });

  it.each(["sessions", "requests without one"])("spreads %s by weight, within a tenth", (kind) => {
    const weights = [50, 100, 100, 250];
    const entries = weights.map((weight, number) => account(number, { weight }));
    const counts = new Map<string, number>();
    const random = seeded();
    for (let number = 0; number < 20_000; number++) {
      const affinity = kind === "sessions" ? session(number) : null;
      const [first = ""] = schedule(directory(entries), wish({ affinity }), random);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const { id, weight } of entries) {
      const share = (counts.get(id) ?? 0) / 20_000;
      expect(Math.abs(share / (weight / 500) - 1)).toBeLessThan(0.1);
    }
  });

  it("puts a smaller priority before any weight", () => {
    const entries = [account(1, { priority: 10, weight: 1 }), account(2, { priority: 20, weight: 1000 })];
    for (let number = 0; number < 50; number++) expect(homeOf(entries, number)).toBe(entries[0]?.id);
  });

  it("offers shared accounts to keys without a binding, and a binding's accounts to no one else", () => {
    const entries = [account(1), account(2, { groups: ["team"] }), account(3, { groups: ["team", "other"] })];
    const ids = (binding: Wish["binding"]) =>
      schedule(directory(entries), wish({ binding }), () => 0.5).sort();
    expect(ids(null)).toEqual([entries[0]?.id]);
    expect(ids({ kind: "group", group: "team" })).toEqual([entries[1]?.id, entries[2]?.id]);
    expect(ids({ kind: "account", accountId: "acc_00000003" as never })).toEqual([entries[2]?.id]);
    expect(ids({ kind: "group", group: "nobody" })).toEqual([]);
  });

  it("leaves out accounts that are off, speak another protocol, or lack the model", () => {
    const entries = [
      account(1, { enabled: false }),
      account(2, { provider: "x" }),
      account(3, { models: ["gpt-*"] }),
      account(4),
    ];
    const suits = ({ provider }: DirectoryEntry) => provider !== "x";
    expect(schedule(directory(entries), wish({ suits }), () => 0.5)).toEqual([entries[3]?.id]);
  });
});

describe("a fallback", () => {
  it("offers the shared pool after every account of the binding", () => {
    const entries = [
      account(1, { priority: 1 }),
      account(2, { groups: ["team"], priority: 90 }),
      account(3, { groups: ["other"] }),
    ];
    const binding = { kind: "group", group: "team" } as const;
    const ids = (bindingFallback: boolean) =>
      schedule(directory(entries), wish({ binding, bindingFallback, affinity: session(1) }), never);
    expect(ids(true)).toEqual([entries[1]?.id, entries[0]?.id]);
    expect(ids(false)).toEqual([entries[1]?.id]);
  });
});

describe("a group's policy", () => {
  const entries = accounts(4);

  it.each(POLICIES)("%s never puts a lower tier first", (policy) => {
    const tiered = [account(1, { priority: 60 }), account(2, { priority: 20 }), account(3, { priority: 60 })];
    const random = seeded();
    for (let turn = 0; turn < 50; turn++) {
      const { accounts: order } = choose(directory(tiered, policy), wish(), { random, seen: seenNothing });
      expect(order[0]).toBe(tiered[1]?.id);
    }
  });

  it("least_loaded takes the less busy of two, for its weight", () => {
    const active = new Map([[entries[0]?.id, 90]]);
    const seen = (id: AccountId) => ({ active: active.get(id) ?? 1, lastUsedAt: 0 });
    const random = seeded();
    let busiest = 0;
    for (let turn = 0; turn < 1000; turn++) {
      const { accounts: order } = choose(directory(entries, "least_loaded"), wish(), { random, seen });
      if (order[0] === entries[0]?.id) busiest++;
    }
    expect(busiest).toBe(0);
  });

  it("least_recently_used takes the one that rested longest, those never used first", () => {
    const used = new Map(entries.slice(1).map(({ id }, index) => [id, 100 - index]));
    const seen = (id: AccountId) => ({ active: 0, lastUsedAt: used.get(id) ?? 0 });
    const { accounts: order } = choose(directory(entries, "least_recently_used"), wish(), {
      random: seeded(),
      seen,
    });
    expect(order).toEqual([entries[0], entries[3], entries[2], entries[1]].map((entry) => entry?.id));
  });

  it.each(POLICIES)("%s keeps a session's home where it is under every other", (policy) => {
    for (let number = 0; number < 50; number++) {
      const { home, place } = choose(directory(entries, policy), wish({ affinity: session(number) }), {
        random: seeded(),
        seen: seenNothing,
      });
      expect(home).toBe(homeOf(entries, number));
      expect(place === null).toBe(policy === "rendezvous");
    }
  });
});

describe("serves", () => {
  it.each([
    ["claude-sonnet-4-5", "claude-sonnet-4-5", true],
    ["Claude-Sonnet-4-5", "claude-sonnet-4-5", true],
    ["claude-*", "claude-opus-4-5", true],
    ["*-haiku-*", "claude-haiku-4-5", true],
    ["claude-*-5", "claude-opus-4-5", true],
    ["claude-*-5", "claude-opus-4-6", false],
    ["claude-opus", "claude-opus-4-5", false],
    ["a*a", "a", false],
    ["*", "anything", true],
  ])("pattern %s and model %s: %s", (pattern, model, expected) => {
    expect(serves({ models: [pattern] }, model)).toBe(expected);
  });
});
