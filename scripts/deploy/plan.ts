/** What a deployment has to do, given what is there already. Pure. */

export const WORKER_NAME = "edge-relay";
export const PAGES_NAME = "edge-relay-admin";
/** Both the KV namespace and the D1 database are found by this name on every run. */
export const STORE_NAME = "edge-relay";
export const PRODUCTION_BRANCH = "main";

export const SECRET_NAMES = [
  "ENCRYPTION_KEYS",
  "SESSION_SECRET",
  "ADMIN_USERNAME",
  "ADMIN_PASSWORD",
] as const;
export type SecretName = (typeof SECRET_NAMES)[number];

/** Relative to the project root; all are ignored by git. */
export const CONFIG_PATH = ".wrangler/deploy.toml";
/** Every secret that a deployment from here ever set; the operator's own copy. */
export const SECRETS_PATH = ".wrangler/deploy-secrets.json";
/** The secrets that this deployment sets; gone when it ends. */
export const UPLOAD_PATH = ".wrangler/deploy-upload.json";

/** What exists on Cloudflare before a deployment. */
export interface Deployed {
  readonly kvId: string | null;
  readonly databaseId: string | null;
  readonly secretNames: readonly string[];
  readonly hasPagesProject: boolean;
}

export const NOTHING: Deployed = { kvId: null, databaseId: null, secretNames: [], hasPagesProject: false };

export type Step =
  | {
      readonly kind: "wrangler";
      readonly title: string;
      readonly folder: "." | "admin";
      readonly args: readonly string[];
    }
  | { readonly kind: "write-config"; readonly title: string }
  | { readonly kind: "write-secrets"; readonly title: string; readonly names: readonly SecretName[] }
  | { readonly kind: "build-admin"; readonly title: string };

const wrangler = (title: string, args: readonly string[], folder: "." | "admin" = "."): Step => {
  return { kind: "wrangler", title, folder, args };
};

/**
 * The secrets to upload: those that are missing, and those that the operator gives a value. The rest stays as it
 * is: a new ENCRYPTION_KEYS would make every stored credential unreadable.
 */
export function secretsToUpload(deployed: Deployed, given: readonly SecretName[]): SecretName[] {
  return SECRET_NAMES.filter((name) => !deployed.secretNames.includes(name) || given.includes(name));
}

/** The steps of a deployment in order. Each may be repeated; those that are already done are left out. */
export function planDeployment(deployed: Deployed, given: readonly SecretName[]): Step[] {
  const secrets = secretsToUpload(deployed, given);
  const steps: Step[] = [];

  if (deployed.kvId === null) {
    steps.push(wrangler("create the KV namespace", ["kv", "namespace", "create", STORE_NAME]));
  }
  if (deployed.databaseId === null) {
    steps.push(wrangler("create the D1 database", ["d1", "create", STORE_NAME]));
  }
  steps.push({ kind: "write-config", title: `write ${CONFIG_PATH}: wrangler.toml with the ids of both` });
  steps.push(
    wrangler("migrate the database", [
      "d1",
      "migrations",
      "apply",
      "DB",
      "--remote",
      "--config",
      CONFIG_PATH,
    ]),
  );

  if (secrets.length > 0) {
    const title = `write ${SECRETS_PATH} (readable by you only): ${secrets.join(", ")}`;
    steps.push({ kind: "write-secrets", title, names: secrets });
  }
  const secretsFile = secrets.length > 0 ? ["--secrets-file", UPLOAD_PATH] : [];
  const title = "deploy the relay: Worker, Durable Objects, cron trigger, secrets";
  steps.push(wrangler(title, ["deploy", "--config", CONFIG_PATH, ...secretsFile]));

  if (!deployed.hasPagesProject) {
    const branch = ["--production-branch", PRODUCTION_BRANCH];
    steps.push(
      wrangler("create the Pages project", ["pages", "project", "create", PAGES_NAME, ...branch], "admin"),
    );
  }
  steps.push({ kind: "build-admin", title: "build the admin" });
  // The branch decides whether a deployment is production; the one checked out here may have any name.
  const pagesDeploy = ["pages", "deploy", "--branch", PRODUCTION_BRANCH, "--commit-dirty=true"];
  steps.push(wrangler("deploy the admin with its service binding to the relay", pagesDeploy, "admin"));
  return steps;
}
