/** The price table: what it holds, and the copy bundled with the worker. Pure. */
import bundled from "./table.json" with { type: "json" };

/** Pico-dollars (1e-12 $) per token: dollars per million tokens times 1e6, so that every list price is whole. */
export interface TokenRates {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
}

export interface LongContext {
  /** These rates apply to all tokens of a request whose input, cache writes and reads exceed this together. */
  readonly aboveTokens: number;
  readonly rates: TokenRates;
}

export interface Price {
  /** The UTC day from whose first instant this price holds; null for the one that held from the start. */
  readonly from: string | null;
  readonly rates: TokenRates;
  readonly longContext: LongContext | null;
  /** Nano-dollars for each search, whatever the tier or the speed. */
  readonly webSearchNano: number;
}

/** Compared in lower case, except that a regex is taken as it stands. */
export type MatchRule =
  | { readonly equals: string }
  | { readonly starts_with: string }
  | { readonly ends_with: string }
  | { readonly contains: string }
  | { readonly regex: string }
  | { readonly or: readonly MatchRule[] }
  | { readonly and: readonly MatchRule[] };

export interface PricedModel {
  readonly id: string;
  readonly provider: string;
  readonly name: string;
  readonly contextWindow: number | null;
  readonly deprecated: boolean;
  readonly match: MatchRule;
  /** Of the token rates, when the answer was made at `fast` speed; 100 where there is no such surcharge. */
  readonly fastPercent: number;
  /** Of the token rates, when the answer came from a batch; 100 where there is no such discount. */
  readonly batchPercent: number;
  /** Oldest first. */
  readonly prices: readonly Price[];
}

export interface PriceTable {
  readonly version: string;
  /** In the order in which their rules are tried: the first match wins. */
  readonly models: readonly PricedModel[];
}

// The compiler checks every entry of the JSON against the type in this assignment, and the file can only change
// with a commit, so a second check when an isolate starts would find nothing and delay the first request.
export const PRICE_TABLE: PriceTable = bundled;
