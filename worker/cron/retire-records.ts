/** Deletes records older than the setting `recordMonths`, after they were written to the archive where there is one. */
import { dayOf, daySpan, monthsBefore } from "../domain/calendar.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { archiveRecords } from "../storage/archive.ts";
import { announceDeletion, deleteRecords, oldestRecords } from "../storage/retention.ts";
import { settingsFor } from "./settings.ts";

/** A megabyte or two, and well within what one statement may change. */
const RECORDS_PER_BATCH = 2000;
/** Runs come every five minutes: this is five million records a day. */
const BATCHES_PER_RUN = 10;

/** Before when records go: a day begins there, so that no day is left in part. */
export function retiredBefore(now: EpochMs, months: number, timeZone: string): EpochMs {
  return daySpan(monthsBefore(dayOf(now, timeZone), months), timeZone).start;
}

/** @returns how many records went */
export async function retireRecords(env: Env, now: EpochMs): Promise<number> {
  const { recordMonths, timeZone } = await settingsFor(env);
  if (recordMonths === 0) return 0;
  const before = retiredBefore(now, recordMonths, timeZone);
  let retired = 0;
  for (let batch = 0; batch < BATCHES_PER_RUN; batch++) {
    const records = await oldestRecords(env.DB, before, RECORDS_PER_BATCH);
    if (records.length === 0) break;
    if (env.ARCHIVE !== undefined) await archiveRecords(env.ARCHIVE, records);
    await announceDeletion(env.DB, before);
    await deleteRecords(env.DB, records);
    retired += records.length;
    if (records.length < RECORDS_PER_BATCH) break;
  }
  return retired;
}
