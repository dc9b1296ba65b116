/**
 * `npm run deploy`: brings everything to the operator's Cloudflare account, and may be repeated at will.
 * `npm run deploy -- --dry-run` shows the commands of a first deployment without asking Cloudflare anything.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect, isLoggedIn, runWrangler } from "./deploy/cloudflare.ts";
import { deploymentConfig } from "./deploy/config.ts";
import { CONFIG_PATH, NOTHING, planDeployment, SECRETS_PATH, type Step } from "./deploy/plan.ts";
import { givenSecrets, removeUpload, writeSecrets } from "./deploy/secrets.ts";
import { buildAdmin } from "./local/admin-build.ts";
import { ROOT } from "./local/project.ts";

const LOGIN_HELP = `Not logged in to Cloudflare. Either set CLOUDFLARE_API_TOKEN to a token that may edit
Workers Scripts, Workers KV Storage, D1 and Cloudflare Pages, or run: npx wrangler login`;

function describe(step: Step): string {
  if (step.kind !== "wrangler") return step.title;
  const folder = step.folder === "." ? "" : `(cd ${step.folder}) `;
  return `${step.title}\n     ${folder}wrangler ${step.args.join(" ")}`;
}

async function writeConfig(): Promise<void> {
  const { kvId, databaseId } = await inspect();
  if (kvId === null || databaseId === null)
    throw new Error("the KV namespace or the D1 database cannot be found");
  const source = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  writeFileSync(join(ROOT, CONFIG_PATH), deploymentConfig(source, { kvId, databaseId }));
}

async function carryOut(step: Step): Promise<void> {
  switch (step.kind) {
    case "wrangler":
      return runWrangler(step.args, step.folder);
    case "write-config":
      return writeConfig();
    case "write-secrets":
      writeSecrets(step.names, process.env);
      return;
    case "build-admin":
      return buildAdmin();
  }
}

function showPlan(): void {
  console.log("A first deployment would do this; a later one leaves out what exists:");
  planDeployment(NOTHING, givenSecrets(process.env)).forEach((step, index) => {
    console.log(`${String(index + 1).padStart(3)}. ${describe(step)}`);
  });
}

async function deploy(): Promise<void> {
  if (!(await isLoggedIn())) throw new Error(LOGIN_HELP);
  const steps = planDeployment(await inspect(), givenSecrets(process.env));
  for (const [index, step] of steps.entries()) {
    console.log(`\n[${String(index + 1)}/${String(steps.length)}] ${describe(step)}`);
    await carryOut(step);
  }
  if (!steps.some((step) => step.kind === "write-secrets")) return;
  console.log(
    `\nThe secrets, with the admin's password, are in ${SECRETS_PATH}. Move it to a safe place: Cloudflare`,
  );
  console.log("does not show secrets again, and without ENCRYPTION_KEYS no stored account can be read.");
}

try {
  if (process.argv.includes("--dry-run")) showPlan();
  else await deploy();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  removeUpload();
}
