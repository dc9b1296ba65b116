/** How a stream can end, as the relay sees it. Pure. */
import type { ErrorFacts } from "../domain/errors.ts";

export type StreamEnding =
  | { readonly kind: "finished" }
  | { readonly kind: "client_gone" }
  /** The relay stopped it: nothing is wrong with the upstream. */
  | { readonly kind: "stopped"; readonly error: ErrorFacts }
  | { readonly kind: "upstream_failed"; readonly error: ErrorFacts };

const interrupted = (message: string): StreamEnding => ({
  kind: "upstream_failed",
  error: { code: "upstream_interrupted", message, retryAfterMs: null },
});
export const CUT = interrupted("The upstream broke off in the middle of its answer.");
export const EARLY_END = interrupted("The upstream ended its answer too early.");
export const TOO_LARGE = interrupted("The upstream's answer grew beyond every limit.");
export const SILENT: StreamEnding = {
  kind: "upstream_failed",
  error: {
    code: "upstream_timeout",
    message: "The upstream fell silent in the middle of its answer.",
    retryAfterMs: null,
  },
};
