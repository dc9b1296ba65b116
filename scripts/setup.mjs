/**
 * Makes node_modules match package-lock.json, and the admin's generated settings be there; nothing otherwise.
 * Plain JavaScript for Node 20, because it runs before the Node that the project pins is there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join, sep } from "node:path";

const root = join(import.meta.dirname, "..");

/** npm writes this copy of the lockfile as the last step of an install, so an interrupted install has none. */
const installedLockfile = join(root, "node_modules", ".package-lock.json");

/**
 * @typedef {{ version?: string, optional?: boolean, devOptional?: boolean, peer?: boolean, extraneous?: boolean }} Locked
 * @returns {Record<string, Locked>} by path; the empty path is the project itself
 */
const packagesOf = (/** @type {string} */ lockfile) => JSON.parse(readFileSync(lockfile, "utf8")).packages;

/** npm leaves out packages of other platforms, unused peers, and leftovers of an earlier tree. */
const mayBeAbsent = (/** @type {Locked} */ locked) =>
  [locked.optional, locked.devOptional, locked.peer, locked.extraneous].includes(true);

function isInstalled() {
  if (!existsSync(installedLockfile)) return false;
  const installed = packagesOf(installedLockfile);
  const wanted = Object.entries(packagesOf(join(root, "package-lock.json"))).filter(([path]) => path !== "");
  return wanted.every(([path, locked]) =>
    installed[path] === undefined ? mayBeAbsent(locked) : installed[path].version === locked.version,
  );
}

/** The machine's own npm and node: those in node_modules/.bin are about to be replaced. */
function pathWithoutProject() {
  const outside = (process.env.PATH ?? "")
    .split(delimiter)
    .filter((folder) => !folder.includes(`node_modules${sep}.bin`));
  return outside.join(delimiter);
}

function install() {
  const startedAt = performance.now();
  console.error("installing dependencies (about half a minute) …");
  const { status, error } = spawnSync(
    "npm",
    ["ci", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"],
    {
      cwd: root,
      env: { ...process.env, PATH: pathWithoutProject() },
      stdio: ["ignore", "ignore", "inherit"],
    },
  );
  if (error !== undefined || status !== 0) {
    console.error(`npm ci failed${error === undefined ? ` with exit code ${status}` : `: ${error.message}`}`);
    process.exit(1);
  }
  console.error(`dependencies installed in ${Math.round((performance.now() - startedAt) / 1000)} s`);
}

/** The admin's TypeScript settings are written by its framework, and tests need them as much as builds do. */
function prepareAdmin() {
  const admin = join(root, "admin");
  if (existsSync(join(admin, ".svelte-kit", "tsconfig.json"))) return;
  const tool = join(root, "node_modules", "@sveltejs", "kit", "svelte-kit.js");
  const { status, error } = spawnSync(process.execPath, [tool, "sync"], {
    cwd: admin,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (error !== undefined || status !== 0) {
    console.error(
      `svelte-kit sync failed${error === undefined ? ` with exit code ${status}` : `: ${error.message}`}`,
    );
    process.exit(1);
  }
}

if (!isInstalled()) install();
prepareAdmin();
