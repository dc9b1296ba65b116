/** What an upstream's answer means. Pure. */
import type { CooldownReason, CooldownScope } from "./cooldown.ts";
import type { ErrorFacts } from "./errors.ts";
import type { EpochMs } from "./ids.ts";

export type Verdict =
  | { readonly kind: "deliver" }
  /** The client's fault: the upstream's own answer is passed on, nobody retries. */
  | {
      readonly kind: "reject";
      /** It refused what an earlier account made and only that one can read; without it, it may serve. */
      readonly bound: boolean;
    }
  /** Stale credential: refresh once and try the same account again. */
  | { readonly kind: "refresh"; readonly message: string }
  | {
      readonly kind: "failover";
      readonly scope: CooldownScope;
      readonly reason: CooldownReason;
      /** When the upstream said it would serve again; null: back off. */
      readonly until: EpochMs | null;
      readonly message: string;
      /** What the client is told if no other account can serve. */
      readonly error: ErrorFacts;
      /** Further accounts worth trying after this one; an overload usually hits all of them. */
      readonly switches: number;
    }
  /** The account needs a person. */
  | { readonly kind: "disable"; readonly reason: string; readonly error: ErrorFacts };

export type Failover = Extract<Verdict, { kind: "failover" }>;

/** An upstream's answer as plain data: all that a provider needs to judge it. */
export interface AnswerFacts {
  readonly status: number;
  readonly headers: Headers;
  /** The first bytes of an error body as text; empty for a 2xx answer. */
  readonly bodyText: string;
  /** The model asked for, as sent upstream. */
  readonly model: string;
}

/** What `refresh` comes to once a fresh credential is refused as well, or none can be had. */
export const unauthorized = (message: string): Failover => ({
  kind: "failover",
  scope: "account",
  reason: "unauthorized",
  until: null,
  message,
  // The account's 401 says nothing about the client's key, so the client must not see one.
  error: { code: "upstream_failed", message: "The upstream account could not sign in.", retryAfterMs: null },
  switches: 2,
});
