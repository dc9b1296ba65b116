/** Tells people of subscriptions and keys that end soon, and of subscriptions that have ended: of each stage once. */
import type { EpochMs } from "../domain/ids.ts";
import type { Signal } from "../domain/notice.ts";
import type { Env } from "../env.ts";
import { LOOK_AHEAD_MS, reminder, stageAt, type Ending } from "../notify/expiry.ts";
import { tell } from "../notify/tell.ts";
import { claimReminder, listEnding } from "../storage/expiry.ts";

export async function remindOfExpiry(env: Env, now: EpochMs): Promise<void> {
  const { accounts, keys } = await listEnding(env.DB, now, now + LOOK_AHEAD_MS);
  const endings: Ending[] = [
    ...accounts.map((row) => ({ ...row, kind: "account" as const })),
    ...keys.map((row) => ({ ...row, kind: "key" as const })),
  ];
  const signals: Signal[] = [];
  for (const ending of endings) {
    const stage = stageAt(ending, now);
    if (stage !== null && (await claimReminder(env.DB, ending, stage))) {
      signals.push(reminder(ending, stage, now));
    }
  }
  if (signals.length > 0) await tell(env, signals);
}
