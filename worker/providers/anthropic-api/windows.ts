/** The limits of a subscription as Anthropic's answers tell them (`anthropic-ratelimit-unified-*`). Pure. */
import type { LimitWindow } from "../../domain/cooldown.ts";
import type { EpochMs } from "../../domain/ids.ts";
import { instant } from "./reset.ts";

const IDS = ["5h", "7d", "7d_opus", "7d_sonnet"] as const;
const PREFIX = "anthropic-ratelimit-unified";

const STATUS: ReadonlyMap<string, LimitWindow["status"]> = new Map([
  ["allowed", "allowed"],
  ["allowed_warning", "warning"],
  ["rejected", "rejected"],
]);

/** Whole percents: a finer figure would be news with every answer. */
const PERCENT = 100;

function utilizationOf(value: string | null): number | null {
  const share = value === null || value.trim() === "" ? NaN : Number(value);
  return Number.isFinite(share) && share >= 0 ? Math.round(Math.min(share, 1) * PERCENT) / PERCENT : null;
}

/** null: the answer says nothing of the account's windows, as those of API keys do. */
export function windowsOf(headers: Headers, now: EpochMs): readonly LimitWindow[] | null {
  if (!headers.has(`${PREFIX}-5h-status`) && !headers.has(`${PREFIX}-7d-status`)) return null;
  return IDS.flatMap((id) => {
    const status = headers.get(`${PREFIX}-${id}-status`);
    if (status === null) return [];
    return [
      {
        id,
        status: STATUS.get(status) ?? null,
        utilization: utilizationOf(headers.get(`${PREFIX}-${id}-utilization`)),
        resetAt: instant(headers.get(`${PREFIX}-${id}-reset`), now),
      },
    ];
  });
}
