/** When a key's capture takes something, ends, and is erased. Pure. */
import { z } from "zod";
import { captureSchema, type BodyBeginning, type Capture } from "../../worker/domain/capture.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";

export const captureStateSchema = captureSchema.extend({
  /** Requests kept. */
  kept: z.number(),
});
export type CaptureState = Readonly<z.infer<typeof captureStateSchema>>;

export const started = (capture: Capture): CaptureState => ({ ...capture, kept: 0 });

/** @param until of the capture that it is meant for */
export const takes = (state: CaptureState | null, until: EpochMs, now: EpochMs): state is CaptureState =>
  state?.until === until && now < state.until && state.kept < state.count;

export const withOneMore = (state: CaptureState): CaptureState => ({ ...state, kept: state.kept + 1 });

const isEmpty = (state: CaptureState, now: EpochMs) => now >= state.until && state.kept === 0;

/** Whether nothing of it may stay. */
export const isOver = (state: CaptureState, now: EpochMs): boolean =>
  now >= state.eraseAt || isEmpty(state, now);

/** When to look again: at its end, and when it is to be erased. */
export const nextWakeAt = (state: CaptureState, now: EpochMs): EpochMs =>
  now < state.until ? Math.min(state.until, state.eraseAt) : state.eraseAt;

export interface CutText {
  readonly text: string;
  readonly cut: boolean;
}

const utf8 = new TextEncoder();
// A character that the cut went through is left out.
const decoded = (bytes: Uint8Array) => new TextDecoder().decode(bytes, { stream: true });

/** At most `bytesMax` bytes of text. What is no text takes more room as text than it did before. */
export function cutText({ beginning, bytes }: BodyBeginning, bytesMax: number): CutText {
  const text = decoded(beginning.subarray(0, bytesMax));
  const encoded = utf8.encode(text);
  const fits = encoded.length <= bytesMax;
  return {
    text: fits ? text : decoded(encoded.subarray(0, bytesMax)),
    cut: !fits || bytes > Math.min(beginning.length, bytesMax),
  };
}
