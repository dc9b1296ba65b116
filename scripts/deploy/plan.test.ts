import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../local/project.ts";
import { deploymentConfig } from "./config.ts";
import { type Deployed, NOTHING, planDeployment, SECRET_NAMES, type Step } from "./plan.ts";

const COMPLETE: Deployed = {
  kvId: "kv-id",
  databaseId: "database-id",
  secretNames: SECRET_NAMES,
  hasPagesProject: true,
};

const commands = (steps: readonly Step[]): string[] =>
  steps.map((step) => (step.kind === "wrangler" ? step.args.slice(0, 3).join(" ") : step.kind));

describe("planDeployment", () => {
  it("makes everything the first time, the relay before the admin that binds it", () => {
    expect(commands(planDeployment(NOTHING, []))).toEqual([
      "kv namespace create",
      "d1 create edge-relay",
      "write-config",
      "d1 migrations apply",
      "write-secrets",
      "deploy --config .wrangler/deploy.toml",
      "pages project create",
      "build-admin",
      "pages deploy --branch",
    ]);
  });

  it("creates nothing and touches no secret the second time", () => {
    expect(commands(planDeployment(COMPLETE, []))).toEqual([
      "write-config",
      "d1 migrations apply",
      "deploy --config .wrangler/deploy.toml",
      "build-admin",
      "pages deploy --branch",
    ]);
  });

  it("uploads a missing secret alone", () => {
    const steps = planDeployment({ ...COMPLETE, secretNames: SECRET_NAMES.slice(0, 3) }, []);
    expect(steps.find((step) => step.kind === "write-secrets")?.names).toEqual(["ADMIN_PASSWORD"]);
  });

  it("uploads a secret again when the operator gives it, and never another", () => {
    const steps = planDeployment(COMPLETE, ["ADMIN_PASSWORD"]);
    expect(steps.find((step) => step.kind === "write-secrets")?.names).toEqual(["ADMIN_PASSWORD"]);
  });
});

describe("deploymentConfig", () => {
  it("fills the ids into the wrangler.toml of this project", () => {
    const source = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
    const config = deploymentConfig(source, { kvId: "kv-id", databaseId: "database-id" });
    expect(config).toContain(`binding = "KV"\nid = "kv-id"\n`);
    expect(config).toContain(`binding = "DB"\ndatabase_id = "database-id"\n`);
    expect(config).toContain(`\nmain = "../worker/index.ts"\n`);
    expect(config).toContain(`\nmigrations_dir = "../migrations"\n`);
  });

  it("refuses a file in which it cannot place an id", () => {
    expect(() => deploymentConfig("name = 'x'\n", { kvId: "a", databaseId: "b" })).toThrow("exactly once");
  });
});
