/**
 * Makes a test run's authority, and has workerd trust it. Miniflare reads the variable when it is loaded, so this is
 * called before it is.
 */
import { mkdtempSync, readFileSync, appendFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { writeCertificates } from "./certificates.ts";

const VARIABLE = "NODE_EXTRA_CA_CERTS";
const OWN_FOLDER = "EDGE_RELAY_TEST_CERTIFICATES";

export async function trustTestAuthority(): Promise<void> {
  if (process.env[OWN_FOLDER] !== undefined) return;
  const folder = mkdtempSync(join(tmpdir(), "edge-relay-ca-"));
  process.on("exit", () => {
    rmSync(folder, { recursive: true, force: true });
  });
  const file = await writeCertificates(folder);
  const others = process.env[VARIABLE];
  if (others !== undefined) appendFileSync(file, `\n${readFileSync(others, "utf8")}`);
  process.env[VARIABLE] = file;
  process.env[OWN_FOLDER] = dirname(file);
}

/** Where the test run's certificates are. */
export function certificateFolder(): string {
  const folder = process.env[OWN_FOLDER];
  if (folder === undefined) throw new Error("trustTestAuthority was not called");
  return folder;
}
