/** What an account rests after, and for how long unless it has a length of its own. Pure. */
import type { CooldownReason } from "./domain";

/** The one reason that always comes with its end, so that nobody chooses a length for it. */
type ChosenReason = Exclude<CooldownReason, "window_warning">;

export interface Rest {
  readonly seconds: number;
  /** How it grows, and what it takes; null: it is always this long, from the first failure on. */
  readonly note: string | null;
}

/** As the accounts' objects have it; a test holds the two together. */
const RESTS = {
  rate_limited: { seconds: 60, note: "doubles to 1 h" },
  overloaded: { seconds: 60, note: null },
  unauthorized: { seconds: 1800, note: null },
  forbidden: { seconds: 1800, note: "after 3 in 10 min" },
  payment: { seconds: 3600, note: null },
  unavailable: { seconds: 60, note: null },
  server_error: { seconds: 60, note: "after 2 in 1 min; doubles to 5 min" },
  network: { seconds: 30, note: "doubles to 5 min" },
  proxy: { seconds: 30, note: "doubles to 5 min" },
  timeout: { seconds: 60, note: "doubles to 5 min" },
  model: { seconds: 600, note: null },
} as const satisfies Record<ChosenReason, Rest>;

export const REST_REASONS = Object.keys(RESTS) as readonly ChosenReason[];

export const restAfter = (reason: ChosenReason): Rest => RESTS[reason];
