/** The right to one slot of one account until a deadline, and what an account's object answers. Pure. */
import type { CooldownReason, LimitWindow } from "./cooldown.ts";
import type { Proxy } from "./proxy.ts";
import type { AccountId, Affinity, EpochMs, RequestId } from "./ids.ts";
import type { Warrant } from "./warrant.ts";

export type RefusalReason =
  | "full"
  | CooldownReason
  | "disabled"
  /** An admin holds it back for a while; its token is kept fresh. */
  | "paused"
  /** Its subscription has ended. */
  | "expired";

export interface LeaseRequest {
  readonly requestId: RequestId;
  readonly affinity: Affinity | null;
  readonly model: string;
  /** The part of the account's limits this model counts against; null: only the whole. */
  readonly modelFamily: string | null;
  /** This account is the session's home: it answers `moved` when it handed the session over. */
  readonly home: boolean;
  /**
   * Where a session that is new here should live, chosen by the policy of its group: its home notes it and sends
   * the session there. null: it lives at home.
   */
  readonly place: AccountId | null;
  /** False for calls that occupy no slot, such as counting tokens. */
  readonly takesSlot: boolean;
  /** A person's new message, not a tool's answer: where the account says so, these go one after the other. */
  readonly userTurn: boolean;
  /** How long to wait for a slot in the account's queue, in ms; 0: answer at once. */
  readonly waitMs: number;
  /** A person tries the account out, which a pause and the end of its subscription do not prevent. */
  readonly isTrial?: boolean;
}

/** A granted lease. The credential is ready to use and must not outlive the request, or the account's warrant. */
export interface Lease {
  readonly requestId: RequestId;
  readonly accountId: AccountId;
  readonly provider: string;
  /** In the provider's own schema. */
  readonly credential: unknown;
  /** Tells a refreshed credential from the one that an upstream refused. */
  readonly credentialVersion: number;
  readonly baseUrl: string | null;
  /** What every call of this account goes through, with its password; null: none. */
  readonly proxy: Proxy | null;
  /** The account's last slot: others wait or go elsewhere until it comes back. */
  readonly scarce: boolean;
  /** Leases of the account that are held now, this one among them. */
  readonly active: number;
  /** Time spent in the account's queue, in ms. */
  readonly waitedMs: number;
}

export type LeaseDecision =
  | {
      readonly kind: "granted";
      readonly lease: Lease;
      /** For any request that asks the account; null: each must ask. */
      readonly warrant: Warrant | null;
    }
  | { readonly kind: "moved"; readonly accountId: AccountId }
  | {
      readonly kind: "refused";
      readonly reason: RefusalReason;
      readonly retryAt: EpochMs | null;
      /** Requests that already wait here, per slot: lower means a shorter wait. Only for `full`. */
      readonly load: number;
    };

/** A lease that a worker took under a warrant. */
export interface TakenLease {
  readonly requestId: RequestId;
  readonly takesSlot: boolean;
}

/** What one attempt taught us about its account; sent with the release. */
export type AttemptOutcome =
  | { readonly kind: "ok" }
  /** Nothing was learnt about the account: the client was at fault or left. */
  | { readonly kind: "neutral" }
  | {
      readonly kind: "failed";
      readonly scope: "account" | "modelFamily" | "model";
      readonly target: string | null;
      readonly reason: CooldownReason;
      /** When the upstream said it would serve again; null: back off. */
      readonly until: EpochMs | null;
      readonly message: string;
      readonly answer?: FailedAnswer;
    }
  | { readonly kind: "disabled"; readonly reason: string; readonly answer?: FailedAnswer };

/** What a failed attempt asked for and was answered, for the account's history. */
export interface FailedAnswer {
  readonly model: string;
  /** HTTP; null: there was no answer. */
  readonly status: number | null;
}

/** The end of a lease. Idempotent by request id. */
export interface Release {
  readonly requestId: RequestId;
  readonly outcome: AttemptOutcome;
  /** What the answer said of the account's limits; null: nothing new. */
  readonly windows: readonly LimitWindow[] | null;
}

/** A session's forwarding pointer, kept by its home while another account serves it. */
export interface HandOver {
  readonly affinity: Affinity;
  readonly to: AccountId;
}
