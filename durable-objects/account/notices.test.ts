import { describe, expect, it } from "vitest";
import { accountConfigSchema } from "../../worker/domain/account.ts";
import type { CooldownReason } from "../../worker/domain/cooldown.ts";
import type { RequestId } from "../../worker/domain/ids.ts";
import type { AttemptOutcome } from "../../worker/domain/lease.ts";
import { BACK_OFF } from "./cooldowns.ts";
import { release } from "./leases.ts";
import { noticesOf } from "./notices.ts";
import { emptyState, reset, type AccountState } from "./state.ts";

const NOW = Date.UTC(2030, 2, 13, 12);
const HOUR = 3_600_000;

const fresh = emptyState(
  accountConfigSchema.parse({
    id: "acc_00000000",
    name: "Team",
    provider: "claude-console",
    baseUrl: null,
    tokenUrl: null,
    priority: 50,
    weight: 100,
    maxConcurrency: 2,
    groups: [],
    models: [],
    enabled: true,
    createdAt: NOW,
    updatedAt: NOW,
  }),
);

const after = (state: AccountState, outcome: AttemptOutcome, now = NOW): AccountState =>
  release(state, { requestId: "req_00000001" as RequestId, outcome, windows: null }, now);

const failed = (reason: CooldownReason, message = ""): AttemptOutcome => ({
  kind: "failed",
  scope: "account",
  target: null,
  reason,
  until: NOW + HOUR,
  message,
});

const kinds = (before: AccountState, next: AccountState, now = NOW) =>
  noticesOf(before, next, now).map(({ notice }) => notice.kind);

describe("noticesOf", () => {
  it.each([
    ["rate_limited", "account_rate_limited"],
    ["unauthorized", "account_unauthorized"],
    ["forbidden", "account_unauthorized"],
    ["payment", "account_blocked"],
    ["proxy", "account_proxy_failed"],
  ] as const)("tells of a rest for %s as %s, once", (reason, kind) => {
    const resting = after(fresh, failed(reason));
    expect(kinds(fresh, resting)).toEqual([kind]);
    expect(kinds(resting, after(resting, failed(reason)))).toEqual([]);
  });

  it("says nothing of rests that end by themselves in minutes", () => {
    const told = ["rate_limited", "unauthorized", "forbidden", "payment", "proxy"];
    const quiet = (Object.keys(BACK_OFF) as CooldownReason[]).filter((reason) => !told.includes(reason));
    expect(quiet).toHaveLength(7);
    for (const reason of quiet) expect(kinds(fresh, after(fresh, failed(reason)))).toEqual([]);
  });

  it("tells of an account that its upstream closed, in words without secrets", () => {
    const closed = after(fresh, { kind: "disabled", reason: "Disabled: sk-ant-api03-0123456789" });
    const [signal] = noticesOf(fresh, closed, NOW);
    expect(signal?.notice).toMatchObject({ kind: "account_blocked", severity: "critical" });
    expect(signal?.notice.lines).toContain("It was told: Disabled: [secret]");
    expect(kinds(closed, after(closed, { kind: "disabled", reason: "Disabled" }))).toEqual([]);
  });

  it("says when the account rests until, and what part of it", () => {
    const limited: AttemptOutcome = {
      kind: "failed",
      scope: "modelFamily",
      target: "opus",
      reason: "rate_limited",
      until: NOW + HOUR,
      message: "limited",
    };
    const [signal] = noticesOf(fresh, after(fresh, limited), NOW);
    expect(signal?.notice.lines).toEqual([
      "Kind of account: claude-console",
      "Only: opus",
      "It was told: limited",
      "It rests until 2030-03-13 13:00 UTC.",
    ]);
  });

  it("tells that the account is in use again once nothing is left of its failures", () => {
    const resting = after(fresh, failed("rate_limited"));
    const later = NOW + HOUR + 1;
    const well = after(resting, { kind: "ok" }, later);
    const [signal] = noticesOf(resting, well, later);
    expect(signal?.notice.kind).toBe("account_recovered");
    expect(signal?.ends).toContain("account/acc_00000000/account_rate_limited");
    expect(kinds(resting, after(resting, { kind: "ok" }))).toEqual([]);
    const closed = after(fresh, { kind: "disabled", reason: "Disabled" });
    expect(kinds(closed, reset(closed))).toEqual(["account_recovered"]);
  });

  it("costs nothing where nothing changed", () => {
    expect(noticesOf(fresh, { ...fresh, slotsUsed: 1 }, NOW)).toEqual([]);
  });
});
