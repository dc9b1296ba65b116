/** The wish to stop: Ctrl-C, or what a process manager sends. */

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** On Ctrl-C the terminal signals everybody and npm passes the signal on: so soon, the second is the same one. */
const SAME_SIGNAL_MS = 500;

/** Aborts at the first signal; a second one, later, leaves at once. */
export function listenForStop(): AbortSignal {
  const stop = new AbortController();
  let requestedAt = 0;
  for (const signal of STOP_SIGNALS) {
    process.on(signal, () => {
      if (!stop.signal.aborted) {
        requestedAt = Date.now();
        stop.abort();
        return;
      }
      // The leash of every child kills it when we are gone, so leaving at once is safe.
      if (Date.now() - requestedAt > SAME_SIGNAL_MS) process.exit(130);
    });
  }
  return stop.signal;
}

export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
