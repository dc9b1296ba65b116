/** Asks Cloudflare, through wrangler, what exists, and runs wrangler for the operator to watch. */
import { spawn } from "node:child_process";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import { join } from "node:path";
import { z } from "zod";
import { QUIET_WRANGLER, ROOT, tool } from "../local/project.ts";
import { type Deployed, PAGES_NAME, STORE_NAME, WORKER_NAME } from "./plan.ts";

const kvSchema = z.array(z.object({ id: z.string(), title: z.string() }));
const databasesSchema = z.array(z.object({ uuid: z.string(), name: z.string() }));
const secretsSchema = z.array(z.object({ name: z.string() }));
const pagesSchema = z.array(z.object({ "Project Name": z.string() }));

/** Cloudflare's error code for a Worker that does not exist yet: the one reason for which secrets cannot be listed. */
const NO_SUCH_WORKER = "10007";

interface Answer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ask(args: readonly string[]): Promise<Answer> {
  const env = { ...process.env, ...QUIET_WRANGLER };
  const child = spawn(tool("wrangler"), args, { cwd: ROOT, env, stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, [exitCode]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { exitCode: exitCode ?? 1, stdout, stderr };
}

/** The parsed JSON of a listing. Throws rather than guess: a listing taken for empty would create things twice. */
async function list<Row>(schema: z.ZodType<Row[]>, args: readonly string[]): Promise<Row[]> {
  const answer = await ask(args);
  if (answer.exitCode !== 0)
    throw new Error(`wrangler ${args.join(" ")} failed:\n${answer.stderr}${answer.stdout}`);
  return schema.parse(JSON.parse(answer.stdout));
}

/**
 * The names of the Worker's secrets. Only Cloudflare's own word that there is no such Worker counts as "none": any
 * other failure taken for that would replace ENCRYPTION_KEYS and with it lose every account.
 */
async function secretNames(): Promise<string[]> {
  const args = ["secret", "list", "--name", WORKER_NAME, "--format", "json"];
  const answer = await ask(args);
  if (answer.exitCode === 0)
    return secretsSchema.parse(JSON.parse(answer.stdout)).map((secret) => secret.name);
  const output = `${answer.stderr}${answer.stdout}`;
  if (output.includes(`code: ${NO_SUCH_WORKER}`)) return [];
  throw new Error(`wrangler ${args.join(" ")} failed:\n${output}`);
}

export async function isLoggedIn(): Promise<boolean> {
  return (await ask(["whoami", "--json"])).exitCode === 0;
}

/** What exists on the operator's Cloudflare account. */
export async function inspect(): Promise<Deployed> {
  const namespaces = await list(kvSchema, ["kv", "namespace", "list"]);
  const databases = await list(databasesSchema, ["d1", "list", "--json"]);
  const projects = await list(pagesSchema, ["pages", "project", "list", "--json"]);
  return {
    kvId: namespaces.find((namespace) => namespace.title === STORE_NAME)?.id ?? null,
    databaseId: databases.find((database) => database.name === STORE_NAME)?.uuid ?? null,
    secretNames: await secretNames(),
    hasPagesProject: projects.some((project) => project["Project Name"] === PAGES_NAME),
  };
}

/** Runs wrangler with its output on the terminal; throws when it fails. */
export async function runWrangler(args: readonly string[], folder: string): Promise<void> {
  const env = { ...process.env, ...QUIET_WRANGLER };
  const child = spawn(tool("wrangler"), args, {
    cwd: join(ROOT, folder),
    env,
    stdio: ["ignore", "inherit", "inherit"],
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  if (exitCode !== 0) throw new Error(`wrangler ${args.join(" ")} failed with exit code ${String(exitCode)}`);
}
