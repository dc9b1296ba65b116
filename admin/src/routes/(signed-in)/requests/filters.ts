/** The filters of the requests page, as its address says them. Pure. */
import type { UsageQuery } from "$lib/api";
import type { EpochMs } from "$lib/domain";
import { pageQuery } from "$lib/paging";
import { fromLocalInput } from "$lib/time-zone";

const HOUR_MS = 3_600_000;

export const RANGES = [
  { id: "all", label: "Any time", lengthMs: null },
  { id: "1h", label: "Last hour", lengthMs: HOUR_MS },
  { id: "24h", label: "Last 24 hours", lengthMs: 24 * HOUR_MS },
  { id: "7d", label: "Last 7 days", lengthMs: 7 * 24 * HOUR_MS },
  { id: "30d", label: "Last 30 days", lengthMs: 30 * 24 * HOUR_MS },
  { id: "custom", label: "From … to …", lengthMs: null },
] as const;

/** What was entered, to fill the form again. */
export interface Filters {
  readonly key: string;
  readonly account: string;
  readonly model: string;
  readonly range: string;
  readonly from: string;
  readonly to: string;
}

export function parseFilters(search: URLSearchParams): Filters {
  const text = (name: string) => search.get(name)?.trim() ?? "";
  const range = RANGES.find(({ id }) => id === text("range"))?.id ?? "all";
  return {
    key: text("key"),
    account: text("account"),
    model: text("model"),
    range,
    from: text("from"),
    to: text("to"),
  };
}

export const isFiltered = (filters: Filters): boolean =>
  filters.key !== "" || filters.account !== "" || filters.model !== "" || filters.range !== "all";

function interval(
  filters: Filters,
  timeZone: string,
  now: EpochMs,
): { from: EpochMs | null; to: EpochMs | null } {
  if (filters.range === "custom") {
    return { from: fromLocalInput(filters.from, timeZone), to: fromLocalInput(filters.to, timeZone) };
  }
  const lengthMs = RANGES.find(({ id }) => id === filters.range)?.lengthMs ?? null;
  return { from: lengthMs === null ? null : now - lengthMs, to: null };
}

export function usageQuery(search: URLSearchParams, timeZone: string, now: EpochMs): UsageQuery {
  const filters = parseFilters(search);
  const orNull = (text: string) => (text === "" ? null : text);
  return {
    ...pageQuery(search),
    ...interval(filters, timeZone, now),
    keyId: orNull(filters.key),
    accountId: orNull(filters.account),
    model: orNull(filters.model),
  };
}
