/** How far a key has come with one of its limits, as people read it. Pure. */
import type { LimitId, LimitStatus } from "./domain";
import { formatCount, formatMoney } from "./format";

export interface LimitShown {
  readonly name: string;
  readonly used: string;
  /** Held back for running requests; null: nothing is. */
  readonly reserved: string | null;
  readonly limit: string;
  /** Parts of the limit, 0 to 1; together they never pass 1. */
  readonly usedPart: number;
  readonly reservedPart: number;
  readonly tone: "good" | "warn" | "bad";
  /** What to say where no time is known at which it begins anew. */
  readonly withoutReset: string;
}

const NEXT_REQUEST = "with the next request";

const TEXTS = {
  total_cost: { name: "Total budget", withoutReset: "never" },
  weekly_premium_cost: { name: "Weekly budget, premium models", withoutReset: NEXT_REQUEST },
  weekly_cost: { name: "Weekly budget", withoutReset: NEXT_REQUEST },
  daily_cost: { name: "Daily budget", withoutReset: NEXT_REQUEST },
  window_requests: { name: "Requests in the window", withoutReset: NEXT_REQUEST },
  window_tokens: { name: "Tokens in the window", withoutReset: NEXT_REQUEST },
  window_cost: { name: "Cost in the window", withoutReset: NEXT_REQUEST },
} as const satisfies Record<LimitId, { readonly name: string; readonly withoutReset: string }>;

/** From here on a limit is about to be met. */
export const NEARLY = 0.8;

export function limitShown({ id, unit, used, reserved, limit }: LimitStatus): LimitShown {
  const format = unit === "cost" ? formatMoney : formatCount;
  const usedPart = Math.min(1, used / limit);
  return {
    ...TEXTS[id],
    used: format(used),
    reserved: reserved === 0 ? null : format(reserved),
    limit: format(limit),
    usedPart,
    reservedPart: Math.min(1 - usedPart, reserved / limit),
    tone: usedPart >= 1 ? "bad" : usedPart >= NEARLY ? "warn" : "good",
  };
}
