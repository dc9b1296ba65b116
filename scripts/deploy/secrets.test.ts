import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { SECRET_NAMES, SECRETS_PATH, UPLOAD_PATH } from "./plan.ts";
import { writeSecrets } from "./secrets.ts";

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "edge-relay-deploy-"));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));

describe("writeSecrets", () => {
  it("generates what is missing, for the owner's eyes only", () => {
    writeSecrets(SECRET_NAMES, {}, root);
    expect(Object.keys(read(UPLOAD_PATH) as object)).toEqual([...SECRET_NAMES]);
    expect(statSync(join(root, UPLOAD_PATH)).mode & 0o777).toBe(0o600);
    expect(read(SECRETS_PATH)).toEqual(read(UPLOAD_PATH));
  });

  it("uploads only what is asked for and loses no key that it once made", () => {
    writeSecrets(SECRET_NAMES, {}, root);
    const first = read(SECRETS_PATH) as object;
    writeSecrets(["ADMIN_PASSWORD"], { ADMIN_PASSWORD: "a better one" }, root);
    expect(read(UPLOAD_PATH)).toEqual({ ADMIN_PASSWORD: "a better one" });
    expect(read(SECRETS_PATH)).toEqual({ ...first, ADMIN_PASSWORD: "a better one" });
  });

  it("gives a Worker that was deleted its old keys back", () => {
    writeSecrets(SECRET_NAMES, {}, root);
    const first = read(UPLOAD_PATH);
    writeSecrets(SECRET_NAMES, {}, root);
    expect(read(UPLOAD_PATH)).toEqual(first);
  });
});
