/**
 * The local secrets of one state directory. They seal what lies in that directory, so they live and die with it:
 * `.dev.vars` in the project root belongs to the default state, `<state>/.dev.vars` to any other.
 */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseEnv } from "node:util";
import { withVariable } from "./env-file.ts";
import { DEFAULT_STATE_DIR, ROOT } from "./project.ts";

const OWNER_ONLY = 0o600;
const HEADER =
  "# Secrets of the local relay. Without ENCRYPTION_KEYS the accounts stored beside it cannot be read.\n";

export interface LocalSecrets {
  /** Every variable of the file; what an operator added by hand is among them. */
  readonly variables: Readonly<Record<string, string>>;
  readonly adminUsername: string;
  readonly adminPassword: string;
  readonly path: string;
  /** True when this call made the file. */
  readonly isNew: boolean;
  /** True when the state was sealed with keys that are no longer there. */
  readonly lostKeys: boolean;
}

/** Presets of the administrator's name and password; they win over the file and are kept in it. */
export interface AdminPreset {
  readonly username?: string | undefined;
  readonly password?: string | undefined;
}

export const newEncryptionKeys = (): string => `k1:${randomBytes(32).toString("base64")}`;
export const newSessionSecret = (): string => randomBytes(32).toString("base64url");
/** 120 random bits, without the characters that a double click does not select. */
export const newPassword = (): string => randomBytes(15).toString("hex");

export const secretsPath = (stateDir: string): string =>
  join(stateDir === DEFAULT_STATE_DIR ? ROOT : stateDir, ".dev.vars");

/** Reads the secrets of a state directory and writes those that are missing or preset. */
export function ensureSecrets(stateDir: string, preset: AdminPreset): LocalSecrets {
  const path = secretsPath(stateDir);
  const isNew = !existsSync(path);
  const before = isNew ? HEADER : readFileSync(path, "utf8");
  const present = parseEnv(before);
  const required: Record<string, string> = {
    ENCRYPTION_KEYS: present["ENCRYPTION_KEYS"] ?? newEncryptionKeys(),
    SESSION_SECRET: present["SESSION_SECRET"] ?? newSessionSecret(),
    ADMIN_USERNAME: preset.username ?? present["ADMIN_USERNAME"] ?? "admin",
    ADMIN_PASSWORD: preset.password ?? present["ADMIN_PASSWORD"] ?? newPassword(),
  };

  let text = before;
  for (const [name, value] of Object.entries(required)) {
    if (present[name] !== value) text = withVariable(text, name, value);
  }
  if (text !== before || isNew) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: OWNER_ONLY });
  }
  return {
    variables: { ...(present as Record<string, string>), ...required },
    adminUsername: required["ADMIN_USERNAME"] ?? "",
    adminPassword: required["ADMIN_PASSWORD"] ?? "",
    path,
    isNew,
    lostKeys: present["ENCRYPTION_KEYS"] === undefined && existsSync(join(stateDir, "v3")),
  };
}
