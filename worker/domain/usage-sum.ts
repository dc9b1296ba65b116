/** Sums of the ledger as the admin API shows them, and what may be asked of them. Pure. */
import type { EpochMs } from "./ids.ts";
import type { NanoDollars } from "./money.ts";
import type { ProtocolId } from "./protocol-id.ts";
import { totalTokens, type TokenUsage } from "./usage.ts";

/** What is added up; everything else follows from it. */
export interface UsageCounts {
  readonly requests: number;
  /** Neither completed nor left by the client. */
  readonly failed: number;
  /** With output, but of a model that had no price. */
  readonly unpriced: number;
  readonly tokens: TokenUsage;
  readonly cost: NanoDollars;
}

export type UsageTotals = UsageCounts & {
  /** All kinds of tokens together. */
  readonly totalTokens: number;
  /** Of all input, from 0 to 1, what came out of the upstream's cache; null: there was no input. */
  readonly cacheHitShare: number | null;
};

export function totalsOf(counts: UsageCounts): UsageTotals {
  const { input, cacheRead, cacheWrite5m, cacheWrite1h } = counts.tokens;
  const allInput = input + cacheRead + cacheWrite5m + cacheWrite1h;
  return {
    ...counts,
    totalTokens: totalTokens(counts.tokens),
    cacheHitShare: allInput === 0 ? null : cacheRead / allInput,
  };
}

/**
 * What sums can be told apart by. The owner, group and tags of a key are those that it has when somebody asks, and a
 * key with two tags counts in both.
 */
export const USAGE_DIMENSIONS = [
  "key",
  "account",
  "model",
  "protocol",
  "provider",
  "user",
  "group",
  "tag",
] as const;
export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

export const BREAKDOWN_SORTS = ["cost", "requests", "tokens", "failed"] as const;
export type BreakdownSort = (typeof BREAKDOWN_SORTS)[number];

export const USAGE_STEPS = ["hour", "day"] as const;
export type UsageStep = (typeof USAGE_STEPS)[number];

/** Undefined: any. */
export interface SumFilter {
  readonly keyId: string | undefined;
  readonly accountId: string | undefined;
  readonly model: string | undefined;
  readonly protocol: ProtocolId | undefined;
  readonly provider: string | undefined;
  /** Of keys that are this person's now. */
  readonly ownerId?: string | undefined;
  /** Of keys that have this tag now. */
  readonly tag?: string | undefined;
  /** Of keys that are bound to this group now. */
  readonly group?: string | undefined;
}

/** One group of a breakdown, or one line of a chart. */
export interface UsageGroup {
  /** The empty id: requests that have none, such as those that reached no account, or whose key has no owner; null: all groups not named. */
  readonly id: string | null;
  /** Of a key or account that still exists; the id itself of everything else that has one. */
  readonly name: string | null;
}

export type UsageGroupTotals = UsageGroup & UsageTotals;

export type UsagePoint = UsageTotals & {
  readonly start: EpochMs;
  /** The day in which it starts, as `YYYY-MM-DD` in the deployment's time zone. */
  readonly day: string;
};

export interface UsageSeries {
  readonly group: UsageGroup;
  /** The oldest first, periods without a request included. */
  readonly points: readonly UsagePoint[];
}

/** What happened within some minutes until now. */
export interface LiveUsage {
  readonly minutes: number;
  readonly requests: number;
  readonly failed: number;
  readonly requestsPerMinute: number;
  readonly tokensPerMinute: number;
  /** From a request's start to its answer's first byte, in ms; null: no answer began. */
  readonly firstByteMs: { readonly p50: number | null; readonly p95: number | null };
}
