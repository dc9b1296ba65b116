/** One of the upstream's limits on an account, as people read it. Pure. */
import type { EpochMs, LimitWindow } from "./domain";
import { NEARLY } from "./limit";
import type { Shown } from "./state";

export interface WindowShown {
  readonly name: string;
  /** null: the upstream did not say. */
  readonly state: Shown | null;
  readonly used: string | null;
  /** Part of the limit, 0 to 1. */
  readonly usedPart: number;
  readonly tone: "good" | "warn" | "bad";
}

const STATES = {
  allowed: { tone: "good", label: "Allowed" },
  warning: { tone: "warn", label: "Nearly used up" },
  rejected: { tone: "bad", label: "Used up" },
} as const satisfies Record<NonNullable<LimitWindow["status"]>, Shown>;

/** Its window has ended since the upstream spoke of it, so that nothing of it holds any more. */
const OVER: Shown = { tone: "quiet", label: "Over" };

const UNITS: Readonly<Record<string, string>> = { h: "hours", d: "days" };

/** `7d_opus` is seven days for one family of models; what is named otherwise keeps its name. */
function nameOf(id: string): string {
  const [, count, unit, family] = /^(\d+)([hd])(?:_(.+))?$/.exec(id) ?? [];
  if (count === undefined || unit === undefined) return id;
  return `${count} ${UNITS[unit] ?? unit}${family === undefined ? "" : `, ${family}`}`;
}

export function windowShown(window: LimitWindow, now: EpochMs): WindowShown {
  const { id, status, utilization, resetAt } = window;
  const isOver = resetAt !== null && resetAt <= now;
  const usedPart = Math.min(1, utilization ?? 0);
  const percent = Math.round((utilization ?? 0) * 100);
  return {
    name: nameOf(id),
    state: isOver ? OVER : status === null ? null : STATES[status],
    used: utilization === null ? null : `${String(percent)}%`,
    usedPart,
    tone: isOver ? "good" : usedPart >= 1 ? "bad" : usedPart >= NEARLY ? "warn" : "good",
  };
}
