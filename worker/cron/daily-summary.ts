/** Tells once, after the deployment's midnight, what the day before came to. */
import { dayOf, dayAt } from "../domain/calendar.ts";
import type { Env } from "../env.ts";
import { dailySummary } from "../notify/daily-summary.ts";
import { tell } from "../notify/tell.ts";
import { daySum, dearestKeys } from "../storage/rollups.ts";
import { settingsFor } from "./settings.ts";

/** Records of the day's last requests are in the ledger by then. */
const AFTER_MIDNIGHT_MS = 60_000;
/** Runs of the job that come later say nothing: the notifier tells the same once an hour, and this is less. */
const UNTIL_MS = 50 * 60_000;
const KEYS_SHOWN = 5;

export async function tellOfYesterday(env: Env, now: number): Promise<void> {
  const { timeZone } = await settingsFor(env);
  const sinceMidnightMs = now - dayAt(now, timeZone).start;
  if (sinceMidnightMs < AFTER_MIDNIGHT_MS || sinceMidnightMs > UNTIL_MS) return;
  const day = dayOf(now - sinceMidnightMs - 1, timeZone);
  const [sum, dearest] = await Promise.all([daySum(env.DB, day), dearestKeys(env.DB, day, KEYS_SHOWN)]);
  await tell(env, [dailySummary({ day, sum, dearest }, now)]);
}
