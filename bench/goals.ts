/** What we want of the relay, as bounds on figures. Nothing fails when one is missed: it is printed. */
import type { Summary } from "./report.ts";

interface Goal {
  readonly label: string;
  readonly metric: string;
  readonly of: "ratio" | "difference" | "relay";
  readonly bound: "at most" | "at least";
  readonly limit: number;
}

const GOALS: readonly Goal[] = [
  { label: "live event, CPU", metric: "CPU per million events", of: "ratio", bound: "at most", limit: 1.6 },
  { label: "live event, lag p50", metric: "event lag p50", of: "difference", bound: "at most", limit: 0.3 },
  { label: "live event, lag p99", metric: "event lag p99", of: "difference", bound: "at most", limit: 2 },
  {
    label: "JSON, added TTFB p50",
    metric: "JSON TTFB p50, added",
    of: "ratio",
    bound: "at most",
    limit: 2.2,
  },
  { label: "SSE, added TTFB p50", metric: "SSE TTFB p50, added", of: "ratio", bound: "at most", limit: 2.2 },
  { label: "JSON requests at 32", metric: "JSON requests at 32", of: "ratio", bound: "at least", limit: 0.5 },
  { label: "100 kB body, CPU", metric: "CPU per coding turn", of: "ratio", bound: "at most", limit: 2.5 },
  { label: "1,000 streams, memory", metric: "streams, peak", of: "ratio", bound: "at most", limit: 1.5 },
  {
    label: "300-event stream, CPU ms",
    metric: "CPU per stream of 300 events",
    of: "relay",
    bound: "at most",
    limit: 10,
  },
];

/** One line for each goal whose figure was measured. */
export function goalLines(summaries: readonly Summary[]): string[] {
  return GOALS.flatMap((goal) => {
    const summary = summaries.find(({ metric }) => metric === goal.metric);
    if (summary === undefined) return [];
    const value = goal.of === "relay" ? (summary.medians.relay ?? NaN) : summary[goal.of].median;
    const met = goal.bound === "at most" ? value <= goal.limit : value >= goal.limit;
    const measured = `${value.toFixed(2)} (${goal.bound} ${String(goal.limit)})`;
    return [`${met ? "met   " : "MISSED"} ${goal.label.padEnd(26)} ${goal.of.padEnd(10)} ${measured}`];
  });
}
