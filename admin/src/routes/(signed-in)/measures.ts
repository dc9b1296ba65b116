/** What the chart of the last 24 hours can show. Pure. */
import type { HourTotals } from "$lib/api";
import { formatCompact, formatMoney } from "$lib/format";

export type Measure = "requests" | "tokens" | "cost";

/** `topMin` is where the axis ends at least: half of it is labelled too, and should be a figure that can occur. */
export const MEASURES: readonly { readonly id: Measure; readonly label: string; readonly topMin: number }[] =
  [
    { id: "requests", label: "Requests", topMin: 2 },
    { id: "tokens", label: "Tokens", topMin: 2 },
    { id: "cost", label: "Cost", topMin: 20_000_000 },
  ];

export function parseMeasure(text: string | null): Measure {
  return MEASURES.find((measure) => measure.id === text)?.id ?? "requests";
}

/** Where the axis ends for these hours. */
export function axisTop(hours: readonly HourTotals[], measure: Measure): number {
  const topMin = MEASURES.find(({ id }) => id === measure)?.topMin ?? 1;
  return roundUp(Math.max(topMin, ...hours.map((hour) => measured(hour, measure))));
}

export const measured = (hour: HourTotals, measure: Measure): number => hour[measure];

export function formatMeasured(value: number, measure: Measure): string {
  return measure === "cost" ? formatMoney(value) : formatCompact(value);
}

/** The smallest of 1, 2, 5, 10, 20, … that is not below the value: an axis that ends on a round number. */
export function roundUp(value: number): number {
  if (value <= 0) return 1;
  const magnitude = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((factor) => factor * magnitude >= value) ?? 10;
  return step * magnitude;
}
