/** Once a day: do the sums of the last whole days say what the records say? */
import { dayAt, dayOf } from "../domain/calendar.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { auditUsage, claimAudit, saveAudit } from "../storage/usage-audit.ts";
import { settingsFor } from "./settings.ts";

/** A record may be days late: its key's object sends it when D1 can be reached again. */
const DAYS = 3;
const DAY_MS = 86_400_000;
/** Until every key's object follows a change. */
const SETTINGS_LAG_MS = 5 * 60_000;

export async function auditUsageDaily(env: Env, now: EpochMs): Promise<void> {
  const { timeZone, timeZoneSince } = await settingsFor(env);
  if (!(await claimAudit(env.DB, dayOf(now, timeZone)))) return;
  const end = dayAt(now, timeZone).start;
  // Days that had begun when the time zone was changed have sums of two zones, or of the other.
  const oneZoneFrom = timeZoneSince === 0 ? 0 : dayAt(timeZoneSince + SETTINGS_LAG_MS, timeZone).end;
  const start = Math.max(end - DAYS * DAY_MS, oneZoneFrom);
  if (start >= end) return;
  const order = {
    firstDay: dayOf(start, timeZone),
    lastDay: dayOf(end - 1, timeZone),
    timeZone,
    repair: false,
  };
  const report = await auditUsage(env.DB, order);
  await saveAudit(env.DB, report);
  // The books do not balance: that is a fault of the program.
  if (report.total > 0) {
    console.error(
      JSON.stringify({ event: "usage_discrepancies", from: report.from, to: report.to, total: report.total }),
    );
  }
}
