/** Puts the rounds of a scenario together and prints them as a table. Pure. */
import type { Figure } from "./bench.ts";
import { median } from "./statistics.ts";
import { TARGET_NAMES, type TargetName } from "./targets.ts";

interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Summary {
  readonly metric: string;
  readonly unit: string;
  readonly medians: Readonly<Partial<Record<TargetName, number>>>;
  /** Relay to pass-through, paired within each round. */
  readonly ratio: Spread;
  readonly difference: Spread;
}

const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});

/** @param rounds the same figures in each */
export function summarize(rounds: readonly (readonly Figure[])[]): Summary[] {
  const [first = []] = rounds;
  return first.map(({ metric, unit }) => {
    const each = rounds.flatMap((round) => round.filter((figure) => figure.metric === metric));
    const valuesOf = (name: TargetName) => each.map(({ values }) => values[name] ?? NaN);
    const pairs = each.map(({ values }) => [values.relay ?? NaN, values["pass-through"] ?? NaN] as const);
    return {
      metric,
      unit,
      medians: Object.fromEntries(TARGET_NAMES.map((name) => [name, median(valuesOf(name))])),
      ratio: spread(pairs.map(([relay, passThrough]) => relay / passThrough)),
      difference: spread(pairs.map(([relay, passThrough]) => relay - passThrough)),
    };
  });
}

function text(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return "-";
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

const range = ({ median: middle, min, max }: Spread): string =>
  Number.isFinite(middle) ? `${text(middle)} (${text(min)} to ${text(max)})` : "-";

const HEADINGS = ["", ...TARGET_NAMES, "relay / pass-through", "relay - pass-through"];

/** Columns as wide as their widest cell; the first to the left, figures to the right. */
export function table(title: string, summaries: readonly Summary[]): string {
  const rows = summaries.map(({ metric, unit, medians, ratio, difference }) => [
    unit === "" ? metric : `${metric} [${unit}]`,
    ...TARGET_NAMES.map((name) => text(medians[name])),
    range(ratio),
    range(difference),
  ]);
  const widths = HEADINGS.map((heading, at) =>
    Math.max(heading.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  ");
  return [title, line(HEADINGS), ...rows.map(line), ""].join("\n");
}
