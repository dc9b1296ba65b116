/**
 * The secrets of a deployment. Cloudflare never shows a secret again, and a new encryption key is added in front of
 * the old ones, so what is generated here stays in a file that the operator moves to a safe place.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { newEncryptionKeys, newPassword, newSessionSecret } from "../local/secrets.ts";
import { ROOT } from "../local/project.ts";
import { SECRET_NAMES, type SecretName, SECRETS_PATH, UPLOAD_PATH } from "./plan.ts";

const OWNER_ONLY = 0o600;

type Values = Readonly<Record<string, string | undefined>>;

const GENERATE = {
  ENCRYPTION_KEYS: newEncryptionKeys,
  SESSION_SECRET: newSessionSecret,
  ADMIN_USERNAME: () => "admin",
  ADMIN_PASSWORD: newPassword,
} as const satisfies Record<SecretName, () => string>;

/** The secrets that the operator's environment gives a value. */
export function givenSecrets(environment: Values): SecretName[] {
  return SECRET_NAMES.filter((name) => (environment[name] ?? "") !== "");
}

function read(path: string): Record<string, string> {
  if (!existsSync(path)) return {};
  return z.record(z.string(), z.string()).parse(JSON.parse(readFileSync(path, "utf8")));
}

function write(path: string, values: Values): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(values, null, 2)}\n`, { mode: OWNER_ONLY });
}

/** Writes the file to upload, with given values, else those of an earlier run, else new ones; and keeps a copy. */
export function writeSecrets(names: readonly SecretName[], environment: Values, root: string = ROOT): void {
  const kept = read(join(root, SECRETS_PATH));
  const given = givenSecrets(environment);
  const upload: Record<string, string> = {};
  for (const name of names) {
    const value = given.includes(name) ? environment[name] : kept[name];
    upload[name] = value ?? GENERATE[name]();
  }
  write(join(root, SECRETS_PATH), { ...kept, ...upload });
  write(join(root, UPLOAD_PATH), upload);
}

export function removeUpload(): void {
  rmSync(join(ROOT, UPLOAD_PATH), { force: true });
}
