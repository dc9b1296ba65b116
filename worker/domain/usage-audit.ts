/** Whether sums say what the records say. Pure. */
import { z } from "zod";
import { USAGE_STEPS, type UsageStep } from "./usage-sum.ts";

/** The sums of one group in one period, by the names of their columns. */
export interface AuditRow {
  readonly period: string | number;
  readonly keyId: string;
  readonly accountId: string;
  readonly model: string;
  readonly protocol: string;
  readonly provider: string;
  readonly sums: Readonly<Record<string, number>>;
}

const discrepancySchema = z.object({
  step: z.enum(USAGE_STEPS),
  period: z.union([z.string(), z.number()]),
  keyId: z.string(),
  accountId: z.string(),
  model: z.string(),
  protocol: z.string(),
  provider: z.string(),
  /** The sum that differs. */
  column: z.string(),
  /** What the rollup says; 0 where it has no such group. */
  booked: z.number(),
  /** What the records come to. */
  counted: z.number(),
});
export type Discrepancy = Readonly<z.infer<typeof discrepancySchema>>;

export const auditReportSchema = z.object({
  /** Epoch ms. */
  from: z.number(),
  to: z.number(),
  /** Groups of hours and of days that were compared. */
  groups: z.number(),
  discrepancies: z.array(discrepancySchema).readonly(),
  /** How many there are; the list above ends somewhere. */
  total: z.number(),
  /** The sums were made anew from the records. */
  repaired: z.boolean(),
});
export type AuditReport = Readonly<z.infer<typeof auditReportSchema>>;

const idOf = ({ period, keyId, accountId, model, protocol, provider }: AuditRow) =>
  JSON.stringify([period, keyId, accountId, model, protocol, provider]);

interface Pair {
  booked?: AuditRow;
  counted?: AuditRow;
}

function pairsOf(booked: readonly AuditRow[], counted: readonly AuditRow[]): Map<string, Pair> {
  const pairs = new Map<string, Pair>(booked.map((row) => [idOf(row), { booked: row }]));
  for (const row of counted) {
    const id = idOf(row);
    pairs.set(id, { ...pairs.get(id), counted: row });
  }
  return pairs;
}

function differences(step: UsageStep, { booked, counted }: Pair): Discrepancy[] {
  const row = booked ?? counted;
  if (row === undefined) return [];
  const { sums: _, ...group } = row;
  const columns = new Set([...Object.keys(booked?.sums ?? {}), ...Object.keys(counted?.sums ?? {})]);
  return [...columns]
    .map((column) => ({
      ...group,
      step,
      column,
      booked: booked?.sums[column] ?? 0,
      counted: counted?.sums[column] ?? 0,
    }))
    .filter((each) => each.booked !== each.counted);
}

/** Every sum that differs, and every group that only one side has. */
export function compareSums(
  step: UsageStep,
  booked: readonly AuditRow[],
  counted: readonly AuditRow[],
): { groups: number; discrepancies: Discrepancy[] } {
  const pairs = pairsOf(booked, counted);
  return {
    groups: pairs.size,
    discrepancies: [...pairs.values()].flatMap((pair) => differences(step, pair)),
  };
}
