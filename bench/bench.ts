/** What a scenario is given, and what it gives back. Types, and how figures of targets are put together. */
import type { Behaviour } from "../tests/upstream/behaviour.ts";
import { TARGET_NAMES, type Target, type TargetName, type WorkerName } from "./targets.ts";

export interface Bench {
  /** In this round's order. */
  readonly targets: readonly Target[];
  readonly quick: boolean;
  /** What the upstream does with every request from now on. */
  behave(behaviour: Behaviour): Promise<void>;
  /** A worker of its own that nothing has been asked yet; the caller stops it. */
  startFresh(name: WorkerName): Promise<Target>;
}

/** One figure of one round; NaN or absent where a target has none. */
export interface Figure {
  readonly metric: string;
  readonly unit: string;
  readonly values: Readonly<Partial<Record<TargetName, number>>>;
}

export interface Scenario {
  readonly name: string;
  readonly title: string;
  run(bench: Bench): Promise<Figure[]>;
}

/** Measures one target after the other. */
export async function forEachTarget<Result>(
  bench: Bench,
  measure: (target: Target) => Promise<Result>,
): Promise<Map<TargetName, Result>> {
  const results = new Map<TargetName, Result>();
  for (const target of bench.targets) results.set(target.name, await measure(target));
  return results;
}

/** A figure made of each target's result. */
export function figure<Result>(
  metric: string,
  unit: string,
  results: ReadonlyMap<TargetName, Result>,
  valueOf: (result: Result) => number,
): Figure {
  const values = [...results].map(([name, result]) => [name, valueOf(result)] as const);
  return { metric, unit, values: Object.fromEntries(values) };
}

/** What a figure comes to above `direct`. */
export function added({ metric, unit, values }: Figure): Figure {
  const base = values.direct ?? NaN;
  const above = TARGET_NAMES.filter((name) => name !== "direct").map(
    (name) => [name, (values[name] ?? NaN) - base] as const,
  );
  return { metric: `${metric}, added`, unit, values: Object.fromEntries(above) };
}

/** Targets must agree on what they answered: otherwise their figures do not compare. */
export function assertSameBytes(results: ReadonlyMap<TargetName, { readonly bodyBytes: number }>): void {
  const sizes = [...results].map(([name, { bodyBytes }]) => `${name} ${String(bodyBytes)}`);
  if (new Set([...results.values()].map(({ bodyBytes }) => bodyBytes)).size > 1)
    throw new Error(`the answers differ in length: ${sizes.join(", ")}`);
}
