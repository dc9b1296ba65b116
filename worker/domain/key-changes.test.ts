import { describe, expect, it } from "vitest";
import { changedAt, endOf, extended, lifetimeMs, rotated, withTags } from "./key-changes.ts";
import { keyHash } from "./ids.ts";
import { keyConfigSchema, type KeyConfig } from "./key.ts";

const NOW = 1_000_000;
const HOUR_MS = 3_600_000;
const key = (overrides: Partial<KeyConfig> = {}): KeyConfig => ({
  ...keyConfigSchema.parse({ id: "key_00000000", name: "k", hint: "abcdef", createdAt: 0, updatedAt: 0 }),
  ...overrides,
});

describe("changedAt", () => {
  it("is now, or later than the last change where that was later", () => {
    expect(changedAt(key({ updatedAt: NOW - 1 }), NOW)).toBe(NOW);
    expect(changedAt(key({ updatedAt: NOW }), NOW)).toBe(NOW + 1);
    expect(changedAt(key({ updatedAt: NOW + 500 }), NOW)).toBe(NOW + 501);
  });
});

describe("rotated", () => {
  it("keeps one text besides the new one: the one that was in force", () => {
    const before = key({ fingerprint: "old", previous: { hash: "older", until: NOW + 5 } });
    const after = rotated(
      { config: before, hash: keyHash("old-hash") },
      { hint: "new", fingerprint: "new" },
      NOW,
    );
    expect(after).toMatchObject({
      hint: "new",
      fingerprint: "new",
      previous: { hash: "old-hash", until: NOW },
    });
  });
});

describe("extended", () => {
  const day = { amount: 1, unit: "days" } as const;

  it("counts from the end, or from now where that is later", () => {
    expect(extended(key({ expiresAt: NOW + 10 }), null, day, NOW)).toMatchObject({
      expiresAt: NOW + 10 + 24 * HOUR_MS,
    });
    expect(extended(key({ expiresAt: NOW - 10 }), null, day, NOW)).toMatchObject({
      expiresAt: NOW + 24 * HOUR_MS,
    });
  });

  it("takes the earlier of a date and a lifetime that has begun, and makes it a date", () => {
    const config = key({ expiresAt: NOW + 9 * HOUR_MS, activation: { amount: 2, unit: "hours" } });
    expect(endOf(config, NOW)).toBe(NOW + 2 * HOUR_MS);
    expect(extended(config, NOW, day, NOW)).toMatchObject({
      expiresAt: NOW + 26 * HOUR_MS,
      activation: null,
    });
  });

  it("leaves a lifetime alone that has not begun", () => {
    const activation = { amount: 2, unit: "hours" } as const;
    expect(extended(key({ expiresAt: NOW, activation }), null, day, NOW)).toMatchObject({ activation });
    expect(extended(key({ activation }), null, day, NOW)).toMatch(/begins with its first use/);
    expect(extended(key(), null, day, NOW)).toMatch(/does not expire/);
  });

  it("takes a month for 30 days", () => {
    expect(lifetimeMs({ amount: 2, unit: "months" })).toBe(60 * 24 * HOUR_MS);
  });
});

describe("withTags", () => {
  it.each([
    [{}, ["a", "b"]],
    [{ add: ["b", "c"] }, ["a", "b", "c"]],
    [{ remove: ["a", "x"] }, ["b"]],
    [{ replace: [] }, []],
    [{ replace: ["z"], add: ["a"], remove: ["z"] }, ["a"]],
  ])("changes a and b by %j", (change, tags) => {
    expect(withTags(["a", "b"], change)).toEqual(tags);
  });
});
