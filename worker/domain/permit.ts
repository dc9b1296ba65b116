/** A key's granted entry for one request, and what a key's object answers. Pure. */
import type { ErrorFacts } from "./errors.ts";
import type { EpochMs, RequestId } from "./ids.ts";
import type { UsageRecord } from "./usage.ts";

export interface AdmitRequest {
  readonly requestId: RequestId;
  /** What would be booked if nothing more were heard of this request. */
  readonly draft: UsageRecord;
  /** False for calls that are not metered (counting tokens, listing models): checked, but no permit is made. */
  readonly metered: boolean;
}

export type AdmitDecision =
  | {
      readonly kind: "admitted";
      readonly expiresAt: EpochMs;
      /** The key's last slot: others may be refused until it comes back. */
      readonly scarce: boolean;
    }
  | { readonly kind: "refused"; readonly error: ErrorFacts };

/** Keeps a permit alive and replaces what would be booked if the worker died. */
export interface Checkpoint {
  readonly draft: UsageRecord;
}
