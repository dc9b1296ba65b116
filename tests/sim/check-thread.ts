/** A thread of the nightly check: it runs the seeds it is given, one at a time. */
import { parentPort } from "node:worker_threads";
import { check, type CheckedRun } from "./check.ts";

export interface Assignment {
  readonly seed: number;
  readonly requests: number;
}

export type Report =
  | { readonly kind: "kept"; readonly run: CheckedRun; readonly ms: number }
  | { readonly kind: "broken"; readonly seed: number; readonly message: string };

function report({ seed, requests }: Assignment): Report {
  const startedAt = performance.now();
  try {
    return { kind: "kept", run: check(seed, requests), ms: performance.now() - startedAt };
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: "broken", seed, message };
  }
}

parentPort?.on("message", (assignment: Assignment) => {
  parentPort?.postMessage(report(assignment));
});
