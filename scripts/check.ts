/**
 * The checks that read the code without running it, and the unit tests: `node scripts/check.ts [name …]`.
 * Without a name all of them run, side by side as far as there are cores; each prints only when it fails.
 */
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { hasAdmin } from "./local/admin-build.ts";
import { startChild } from "./local/processes.ts";
import { ADMIN_DIR, ROOT, tool } from "./local/project.ts";

interface Step {
  readonly group: "types" | "lint" | "format" | "unit";
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd: string;
}

const CACHE = "node_modules/.cache";
const inRoot = (group: Step["group"], name: string, command: readonly string[]): Step => {
  return { group, name, command, cwd: ROOT };
};

function typesOf(config: string): Step {
  const incremental = ["--incremental", "--tsBuildInfoFile", `${CACHE}/${config}.tsbuildinfo`];
  return inRoot("types", `types of ${config}`, [tool("tsc"), "-p", config, ...incremental]);
}

function steps(): Step[] {
  const cached = ["--cache", "--cache-location", `${CACHE}/check-prettier`];
  return [
    typesOf("tsconfig.json"),
    inRoot("lint", "lint", [tool("eslint"), ".", "--max-warnings", "0"]),
    typesOf("tsconfig.node.json"),
    ...(hasAdmin() ? [adminTypes()] : []),
    inRoot("format", "format", [tool("prettier"), "--check", "--log-level", "warn", ".", ...cached]),
    inRoot("unit", "unit tests", [tool("vitest"), "run", "--project", "unit"]),
  ];
}

function adminTypes(): Step {
  const command = [tool("svelte-check"), "--tsconfig", "./tsconfig.json", "--fail-on-warnings"];
  return { group: "types", name: "types of the admin", command, cwd: ADMIN_DIR };
}

/** Runs one step; true when it passed. */
async function run(step: Step): Promise<boolean> {
  const startedAt = performance.now();
  const output: string[] = [];
  const child = startChild(step.name, step.command, {
    cwd: step.cwd,
    env: { ...process.env, NO_COLOR: "1" },
    onLine: (line) => output.push(line),
  });
  const exitCode = await child.exited;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  if (exitCode !== 0) console.log(output.join("\n"));
  console.log(`${exitCode === 0 ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`);
  return exitCode === 0;
}

async function main(groups: readonly string[]): Promise<void> {
  mkdirSync(`${ROOT}/${CACHE}`, { recursive: true });
  const queue = steps().filter((step) => groups.length === 0 || groups.includes(step.group));
  if (queue.length === 0) throw new Error(`no such check: ${groups.join(" ")}`);
  // Lint and svelte-check read a tsconfig that this writes.
  const sync = {
    group: "types",
    name: "svelte-kit sync",
    command: [tool("svelte-kit"), "sync"],
    cwd: ADMIN_DIR,
  } as const;
  let passed = !hasAdmin() || (await run(sync));
  const worker = async (): Promise<void> => {
    for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
      passed = (await run(step)) && passed;
    }
  };
  await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, worker));
  if (!passed) process.exitCode = 1;
}

await main(process.argv.slice(2));
