/** Builds the admin site, unless nothing it is made of has changed since the last build. */
import { existsSync, globSync, mkdirSync, rmdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ADMIN_DIR, ROOT, tool } from "./project.ts";
import { runToEnd } from "./processes.ts";

const OUTPUT = join(ADMIN_DIR, ".svelte-kit/cloudflare/_worker.js");
/** Its time of change is the moment the last build began, so that an edit during a build counts as newer. */
const STAMP = join(ADMIN_DIR, ".svelte-kit/built");
const LOCK = join(ADMIN_DIR, ".svelte-kit/building");
const SOURCES = [
  "admin/{src,static}/**",
  "admin/*.{js,ts,json,toml}",
  "worker/domain/**/*.ts",
  "package-lock.json",
];

/** A build takes some ten seconds; a lock this old was left by one that was killed. */
const LOCK_STALE_MS = 120_000;
const LOCK_POLL_MS = 200;

export const hasAdmin = (): boolean => existsSync(join(ADMIN_DIR, "svelte.config.js"));

function isFresh(): boolean {
  if (!existsSync(STAMP) || !existsSync(OUTPUT)) return false;
  const builtAt = statSync(STAMP).mtimeMs;
  return globSync(SOURCES, { cwd: ROOT }).every((path) => statSync(join(ROOT, path)).mtimeMs < builtAt);
}

/** Creating a folder is atomic, so of two stacks that start at once one builds and the other waits. */
async function lock(signal: AbortSignal | undefined): Promise<void> {
  mkdirSync(join(ADMIN_DIR, ".svelte-kit"), { recursive: true });
  for (;;) {
    try {
      mkdirSync(LOCK);
      return;
    } catch (error) {
      const isHeld = error instanceof Error && "code" in error && error.code === "EEXIST";
      if (!isHeld) throw error;
    }
    const heldSince = statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (Date.now() - heldSince > LOCK_STALE_MS) rmdirSync(LOCK);
    await sleep(LOCK_POLL_MS, undefined, { signal });
  }
}

export interface BuildOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told when there is something to build. */
  readonly progress?: ((step: string) => void) | undefined;
}

/** Builds the admin when its sources are newer than the build. */
export async function buildAdmin(options: BuildOptions = {}): Promise<void> {
  if (isFresh()) return;
  options.progress?.("building the admin");
  await lock(options.signal);
  try {
    if (isFresh()) return;
    const startedAt = new Date();
    const command = { cwd: ADMIN_DIR, env: process.env, signal: options.signal };
    // The admin's tsconfig extends a generated one, without which Vite fails in a way that names no file.
    await runToEnd("svelte-kit sync", [tool("svelte-kit"), "sync"], command);
    await runToEnd("the build of the admin", [tool("vite"), "build", "--logLevel", "warn"], command);
    writeFileSync(STAMP, "");
    utimesSync(STAMP, startedAt, startedAt);
  } finally {
    rmdirSync(LOCK);
  }
}
