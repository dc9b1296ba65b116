/** Where things are in this project, and the wrangler that belongs to it. */
import { join } from "node:path";

export const ROOT = join(import.meta.dirname, "../..");
export const ADMIN_DIR = join(ROOT, "admin");
export const DEFAULT_STATE_DIR = join(ROOT, ".wrangler/state");

/** The path of a tool that is installed with the project. */
export const tool = (name: string): string => join(ROOT, "node_modules/.bin", name);

/**
 * Environment in which wrangler opens no connection but to this machine, asks nothing and writes no log files.
 * Without it, it looks for updates, sends metrics and fetches a sample of request metadata.
 */
export const QUIET_WRANGLER: Readonly<Record<string, string>> = {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  WRANGLER_WRITE_LOGS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  NO_UPDATE_NOTIFIER: "1",
  NO_COLOR: "1",
  CI: "1",
};
