/** Runs the whole product on this machine: the relay and, when asked, the admin, over one state directory. */
import { globSync, mkdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { buildAdmin } from "./admin-build.ts";
import { envFileForWrangler } from "./env-file.ts";
import { freePort } from "./ports.ts";
import { type Child, ChildFailure, runToEnd, startChild } from "./processes.ts";
import { ADMIN_DIR, DEFAULT_STATE_DIR, QUIET_WRANGLER, ROOT, tool } from "./project.ts";
import { ensureSecrets, type LocalSecrets } from "./secrets.ts";

const HOST = "127.0.0.1";
const READY_POLL_MS = 100;
/** A request that came in while a server was starting may never be answered; the next one is. */
const READY_ANSWER_TIMEOUT_MS = 5_000;
/** A first start compiles everything, on a machine that may be busy with other things. */
const READY_TIMEOUT_MS = 120_000;

export interface StackOptions {
  /** 0 chooses a free port. */
  readonly port: number;
  readonly adminPort: number;
  readonly stateDir?: string;
  /** Variables of the Worker, over those of `.dev.vars`; ADMIN_USERNAME and ADMIN_PASSWORD are kept there. */
  readonly env?: Readonly<Record<string, string>>;
  /** Also build and serve the admin. */
  readonly admin: boolean;
  /** Receives what the processes print once they serve; silent without it. */
  readonly log?: (line: string) => void;
  /** Told of each step before it is done. */
  readonly progress?: (step: string) => void;
  /** Gives up the start and stops what runs already. */
  readonly signal?: AbortSignal;
}

export interface Stack {
  readonly relayUrl: string;
  readonly adminUrl: string | null;
  readonly adminUsername: string;
  readonly adminPassword: string;
  /** Rejects when a process ends that nobody asked to end; the rest has been killed by then. */
  readonly failed: Promise<never>;
  /** Stops every process and resolves when all have ended. */
  stop(): Promise<void>;
  /** Kills every process at once, to see what a crash leaves behind. */
  kill(): Promise<void>;
}

/** Waits until a GET is answered as it should be. */
async function answers(url: string, accept: (status: number) => boolean, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const patience = AbortSignal.any([signal, AbortSignal.timeout(READY_ANSWER_TIMEOUT_MS)]);
    const response = await fetch(url, { redirect: "manual", signal: patience }).catch(() => null);
    await response?.body?.cancel();
    if (response !== null && accept(response.status)) return;
    await sleep(READY_POLL_MS, undefined, { signal }).catch(() => undefined);
  }
  throw new Error(`${url} did not answer as it should: ${String(signal.reason)}`);
}

interface Place {
  readonly stateDir: string;
  readonly port: number;
  readonly adminPort: number;
  readonly env: Readonly<Record<string, string | undefined>>;
}

async function migrate(place: Place, signal: AbortSignal | undefined): Promise<void> {
  if (globSync("migrations/*.sql", { cwd: ROOT }).length === 0) return;
  const target = ["--local", "--persist-to", place.stateDir, "--config", "wrangler.toml"];
  const command = [tool("wrangler"), "d1", "migrations", "apply", "DB", ...target];
  await runToEnd("the database migration", command, { cwd: ROOT, env: place.env, signal });
}

/** The settings of one boot, for the Worker only: on the command line everyone on the machine could read them. */
function writeWorkerEnv(place: Place, secrets: LocalSecrets, env: Readonly<Record<string, string>>): string {
  const path = join(place.stateDir, "worker.env");
  const variables = { ALLOW_PRIVATE_UPSTREAMS: "true", ...secrets.variables, ...env };
  writeFileSync(path, envFileForWrangler(variables), { mode: 0o600 });
  return path;
}

const serve = (port: number, place: Place): string[] => [
  ...["--ip", HOST, "--port", String(port), "--inspector-port", "0"],
  ...["--persist-to", place.stateDir, "--show-interactive-dev-session=false"],
];

type OnLine = (line: string) => void;

function startRelay(place: Place, envFile: string, onLine: OnLine): Child {
  const command = [tool("wrangler"), "dev", "--config", "wrangler.toml", "--env-file", envFile];
  return startChild("the relay", [...command, ...serve(place.port, place)], {
    cwd: ROOT,
    env: place.env,
    onLine,
  });
}

function startAdmin(place: Place, onLine: OnLine): Child {
  // The admin shows people what to set their clients to.
  const binding = ["--binding", `RELAY_URL=http://${HOST}:${String(place.port)}`];
  const command = [tool("wrangler"), "pages", "dev", ...serve(place.adminPort, place), ...binding];
  return startChild("the admin", command, { cwd: ADMIN_DIR, env: place.env, onLine });
}

/** Drops wrangler's own access log and empty lines; what is left was printed by the code. */
const isWorthReading = (line: string): boolean => line.trim() !== "" && !line.startsWith("[wrangler:info]");

async function findPlace(options: StackOptions): Promise<Place> {
  const stateDir = resolve(ROOT, options.stateDir ?? DEFAULT_STATE_DIR);
  const port = await freePort(options.port, "PORT");
  const adminPort = options.admin ? await freePort(options.adminPort, "ADMIN_PORT") : options.adminPort;
  mkdirSync(stateDir, { recursive: true });
  // The registry is how the admin finds the relay; a private one keeps two stacks from finding each other's.
  const env = { ...process.env, ...QUIET_WRANGLER, WRANGLER_REGISTRY_PATH: join(stateDir, "registry") };
  return { stateDir, port, adminPort, env };
}

/** The processes of a stack as one: they end together. */
function bundle(children: readonly Child[]) {
  let isStopping = false;
  const failed = Promise.race(
    children.map(async (child): Promise<never> => {
      const exitCode = await child.exited;
      if (isStopping) return new Promise<never>(() => undefined);
      isStopping = true;
      for (const other of children) other.kill();
      throw new ChildFailure(child, exitCode);
    }),
  );
  // Whoever cares awaits `failed`; a stack that nobody watches must not end the program that started it.
  failed.catch(() => undefined);
  return {
    failed,
    async stop() {
      isStopping = true;
      await Promise.all(children.map((child) => child.stop()));
    },
    async kill() {
      isStopping = true;
      for (const child of children) child.kill();
      await Promise.all(children.map((child) => child.exited));
    },
  };
}

/** Starts a stack and resolves when it serves requests. Throws, with nothing left running, when it cannot. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const place = await findPlace(options);
  const preset = { username: options.env?.["ADMIN_USERNAME"], password: options.env?.["ADMIN_PASSWORD"] };
  const secrets = ensureSecrets(place.stateDir, preset);
  announce(secrets, options);

  options.progress?.("applying the database migrations");
  await migrate(place, options.signal);
  if (options.admin) await buildAdmin({ signal: options.signal, progress: options.progress });

  options.progress?.("starting");
  let isServing = false;
  const reader = (name: string) => (line: string) => {
    if (isServing && isWorthReading(line)) options.log?.(`${name} | ${line}`);
  };
  const children = [startRelay(place, writeWorkerEnv(place, secrets, options.env ?? {}), reader("relay"))];
  if (options.admin) children.push(startAdmin(place, reader("admin")));
  const processes = bundle(children);

  const relayUrl = `http://${HOST}:${String(place.port)}`;
  const adminUrl = options.admin ? `http://${HOST}:${String(place.adminPort)}` : null;
  const over = new AbortController();
  const giveUp = AbortSignal.any([
    over.signal,
    AbortSignal.timeout(READY_TIMEOUT_MS),
    ...(options.signal ? [options.signal] : []),
  ]);
  const ready = Promise.all([
    answers(`${relayUrl}/health`, (status) => status === 200, giveUp),
    adminUrl === null ? null : answers(adminUrl, (status) => status < 500, giveUp),
  ]);
  try {
    await Promise.race([ready, processes.failed]);
  } catch (error) {
    over.abort();
    await Promise.allSettled([ready, processes.kill()]);
    throw error;
  }
  isServing = true;
  return {
    relayUrl,
    adminUrl,
    adminUsername: secrets.adminUsername,
    adminPassword: secrets.adminPassword,
    ...processes,
  };
}

function announce(secrets: LocalSecrets, options: StackOptions): void {
  if (secrets.lostKeys) {
    options.progress?.(
      "warning: the accounts stored here were sealed with keys that are gone; add them again",
    );
  }
  if (!secrets.isNew) return;
  const isPreset = options.env?.["ADMIN_PASSWORD"] !== undefined;
  options.progress?.(`admin user:     ${secrets.adminUsername}`);
  options.progress?.(`admin password: ${isPreset ? "as given in ADMIN_PASSWORD" : secrets.adminPassword}`);
  options.progress?.(`both are kept in ${relative(ROOT, secrets.path)}`);
}
