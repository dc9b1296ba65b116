/** What the worker may ask of an account's object. Decisions come back as values; nothing is thrown. */
import type { AccountConfig, AccountStatus } from "../../worker/domain/account.ts";
import type { AccountFailure } from "../../worker/domain/account-failure.ts";
import type { BalanceAnswer } from "../../worker/domain/balance.ts";
import type { RequestId } from "../../worker/domain/ids.ts";
import type {
  HandOver,
  LeaseDecision,
  LeaseRequest,
  Release,
  TakenLease,
} from "../../worker/domain/lease.ts";
import type { StandsMs, Warrant } from "../../worker/domain/warrant.ts";

/** What a worker has to say to an account, gathered over some ms into one call. Every part is idempotent. */
export interface AccountNews {
  /** Leases that were taken under a warrant. */
  readonly taken: readonly TakenLease[];
  readonly releases: readonly Release[];
  readonly renewals: readonly RequestId[];
  /** People's messages whose answers have begun. */
  readonly turnsAnswered: readonly RequestId[];
  readonly handOvers: readonly HandOver[];
}

export const NO_NEWS: AccountNews = {
  taken: [],
  releases: [],
  renewals: [],
  turnsAnswered: [],
  handOvers: [],
};

export type RefreshDecision =
  | { readonly kind: "refreshed"; readonly credential: unknown; readonly credentialVersion: number }
  | { readonly kind: "unavailable"; readonly message: string };

export type ConfigureResult =
  { readonly kind: "ok" } | { readonly kind: "invalid"; readonly message: string };

export type ConfiguredResult =
  { readonly kind: "ok"; readonly standsMs: StandsMs } | Extract<ConfigureResult, { kind: "invalid" }>;

export interface FailurePage {
  readonly items: readonly AccountFailure[];
  readonly total: number;
}

export interface AccountContract {
  lease(request: LeaseRequest): Promise<LeaseDecision>;
  /** Answers whether a warrant that was given before stands on. */
  news(news: AccountNews): Promise<Warrant | null>;
  /**
   * After an upstream refused credential `version`: the current one, refreshed if it is still that one.
   *
   * @param refusedPart which part of it, where it has several
   */
  refresh(version: number, refusedPart: string | null): Promise<RefreshDecision>;
  /**
   * Refreshes the credential because a person asked, whatever its age and past failures. A warrant's holder may use the
   * one before for as long as the warrant stands.
   */
  refreshNow(): Promise<ConfigureResult>;
  /** Replaces the configuration, and the credential and the proxy's password where they are given. */
  configure(
    config: AccountConfig,
    credential: unknown,
    proxyPassword: string | null,
  ): Promise<ConfiguredResult>;
  /** Lifts cooldowns, strikes and an automatic stop: a person says it is fine again. */
  reset(): Promise<void>;
  status(): Promise<AccountStatus | null>;
  /** Which keys its secrets are sealed with, after those that can be opened were sealed with the newest. */
  keysInUse(): Promise<readonly string[]>;
  /** What went wrong lately, the newest first. */
  failures(page: { readonly limit: number; readonly offset: number }): Promise<FailurePage>;
  forgetFailures(): Promise<void>;
  /** The last that is known, or a fresh one. */
  balance(fresh: boolean): Promise<BalanceAnswer>;
  /** Ends all waiting and forgets everything, the credential first. */
  erase(): Promise<StandsMs>;
}
