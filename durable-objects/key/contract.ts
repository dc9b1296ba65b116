/** What the worker may ask of a key's object. Decisions come back as values; nothing is thrown. */
import type { RequestId } from "../../worker/domain/ids.ts";
import type { KeyConfig, KeyStatus } from "../../worker/domain/key.ts";
import type { AdmitDecision, AdmitRequest, Checkpoint, Settlement } from "../../worker/domain/permit.ts";

/** What a worker has to say to a key, gathered over a few ms into one call. Every part is idempotent. */
export interface KeyNews {
  /** Closes each one's permit and books its record, once per request id. */
  readonly settlements: readonly Settlement[];
  readonly checkpoints: readonly Checkpoint[];
  /** Clients that left before they were admitted. */
  readonly cancellations: readonly RequestId[];
}

export interface KeyContract {
  admit(request: AdmitRequest): Promise<AdmitDecision>;
  /** Answers when what it was told is on disk. */
  news(news: KeyNews): Promise<void>;
  configure(config: KeyConfig): Promise<void>;
  status(): Promise<KeyStatus | null>;
  /** Like `status`, for the key's holder: null when the key is not live. */
  standing(): Promise<KeyStatus | null>;
  /** Sends everything booked so far to D1, without waiting for its time. */
  ship(): Promise<void>;
  /** The key is gone: refuses from now on. What is booked is still shipped. */
  revoke(): Promise<void>;
}
