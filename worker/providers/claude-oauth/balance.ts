/** What a subscription's usage API tells of its windows: percents, and when they begin anew. Pure. */
import { z } from "zod";
import type { Balance } from "../../domain/balance.ts";
import { parseJson } from "../../domain/json.ts";

export const USAGE_PATH = "/api/oauth/usage";

const NAMES = {
  five_hour: "5h",
  seven_day: "7d",
  seven_day_opus: "7d_opus",
  seven_day_sonnet: "7d_sonnet",
} as const;

const windowSchema = z.object({ utilization: z.number(), resets_at: z.string().nullish() });

/** null: it is nothing of the kind. */
export function readUsage(text: string): Balance | null {
  const answer = z.record(z.string(), z.unknown()).safeParse(parseJson(text)).data ?? {};
  const windows = Object.entries(NAMES).flatMap(([name, id]) => {
    const { data } = windowSchema.safeParse(answer[name]);
    if (data === undefined) return [];
    const resetAt = Date.parse(data.resets_at ?? "");
    const utilization = Math.min(1, Math.max(0, data.utilization / 100));
    return [{ id, utilization, resetAt: Number.isNaN(resetAt) ? null : resetAt }];
  });
  return windows.length === 0 ? null : { amounts: [], windows };
}
