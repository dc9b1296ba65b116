/** Tells people of subscriptions and keys that end soon, and of subscriptions that have ended: of each stage once. */
import type { EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { LOOK_AHEAD_MS, reminder, stageAt, type Ending } from "../notify/expiry.ts";
import { tell } from "../notify/tell.ts";
import { claimReminders, listEnding } from "../storage/expiry.ts";

export async function remindOfExpiry(env: Env, now: EpochMs): Promise<void> {
  const { accounts, keys } = await listEnding(env.DB, now, now + LOOK_AHEAD_MS);
  const endings: Ending[] = [
    ...accounts.map((row) => ({ ...row, kind: "account" as const })),
    ...keys.map((row) => ({ ...row, kind: "key" as const })),
  ];
  const due = endings.flatMap((ending) => {
    const stage = stageAt(ending, now);
    return stage === null ? [] : [{ ending, stage }];
  });
  const claims = due.map(({ ending, stage }) => ({ subject: ending.id, expiresAt: ending.expiresAt, stage }));
  const claimed = await claimReminders(env.DB, claims);
  const isClaimed = ({ ending, stage }: (typeof due)[number]) =>
    claimed.some((claim) => claim.subject === ending.id && claim.stage === stage);
  const signals = due.filter(isClaimed).map(({ ending, stage }) => reminder(ending, stage, now));
  if (signals.length > 0) await tell(env, signals);
}
