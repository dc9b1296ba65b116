/** The limits of a ChatGPT plan as its answers tell them (`x-codex-*`). Pure. */
import type { LimitWindow } from "../../domain/cooldown.ts";
import type { EpochMs } from "../../domain/ids.ts";

const PERCENT = 100;
const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
/** No window is longer; a reset further away is a mistake. */
const RESET_MS_MAX = 32 * DAY_MINUTES * MINUTE_MS;

/** Where no length is given, the first window is the short one. */
const WINDOWS = [
  { name: "primary", id: "5h" },
  { name: "secondary", id: "7d" },
] as const;

function numberIn(headers: Headers, name: string): number | null {
  const value = headers.get(`x-codex-${name}`);
  if (value === null || !/^\d{1,12}(\.\d{1,6})?$/.test(value.trim())) return null;
  return Number(value);
}

/** To the minute: a finer instant, counted anew with every answer, would be news each time. */
function resetAt(headers: Headers, name: string, now: EpochMs): EpochMs | null {
  const seconds = numberIn(headers, `${name}-reset-after-seconds`);
  if (seconds === null || seconds * 1000 > RESET_MS_MAX) return null;
  return Math.round((now + seconds * 1000) / MINUTE_MS) * MINUTE_MS;
}

/** null: the answer says nothing of the account's windows. */
export function windowsOf(headers: Headers, now: EpochMs): readonly LimitWindow[] | null {
  const windows = WINDOWS.flatMap(({ name, id }): LimitWindow[] => {
    const used = numberIn(headers, `${name}-used-percent`);
    if (used === null) return [];
    const minutes = numberIn(headers, `${name}-window-minutes`);
    return [
      {
        id: minutes === null ? id : minutes <= DAY_MINUTES ? "5h" : "7d",
        status: used >= PERCENT ? "rejected" : "allowed",
        utilization: Math.round(Math.min(used, PERCENT)) / PERCENT,
        resetAt: resetAt(headers, name, now),
      },
    ];
  });
  return windows.length === 0 ? null : windows;
}
