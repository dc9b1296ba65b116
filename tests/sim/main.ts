/**
 * `npm run simulate`: what each policy comes to for a pool, as a table; `-- --accounts 20 --slots 5 …` describes it.
 * `npm run simulate -- --check --seeds 200 --requests 100000`: runs so many seeds in which everything goes wrong,
 * under the eyes of every check; `--from` names the first of them. Fails if a promise is broken.
 */
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Assignment, Report } from "./check-thread.ts";
import { policyRows, tableOf, type PolicyRow } from "./policies.ts";

const { values } = parseArgs({
  options: {
    check: { type: "boolean", default: false },
    seeds: { type: "string", default: "20" },
    from: { type: "string", default: "1" },
    threads: { type: "string", default: String(availableParallelism()) },
    requests: { type: "string", default: "40000" },
    accounts: { type: "string", default: "20" },
    slots: { type: "string", default: "5" },
    sessions: { type: "string", default: "2000" },
    load: { type: "string", default: "0.5" },
    seed: { type: "string", default: "1" },
  },
});

function numberOf(name: Exclude<keyof typeof values, "check">): number {
  const value = Number(values[name]);
  if (Number.isFinite(value) && value > 0) return value;
  throw new Error(`--${name} takes a positive number`);
}

function comparePolicies(): void {
  const options = {
    accounts: numberOf("accounts"),
    slots: numberOf("slots"),
    sessions: numberOf("sessions"),
    requests: numberOf("requests"),
    load: numberOf("load"),
    seed: numberOf("seed"),
  };
  console.log(
    `${String(options.accounts)} accounts of ${String(options.slots)} slots, ${String(100 * options.load)} % in use; ` +
      `${String(options.sessions)} sessions, ${String(options.requests)} requests, seed ${String(options.seed)}\n`,
  );
  const rows: PolicyRow[] = [];
  for (const row of policyRows(options)) {
    rows.push(row);
    if (process.stderr.isTTY) process.stderr.write(`\r${String(rows.length)} runs done `);
  }
  console.log(tableOf(rows));
}

/** Each thread takes the next seed when it is done with one. */
async function checkSeeds(): Promise<void> {
  const [from, seeds, requests] = [numberOf("from"), numberOf("seeds"), numberOf("requests")];
  const startedAt = performance.now();
  const broken: string[] = [];
  let [next, done, served, steps] = [from, 0, 0, 0];
  const assign = (thread: Worker): void => {
    if (next >= from + seeds) void thread.terminate();
    else thread.postMessage({ seed: next++, requests } satisfies Assignment);
  };
  const take = (report: Report): void => {
    done++;
    if (report.kind === "broken") {
      broken.push(report.message);
      console.log(`BROKEN ${report.message}`);
      return;
    }
    const { run, ms } = report;
    served += run.results.served;
    steps += run.steps;
    console.log(
      `seed ${String(run.seed)} kept every promise: ${JSON.stringify(run.results)}, out of the count ` +
        `${JSON.stringify(run.excused)}, ${String(Math.round((1000 * requests) / ms))} requests/s (${String(done)} of ${String(seeds)})`,
    );
  };
  const threads = Array.from(
    { length: Math.min(seeds, numberOf("threads")) },
    () => new Worker(new URL("check-thread.ts", import.meta.url)),
  );
  await Promise.all(
    threads.map(
      (thread) =>
        new Promise<void>((resolve, reject) => {
          thread.on("message", (report: Report) => {
            take(report);
            assign(thread);
          });
          thread.on("error", reject);
          thread.on("exit", () => {
            resolve();
          });
          assign(thread);
        }),
    ),
  );
  const seconds = (performance.now() - startedAt) / 1000;
  console.log(
    `\n${String(seeds)} seeds of ${String(requests)} requests (${String(served)} served, ${String(steps)} steps) in ` +
      `${seconds.toFixed(0)} s on ${String(threads.length)} threads: ${String(Math.round((seeds * requests) / seconds))} requests/s; ` +
      `${String(broken.length)} broken`,
  );
  for (const message of broken) console.log(message.split("\n")[0]);
  if (broken.length > 0) process.exitCode = 1;
}

if (values.check) await checkSeeds();
else comparePolicies();
