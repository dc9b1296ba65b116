/** Installs the clients that are too large for the project's own dependencies. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runToEnd } from "../../scripts/local/processes.ts";
import { ROOT } from "../../scripts/local/project.ts";

const CACHE = join(ROOT, "node_modules/.cache/clients");
const CLAUDE_CODE = { name: "@anthropic-ai/claude-code", version: "2.1.329" } as const;
/** It is about 400 MB. */
const INSTALL_TIMEOUT_MS = 600_000;

const packageDir = join(CACHE, "node_modules", CLAUDE_CODE.name);

function isInstalled(): boolean {
  const manifest = join(packageDir, "package.json");
  if (!existsSync(manifest)) return false;
  const { version } = JSON.parse(readFileSync(manifest, "utf8")) as { version?: string };
  return version === CLAUDE_CODE.version;
}

/** The command that starts Claude Code, which is installed first when it is missing. */
export async function ensureClaudeCode(signal: AbortSignal): Promise<readonly string[]> {
  // The package's own launcher finds the binary of this platform even where npm ran no install scripts.
  const command = [process.execPath, join(packageDir, "cli-wrapper.cjs")];
  if (isInstalled()) return command;
  const wanted = `${CLAUDE_CODE.name}@${CLAUDE_CODE.version}`;
  console.log(`installing ${wanted} (about 400 MB)`);
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(join(CACHE, "package.json"), JSON.stringify({ private: true }));
  // npm takes the folder above any node_modules for the project, unless it is told.
  const install = ["npm", "install", "--prefix", CACHE, "--no-package-lock", "--no-audit", "--no-fund"];
  await runToEnd(`npm install ${wanted}`, [...install, "--no-progress", wanted], {
    cwd: CACHE,
    env: process.env,
    signal: AbortSignal.any([signal, AbortSignal.timeout(INSTALL_TIMEOUT_MS)]),
  });
  return command;
}
