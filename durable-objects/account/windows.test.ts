import { describe, expect, it } from "vitest";
import { accountConfigSchema } from "../../worker/domain/account.ts";
import type { LimitWindow } from "../../worker/domain/cooldown.ts";
import { active } from "./cooldowns.ts";
import { emptyState } from "./state.ts";
import { heedWarning, observe } from "./windows.ts";

const NOW = 1_900_000_000_000;
const RESET = NOW + 3_600_000;

const account = (stopOnWarning: boolean) =>
  emptyState(
    accountConfigSchema.parse({
      id: "acc_00000000",
      name: "test",
      provider: "claude-oauth",
      baseUrl: null,
      tokenUrl: null,
      priority: 50,
      weight: 100,
      maxConcurrency: 0,
      groups: [],
      models: [],
      stopOnWarning,
      enabled: true,
      createdAt: NOW,
      updatedAt: NOW,
    }),
  );

const window = (overrides: Partial<LimitWindow> = {}): LimitWindow => ({
  id: "5h",
  status: "warning",
  utilization: 0.9,
  resetAt: RESET,
  ...overrides,
});

const restsUntil = (state: ReturnType<typeof account>) =>
  active(state.strikes, NOW).map(({ until }) => until);

describe("observe", () => {
  it("rests until the window's reset when it warns, and only where the account is to heed it", () => {
    expect(restsUntil(observe(account(true), [window()], NOW))).toEqual([RESET]);
    expect(restsUntil(observe(account(false), [window()], NOW))).toEqual([]);
  });

  it("does not rest for another window, another status, or a reset that nobody knows", () => {
    for (const other of [{ id: "7d" }, { status: "allowed" as const }, { resetAt: null }, { resetAt: NOW }]) {
      expect(restsUntil(observe(account(true), [window(other)], NOW))).toEqual([]);
    }
  });

  it("keeps what it knew when an answer says nothing", () => {
    const before = observe(account(true), [window()], NOW);
    expect(observe(before, null, NOW)).toBe(before);
  });
});

describe("heedWarning", () => {
  it("takes effect with the option, not with the next answer", () => {
    const warned = observe(account(false), [window()], NOW);
    const heeding = heedWarning({ ...warned, config: account(true).config }, NOW);
    expect(restsUntil(heeding)).toEqual([RESET]);
    expect(restsUntil(heedWarning({ ...heeding, config: account(false).config }, NOW))).toEqual([]);
  });
});
