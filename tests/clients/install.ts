/** Installs the clients that are too large for the project's own dependencies. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { runToEnd } from "../../scripts/local/processes.ts";
import { ROOT } from "../../scripts/local/project.ts";
import type { Cli } from "./cli.ts";

/** A package of npm that holds a command-line client. */
export interface CliPackage {
  /** What people call the client. */
  readonly title: string;
  readonly name: string;
  readonly version: string;
  /** With everything that it needs. */
  readonly megabytes: number;
  /** The file of the package that starts it. */
  readonly launcher: string;
  /** The launcher starts by itself; otherwise this Node runs it, which may be newer than the machine's. */
  readonly isProgram?: boolean;
}

const CACHE = join(ROOT, "node_modules/.cache/clients");
const INSTALL_TIMEOUT_MS = 600_000;

const manifestSchema = z.object({ version: z.string() });

function isInstalled(folder: string, { name, version }: CliPackage): boolean {
  const path = join(folder, "node_modules", name, "package.json");
  if (!existsSync(path)) return false;
  return manifestSchema.parse(JSON.parse(readFileSync(path, "utf8"))).version === version;
}

async function install(folder: string, wanted: CliPackage, signal: AbortSignal): Promise<void> {
  const spec = `${wanted.name}@${wanted.version}`;
  console.log(`installing ${spec} (about ${String(wanted.megabytes)} MB)`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true }));
  // npm takes the folder above any node_modules for the project, unless it is told.
  const command = ["npm", "install", "--prefix", folder, "--no-package-lock", "--no-audit", "--no-fund"];
  await runToEnd(`npm install ${spec}`, [...command, "--no-progress", spec], {
    cwd: folder,
    env: process.env,
    signal: AbortSignal.any([signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)]),
  });
}

/** The client, which is installed first when it is missing. */
export async function ensureInstalled(wanted: CliPackage, signal: AbortSignal): Promise<Cli> {
  const folder = join(CACHE, wanted.name);
  if (!isInstalled(folder, wanted)) await install(folder, wanted, signal);
  const launcher = join(folder, "node_modules", wanted.name, wanted.launcher);
  return {
    name: wanted.title,
    command: wanted.isProgram === true ? [launcher] : [process.execPath, launcher],
  };
}
