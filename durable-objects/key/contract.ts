/** What the worker may ask of a key's object. Decisions come back as values; nothing is thrown. */
import type { RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig, KeyStatus } from "../../worker/domain/key.ts";
import type { NanoDollars } from "../../worker/domain/money.ts";
import type { AdmitDecision, AdmitRequest, Checkpoint, Settlement } from "../../worker/domain/permit.ts";
import type { StandsMs, Warrant } from "../../worker/domain/warrant.ts";

/** What a worker has to say to a key, gathered over some ms into one call. Every part is idempotent. */
export interface KeyNews {
  /** Requests that were let in under a warrant. */
  readonly admissions: readonly AdmitRequest[];
  /** Closes each one's permit and books its record, once per request id. */
  readonly settlements: readonly Settlement[];
  readonly checkpoints: readonly Checkpoint[];
  /** Clients that left before they were admitted. */
  readonly cancellations: readonly RequestId[];
  /** Admitted here, and refused by who shares the decision: as if they had never come. */
  readonly withdrawals: readonly RequestId[];
}

/** What a key's holder may know of it. */
export type KeyStanding = KeyStatus & Pick<KeyConfig, "allowedModels" | "blockedModels" | "permissions">;

/** Everything that a key's holder may know of it, whether it may be used or not. */
export interface KeyInspection {
  readonly config: KeyConfig;
  readonly status: KeyStatus;
}

export interface KeyContract {
  admit(request: AdmitRequest): Promise<AdmitDecision>;
  /** Answers when what it was told is on disk: whether a warrant that was given before stands on. */
  news(news: KeyNews): Promise<Warrant | null>;
  /**
   * A running stream with a hard budget has cost this much, in nano-dollars at list price: how much it may cost
   * in all. No more than it has cost already: it must end.
   */
  extend(requestId: RequestId, cost: NanoDollars): Promise<NanoDollars>;
  configure(config: KeyConfig): Promise<StandsMs>;
  status(): Promise<KeyStatus | null>;
  /** Like `status`, for the holder of a text with this fingerprint: null when the key is not live. */
  standing(fingerprint: string): Promise<KeyStanding | null>;
  /** The same for keys that are switched off or have ended, too: null for those that are not, or no longer. */
  inspect(fingerprint: string): Promise<KeyInspection | null>;
  /** Every budget and window begins anew; totals stay. */
  resetUsage(): Promise<void>;
  /** Sends everything booked so far to D1, without waiting for its time. */
  ship(): Promise<void>;
  /** The key is gone: refuses from now on. What is booked is still shipped. */
  revoke(): Promise<StandsMs>;
}
