/** Records as CSV (RFC 4180) that is safe to open in a spreadsheet. Pure. */
import type { UsageView } from "../domain/usage.ts";

/** What makes a spreadsheet take a cell for a formula. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

type Cell = string | number | boolean | null;

/** One field; every text that a spreadsheet would compute begins with an apostrophe, which makes it a text. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  const text = String(value);
  const safe = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const time = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

/** In the order of the file's columns. */
const COLUMNS: readonly (readonly [name: string, cell: (record: UsageView) => Cell])[] = [
  ["request_id", ({ requestId }) => requestId],
  ["started_at", ({ startedAt }) => time(startedAt)],
  ["first_byte_at", ({ firstByteAt }) => time(firstByteAt)],
  ["ended_at", ({ endedAt }) => time(endedAt)],
  ["key_id", ({ keyId }) => keyId],
  ["key_name", ({ keyName }) => keyName],
  ["account_id", ({ accountId }) => accountId],
  ["account_name", ({ accountName }) => accountName],
  ["provider", ({ provider }) => provider],
  ["protocol", ({ protocol }) => protocol],
  ["model", ({ model }) => model],
  ["requested_model", ({ requestedModel }) => requestedModel],
  ["stream", ({ stream }) => stream],
  ["status", ({ status }) => status],
  ["outcome", ({ outcome }) => outcome],
  ["error", ({ error }) => error],
  ["attempts", ({ attempts }) => attempts],
  ["estimated", ({ estimated }) => estimated],
  ["input", ({ tokens }) => tokens.input],
  ["output", ({ tokens }) => tokens.output],
  ["cache_write_5m", ({ tokens }) => tokens.cacheWrite5m],
  ["cache_write_1h", ({ tokens }) => tokens.cacheWrite1h],
  ["cache_read", ({ tokens }) => tokens.cacheRead],
  ["web_searches", ({ tokens }) => tokens.webSearches],
  ["service_tier", ({ serviceTier }) => serviceTier],
  ["speed", ({ speed }) => speed],
  ["cost_nano_dollars", ({ cost }) => cost],
  ["price_version", ({ priceVersion }) => priceVersion],
];

const line = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

export const csvHead = (): string => line(COLUMNS.map(([name]) => name));
export const csvLine = (record: UsageView): string => line(COLUMNS.map(([, cell]) => cell(record)));
