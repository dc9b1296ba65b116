/** Which reminder of an end is due, and its words. Pure. */
import type { EpochMs } from "../domain/ids.ts";
import { timeText, type NoticeKind, type Severity, type Signal } from "../domain/notice.ts";

const DAY_MS = 86_400_000;

/** So long before its end a thing is reminded of, in days, the last reminder first. */
const DAYS_BEFORE = { account: [1, 7], key: [1, 3] } as const;

/** Something that ends. */
export interface Ending {
  readonly kind: keyof typeof DAYS_BEFORE;
  readonly id: string;
  readonly name: string;
  readonly expiresAt: EpochMs;
}

/** How far ahead to look. */
export const LOOK_AHEAD_MS = 7 * DAY_MS;

export type Stage = "ended" | `${number}d`;

/** The one that is due now; earlier ones that nobody sent are not made up for. null: none is. */
export function stageAt({ kind, expiresAt }: Ending, now: EpochMs): Stage | null {
  // A key that has ended says so itself to whoever uses it.
  if (expiresAt <= now) return kind === "account" ? "ended" : null;
  const days = DAYS_BEFORE[kind].find((count) => expiresAt - now <= count * DAY_MS);
  return days === undefined ? null : `${days}d`;
}

const KINDS = {
  account: { ended: "account_expired", ahead: "account_expiring", noun: "Account" },
  key: { ended: "key_expiring", ahead: "key_expiring", noun: "Key" },
} as const satisfies Record<Ending["kind"], { ended: NoticeKind; ahead: NoticeKind; noun: string }>;

export function reminder({ kind, id, name, expiresAt }: Ending, stage: Stage, at: EpochMs): Signal {
  const { ended, ahead, noun } = KINDS[kind];
  const isOver = stage === "ended";
  const severity: Severity = isOver ? "error" : "warning";
  const then = `${isOver ? "It ended" : "It ends"} on ${timeText(expiresAt)}.`;
  const advice =
    kind === "account"
      ? "Renew the subscription and enter its new end; without one the account is not used."
      : "Enter a later end if it is still needed; after it the key is refused.";
  return {
    notice: {
      kind: isOver ? ended : ahead,
      severity,
      title: `${noun} "${name}" ${isOver ? "has expired" : "expires soon"}`,
      lines: [then, advice],
      at,
      subject: { kind, id, name },
    },
    // Each is sent once, which its sender sees to.
    topic: null,
    ends: [],
  };
}
