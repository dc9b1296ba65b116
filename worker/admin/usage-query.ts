/** What may be asked of the ledger, parsed at the door. */
import type { Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { requestIdSchema } from "../domain/ids.ts";
import { PROTOCOL_IDS } from "../domain/protocol-id.ts";
import { OUTCOMES } from "../domain/usage.ts";
import {
  daysBetween,
  instantSchema,
  momentSchema,
  usageRange,
  type Asked,
  type UsageRange,
} from "../domain/usage-range.ts";
import { BREAKDOWN_SORTS, USAGE_DIMENSIONS, USAGE_STEPS, type SumFilter } from "../domain/usage-sum.ts";
import { USAGE_SORTS } from "../storage/usage-list.ts";
import { pageSchema, type AdminEnv } from "./context.ts";

const text = z.string().min(1).max(300);
const LINES_MAX = 50;
const WINDOW_MINUTES_MAX = 60;
/** That one request may go through record by record. */
const RECORD_DAYS_MAX = 31;

/** Which records. */
export const recordsQuerySchema = z.object({
  keyId: text.optional(),
  accountId: text.optional(),
  model: text.optional(),
  protocol: z.enum(PROTOCOL_IDS).optional(),
  outcome: z.enum(OUTCOMES).optional(),
  from: instantSchema.optional(),
  to: instantSchema.optional(),
});

type RecordsQuery = Partial<z.output<typeof recordsQuerySchema>>;

export const recordsFilter = ({ keyId, accountId, model, protocol, outcome, from, to }: RecordsQuery) => ({
  keyId,
  accountId,
  model,
  protocol,
  outcome,
  from,
  to,
});

export const listQuerySchema = recordsQuerySchema.extend(pageSchema.shape).extend({
  sort: z.enum(USAGE_SORTS).default("newest"),
  after: requestIdSchema.optional(),
});

export const exportQuerySchema = recordsQuerySchema.extend({
  format: z.enum(["csv", "ndjson"]).default("csv"),
});

const spanSchema = z.object({ from: momentSchema.optional(), to: momentSchema.optional() });

/** Which sums. */
export const summaryQuerySchema = spanSchema.extend({
  keyId: text.optional(),
  accountId: text.optional(),
  model: text.optional(),
  protocol: z.enum(PROTOCOL_IDS).optional(),
  provider: text.optional(),
  ownerId: text.optional(),
  tag: text.optional(),
  group: text.optional(),
});

type SummaryQuery = Partial<z.output<typeof summaryQuerySchema>>;

export const sumFilter = (filter: SummaryQuery): SumFilter => ({
  keyId: filter.keyId,
  accountId: filter.accountId,
  model: filter.model,
  protocol: filter.protocol,
  provider: filter.provider,
  ownerId: filter.ownerId,
  tag: filter.tag,
  group: filter.group,
});

export const seriesQuerySchema = summaryQuerySchema.extend({
  step: z.enum(USAGE_STEPS).default("day"),
  by: z.enum(USAGE_DIMENSIONS).optional(),
  lines: z.coerce.number().int().min(1).max(LINES_MAX).default(10),
});

export const breakdownQuerySchema = summaryQuerySchema.extend(pageSchema.shape).extend({
  by: z.enum(USAGE_DIMENSIONS),
  sort: z.enum(BREAKDOWN_SORTS).default("cost"),
});

export const liveQuerySchema = z.object({
  minutes: z.coerce.number().int().min(1).max(WINDOW_MINUTES_MAX).default(5),
});

/** @throws RelayError `invalid_request` for what a pure function found wrong */
export function accepted<Value extends object>(value: Value | string): Value {
  if (typeof value === "string") throw new RelayError("invalid_request", value);
  return value;
}

type Span = { readonly [Name in keyof Asked]?: Asked[Name] };

export const rangeOf = (context: Context<AdminEnv>, { from, to }: Span): UsageRange =>
  accepted(usageRange({ from, to }, Date.now(), context.get("settings").timeZone));

/** The time an answer is about, as it says so itself. */
export const rangeView = ({ from, to }: UsageRange, timeZone: string) => ({ from, to, timeZone });

/** The days that a range touches, where their records are gone through. @throws RelayError `invalid_request` */
export function daysOf(context: Context<AdminEnv>, span: Span): Pick<UsageRange, "firstDay" | "lastDay"> {
  const { firstDay, lastDay } = rangeOf(context, span);
  if (daysBetween(firstDay, lastDay).length > RECORD_DAYS_MAX) {
    throw new RelayError(
      "invalid_request",
      `from: must be at most ${String(RECORD_DAYS_MAX)} days before to`,
    );
  }
  return { firstDay, lastDay };
}
