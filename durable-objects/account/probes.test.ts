import { describe, expect, it } from "vitest";
import { accountConfigSchema, type AccountConfig } from "../../worker/domain/account.ts";
import type { CooldownReason } from "../../worker/domain/cooldown.ts";
import { active, BACK_OFF, strike } from "./cooldowns.ts";
import { learnFromProbe, probeAt } from "./probes.ts";
import { emptyState, type AccountState } from "./state.ts";

const NOW = 1_900_000_000_000;

const config = (overrides: Partial<AccountConfig> = {}): AccountConfig => ({
  ...accountConfigSchema.parse({
    id: "acc_00000000",
    name: "test",
    provider: "claude-console",
    baseUrl: null,
    tokenUrl: null,
    priority: 50,
    weight: 100,
    maxConcurrency: 0,
    groups: [],
    models: [],
    enabled: true,
    createdAt: NOW,
    updatedAt: NOW,
  }),
  ...overrides,
});

/** An account that was in use when it failed. */
function resting(reason: CooldownReason, overrides: Partial<AccountConfig> = {}): AccountState {
  const state = { ...emptyState(config(overrides)), lastUsedAt: NOW };
  const failure = { scope: "account", target: null, reason, until: null, message: "" } as const;
  return { ...state, strikes: strike(state.strikes, failure, NOW, state.config.cooldownSeconds) };
}

describe("probeAt", () => {
  it("is shortly before a rest ends that a call without cost can tell the end of", () => {
    const at = probeAt(resting("network"), NOW);
    expect(at).toBeLessThan(NOW + BACK_OFF.network.firstMs);
    expect(at).toBeGreaterThan(NOW);
  });

  it.each(["rate_limited", "payment", "unauthorized", "overloaded"] as const)(
    "is never after %s: the upstream's answer to a probe would say nothing of it",
    (reason) => {
      expect(probeAt(resting(reason), NOW)).toBe(Infinity);
    },
  );

  it("is never for an account that is off, stopped, unused, or rests for moments only", () => {
    expect(probeAt(resting("network", { enabled: false }), NOW)).toBe(Infinity);
    expect(probeAt({ ...resting("network"), stopped: "closed" }, NOW)).toBe(Infinity);
    expect(probeAt({ ...resting("network"), lastUsedAt: NOW - 3_600_001 }, NOW)).toBe(Infinity);
    expect(probeAt(resting("network", { cooldownSeconds: { network: 2 } }), NOW)).toBe(Infinity);
  });
});

describe("learnFromProbe", () => {
  it("ends the rest when the upstream answers", () => {
    const well = learnFromProbe(resting("timeout"), { kind: "well" }, NOW + 55_000);
    expect(active(well.strikes, NOW + 55_000)).toEqual([]);
  });

  it("leaves a limit alone", () => {
    const state = resting("rate_limited");
    expect(learnFromProbe(state, { kind: "well" }, NOW).strikes).toEqual(state.strikes);
  });

  it("lets the account rest longer each time, and never asks in a hurry", () => {
    let [state, now] = [resting("network"), NOW];
    const lengths: number[] = [];
    for (let turn = 0; turn < 6; turn++) {
      const at = probeAt(state, now);
      expect(at - now).toBeGreaterThan(10_000);
      const [before] = active(state.strikes, at);
      state = learnFromProbe(state, { kind: "failing", message: "no answer" }, at);
      const [after] = active(state.strikes, at);
      lengths.push((after?.until ?? 0) - (before?.until ?? 0));
      now = at;
    }
    expect(lengths).toEqual([60_000, 120_000, 240_000, 300_000, 300_000, 300_000]);
  });
});
