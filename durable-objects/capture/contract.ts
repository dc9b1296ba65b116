/** What may be asked of a key's captures. Decisions come back as values; nothing is thrown. */
import type { Capture, CaptureContent, Captured, CaptureDraft } from "../../worker/domain/capture.ts";
import type { EpochMs, RequestId } from "../../worker/domain/ids.ts";

export type CaptureReading =
  | { readonly kind: "read"; readonly content: CaptureContent }
  | { readonly kind: "missing" }
  /** The key that it is sealed with is not in the ring. */
  | { readonly kind: "sealed"; readonly message: string };

export interface CaptureContract {
  /** What there was before is gone. */
  start(capture: Capture): Promise<void>;
  /**
   * @param until of the capture that it is meant for: nothing is taken into a later one
   * @returns whether more is wanted
   */
  keep(draft: CaptureDraft, until: EpochMs): Promise<boolean>;
  /** The newest first; null: there is nothing. */
  list(): Promise<readonly Captured[] | null>;
  read(requestId: RequestId): Promise<CaptureReading>;
  /** Ends it, and leaves nothing behind. */
  erase(): Promise<void>;
}
