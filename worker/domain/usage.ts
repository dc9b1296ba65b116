/** What a request consumed, and the record it is booked as. Pure. */
import type { AccountId, EpochMs, KeyId, RequestId } from "./ids.ts";
import type { NanoDollars } from "./money.ts";
import type { Routing } from "./routing.ts";
import type { ProtocolId } from "./protocol-id.ts";

/** Token counts in one normal form: every count excludes the others, so their sum is the total. */
export interface TokenUsage {
  /** Tokens billed at the input price: without cache reads and writes. */
  readonly input: number;
  /** All generated tokens, thinking included. */
  readonly output: number;
  /** Cache writes that live five minutes, and those the upstream did not split. */
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
  /** Server-side web searches, billed per call. */
  readonly webSearches: number;
}

export const NO_USAGE: TokenUsage = {
  input: 0,
  output: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  cacheRead: 0,
  webSearches: 0,
};

export const totalTokens = (tokens: TokenUsage): number =>
  tokens.input + tokens.output + tokens.cacheWrite5m + tokens.cacheWrite1h + tokens.cacheRead;

/** What a usage reader knows of an answer so far. */
export interface UsageReading {
  readonly tokens: TokenUsage;
  /** The model the upstream says it used; null until it said so. */
  readonly model: string | null;
  readonly serviceTier: string | null;
  /** `fast` or `standard` where the upstream bills them apart. */
  readonly speed: string | null;
  /** The upstream reported any usage at all. */
  readonly reported: boolean;
  /** The protocol's terminal event was seen: the answer is whole. */
  readonly finished: boolean;
  /** An error event was seen inside the stream, with the type it named. */
  readonly errorType: string | null;
  /** A figure was impossible (negative, fractional, absurd) and was clamped. */
  readonly clamped: boolean;
}

export const EMPTY_READING: UsageReading = {
  tokens: NO_USAGE,
  model: null,
  serviceTier: null,
  speed: null,
  reported: false,
  finished: false,
  errorType: null,
  clamped: false,
};

/**
 * How a request ended:
 * - `completed`: the whole answer was delivered
 * - `client_gone`: the client left first; usage is what was seen
 * - `interrupted`: the upstream broke off or sent an error inside the stream
 * - `failed`: no answer could be delivered
 * - `lost`: the worker died; settled from the last checkpoint when the permit expired
 */
export const OUTCOMES = ["completed", "client_gone", "interrupted", "failed", "lost"] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** One row of the ledger: written exactly once for each admitted request. */
export interface UsageRecord {
  readonly requestId: RequestId;
  readonly keyId: KeyId;
  readonly accountId: AccountId | null;
  readonly provider: string | null;
  readonly protocol: ProtocolId;
  /** The model that was billed: the upstream's word for it, else the requested one. */
  readonly model: string;
  readonly requestedModel: string;
  readonly stream: boolean;
  /** The HTTP status the client got; 499 when it left before one was sent. */
  readonly status: number;
  readonly outcome: Outcome;
  /** The figures are not the upstream's final ones. */
  readonly estimated: boolean;
  readonly startedAt: EpochMs;
  readonly firstByteAt: EpochMs | null;
  readonly endedAt: EpochMs;
  /** Upstream fetches made, failovers included. */
  readonly attempts: number;
  readonly tokens: TokenUsage;
  readonly serviceTier: string | null;
  /** `fast` or `standard` where the upstream bills them apart. */
  readonly speed: string | null;
  readonly cost: NanoDollars;
  /** The price list that was applied; null when the model has no price in it (then `cost` is 0). */
  readonly priceVersion: string | null;
  /** Why it did not complete, as a relay error code or an upstream error type. */
  readonly error: string | null;
  /** How it found its account; null: nothing is known of it any more. */
  readonly routing: Routing | null;
}

/** A record as the admin API lists it. */
export type UsageView = Omit<UsageRecord, "routing"> & {
  readonly keyName: string | null;
  readonly accountName: string | null;
};

/** One record with all that is known of it. */
export type RequestView = UsageView & Pick<UsageRecord, "routing">;
