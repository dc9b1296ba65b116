/** Turns wrangler.toml into the configuration of one deployment. Pure. */

export interface StoreIds {
  readonly kvId: string;
  readonly databaseId: string;
}

/** Replaces exactly one line; a wrangler.toml that no longer has it must not be deployed half changed. */
function replaceLine(text: string, line: string, by: string): string {
  const parts = text.split(`\n${line}\n`);
  if (parts.length !== 2) throw new Error(`wrangler.toml must have the line ${line} exactly once`);
  return parts.join(`\n${by}\n`);
}

/** wrangler.toml with the ids filled in, for a file in a folder one level below the root. */
export function deploymentConfig(wranglerToml: string, ids: StoreIds): string {
  const edits: readonly (readonly [line: string, by: string])[] = [
    [`main = "worker/index.ts"`, `main = "../worker/index.ts"`],
    [`migrations_dir = "migrations"`, `migrations_dir = "../migrations"`],
    [`binding = "KV"`, `binding = "KV"\nid = "${ids.kvId}"`],
    [`binding = "DB"`, `binding = "DB"\ndatabase_id = "${ids.databaseId}"`],
  ];
  return edits.reduce((text, [line, by]) => replaceLine(text, line, by), wranglerToml);
}
