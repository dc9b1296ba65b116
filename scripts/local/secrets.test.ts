import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ensureSecrets } from "./secrets.ts";

let stateDir = "";
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), "edge-relay-secrets-"));
});
afterEach(() => {
  rmSync(stateDir, { recursive: true });
});

describe("ensureSecrets", () => {
  it("makes secrets that only the owner can read", () => {
    const secrets = ensureSecrets(stateDir, {});
    expect(secrets).toMatchObject({ isNew: true, adminUsername: "admin", lostKeys: false });
    expect(statSync(secrets.path).mode & 0o777).toBe(0o600);
    expect(
      Buffer.from(secrets.variables["ENCRYPTION_KEYS"]?.replace("k1:", "") ?? "", "base64"),
    ).toHaveLength(32);
  });

  it("keeps them on the next boot", () => {
    const first = ensureSecrets(stateDir, {});
    expect(ensureSecrets(stateDir, {})).toEqual({ ...first, isNew: false });
  });

  it("lets a preset win, keeps it, and leaves the keys alone", () => {
    const first = ensureSecrets(stateDir, {});
    const preset = ensureSecrets(stateDir, { username: "ann", password: "it's $ecret" });
    expect(preset).toMatchObject({ adminUsername: "ann", adminPassword: "it's $ecret" });
    expect(ensureSecrets(stateDir, {}).adminPassword).toBe("it's $ecret");
    expect(preset.variables["ENCRYPTION_KEYS"]).toBe(first.variables["ENCRYPTION_KEYS"]);
  });

  it("keeps what an operator wrote and adds what is missing", () => {
    writeFileSync(join(stateDir, ".dev.vars"), "# my notes\nUPSTREAM_X=1\n");
    const secrets = ensureSecrets(stateDir, {});
    expect(secrets.variables["UPSTREAM_X"]).toBe("1");
    expect(readFileSync(secrets.path, "utf8")).toMatch(/^# my notes\nUPSTREAM_X=1\nENCRYPTION_KEYS=k1:/);
  });

  it("tells when stored accounts were sealed with keys that are gone", () => {
    mkdirSync(join(stateDir, "v3"));
    expect(ensureSecrets(stateDir, {}).lostKeys).toBe(true);
  });

  it("gives two state directories different keys", () => {
    const other = ensureSecrets(join(stateDir, "other"), {});
    expect(other.variables["ENCRYPTION_KEYS"]).not.toBe(
      ensureSecrets(stateDir, {}).variables["ENCRYPTION_KEYS"],
    );
  });
});
