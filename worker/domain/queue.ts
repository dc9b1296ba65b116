/** How long requests may wait for a slot, and how many of them. Pure. */

export interface QueueRules {
  /** Requests that may wait at once; 0: none, the queue is off. */
  readonly length: number;
  readonly timeoutMs: number;
}

/** @param slots of what is waited for; 0: unlimited, so nobody ever waits for a slot */
export const queueLengthOf = (
  settings: { readonly queueLength: number; readonly queueMultiple: number },
  slots: number,
): number => Math.max(settings.queueLength, Math.floor(settings.queueMultiple * slots));
