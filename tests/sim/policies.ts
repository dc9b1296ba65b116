/** What each policy comes to for one pool: a run for each, with and without sessions, on a day like any other. */
import { POLICIES, type Policy } from "../../worker/domain/group.ts";
import { LIMITS_ONLY } from "./faults.ts";
import { evenPool } from "./pool.ts";
import { Traffic } from "./traffic.ts";
import { World } from "./world.ts";

export interface PoolOptions {
  readonly accounts: number;
  readonly slots: number;
  readonly sessions: number;
  readonly requests: number;
  readonly load: number;
  readonly seed: number;
}

export interface PolicyRow {
  readonly policy: Policy;
  readonly named: boolean;
  /** Share of the turns that found their prompt cached. */
  readonly hits: number;
  /** Requests of the busiest account, per weight, to those of the average one. */
  readonly spread: number;
  /** Share of the requests that got no answer. */
  readonly refused: number;
  /** Share of the turns that went to another account than the one before. */
  readonly moves: number;
  readonly waitP50Ms: number;
  readonly waitP99Ms: number;
}

const START_AT = Date.UTC(2030, 2, 18, 9);

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function rowOf(policy: Policy, named: boolean, options: PoolOptions): PolicyRow {
  const pool = evenPool(options.accounts, options.slots, policy);
  const world = new World({ seed: options.seed, startAt: START_AT, pool, faults: LIMITS_ONLY });
  new Traffic(world, { ...options, named, parallelChance: 0.05, countChance: 0 }).start();
  world.run();
  const { requestsOf, results, turns, hits, moves, waitsMs } = world.statistics;
  const loads = pool.accounts.map(({ id, weight }) => (requestsOf.get(id) ?? 0) / weight);
  const mean = loads.reduce((sum, load) => sum + load, 0) / loads.length;
  const waits = waitsMs.sort((a, b) => a - b);
  return {
    policy,
    named,
    hits: hits / turns,
    spread: Math.max(...loads) / mean,
    refused: (results.refused + results.failed) / options.requests,
    moves: moves / turns,
    waitP50Ms: percentile(waits, 0.5),
    waitP99Ms: percentile(waits, 0.99),
  };
}

export function* policyRows(options: PoolOptions): Generator<PolicyRow> {
  for (const named of [true, false]) for (const policy of POLICIES) yield rowOf(policy, named, options);
}

const COLUMNS = [
  "policy",
  "sessions",
  "cache hits",
  "max/mean load",
  "refused",
  "moves",
  "wait p50",
  "wait p99",
];
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const milliseconds = (ms: number) => `${String(Math.round(ms))} ms`;

const cellsOf = (row: PolicyRow): string[] => [
  row.policy,
  row.named ? "named" : "none",
  percent(row.hits),
  row.spread.toFixed(2),
  percent(row.refused),
  percent(row.moves),
  milliseconds(row.waitP50Ms),
  milliseconds(row.waitP99Ms),
];

/** As Markdown, in even columns. */
export function tableOf(rows: readonly PolicyRow[]): string {
  const cells = [COLUMNS, ...rows.map(cellsOf)];
  const widths = COLUMNS.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const lineOf = (row: readonly string[]) =>
    `| ${row.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join(" | ")} |`;
  const [head = [], ...body] = cells;
  const rule = `| ${widths.map((width, column) => (isText(column) ? "-".repeat(width) : `${"-".repeat(width - 1)}:`)).join(" | ")} |`;
  return [lineOf(head), rule, ...body.map(lineOf)].join("\n");
}

const isText = (column: number) => column < 2;
const pad = (cell: string, width: number, column: number) =>
  isText(column) ? cell.padEnd(width) : cell.padStart(width);
