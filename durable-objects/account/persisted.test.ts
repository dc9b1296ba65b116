import { describe, expect, it } from "vitest";
import { accountConfigSchema, type AccountConfig } from "../../worker/domain/account.ts";
import type { RequestId } from "../../worker/domain/ids.ts";
import type { LeaseRequest } from "../../worker/domain/lease.ts";
import { fromRow, isWorthWriting, toRow } from "./persisted.ts";
import { lease, release } from "./leases.ts";
import { emptyState } from "./state.ts";

const NOW = 1_900_000_000_000;

const config = (maxConcurrency: number): AccountConfig =>
  accountConfigSchema.parse({
    id: "acc_00000000",
    name: "test",
    provider: "claude-console",
    baseUrl: null,
    tokenUrl: null,
    priority: 50,
    weight: 100,
    maxConcurrency,
    groups: [],
    models: [],
    enabled: true,
    createdAt: NOW,
    updatedAt: NOW,
  });

const request: LeaseRequest = {
  requestId: "req_00000000" as RequestId,
  affinity: null,
  model: "m",
  modelFamily: null,
  home: false,
  place: null,
  userTurn: false,
  takesSlot: true,
  waitMs: 0,
};

const used = (maxConcurrency: number) => ({ ...emptyState(config(maxConcurrency)), lastUsedAt: NOW });

describe("isWorthWriting", () => {
  it("is true of a lease where slots are limited, and false where they are not", () => {
    for (const [limit, expected] of [
      [3, true],
      [0, false],
    ] as const) {
      const before = used(limit);
      expect(isWorthWriting(before, lease(before, request, NOW).state)).toBe(expected);
    }
  });

  it("is true of a failure, whatever the limit", () => {
    const outcome = {
      kind: "failed",
      scope: "account",
      target: null,
      reason: "network",
      until: null,
      message: "",
    } as const;
    const before = used(0);
    expect(
      isWorthWriting(before, release(before, { requestId: request.requestId, outcome, windows: null }, NOW)),
    ).toBe(true);
  });

  it("is true of the last use once a minute", () => {
    const before = used(0);
    expect(isWorthWriting(before, lease(before, request, NOW + 60_000).state)).toBe(true);
  });
});

describe("fromRow", () => {
  it("holds no lease of an account without a limit, whose release would not have been written", () => {
    const leased = lease(used(0), request, NOW + 60_000).state;
    expect(leased.leases.size).toBe(1);
    expect(fromRow(toRow(leased))).toMatchObject({ leases: new Map(), slotsUsed: 0 });
  });

  it("gives back what toRow kept: everything but those who wait", () => {
    const state = lease(used(3), request, NOW).state;
    expect(fromRow(structuredClone(toRow(state)))).toEqual(state);
    expect(fromRow(undefined)).toBeNull();
  });
});
