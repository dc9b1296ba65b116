/** Whether what the relay stands on answers: D1 and KV. Objects are not asked: there is one for each account and key. */
import type { Context } from "hono";
import type { EpochMs } from "../domain/ids.ts";
import { VERSION } from "../domain/version.ts";
import type { Env } from "../env.ts";

/** Whoever asks more often, or from many places at once, gets what the last look found. */
const KEPT_MS = 5000;
/** A monitor waits a few seconds itself. */
const TIMEOUT_MS = 2000;

type Check = "ok" | "failed";

export interface Health {
  readonly status: "ok" | "unavailable";
  readonly version: string;
  readonly checks: { readonly database: Check; readonly snapshots: Check };
}

/** What was thrown is not told: anybody may ask. */
async function check(look: () => Promise<unknown>): Promise<Check> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Check>((resolve) => {
    timer = setTimeout(resolve, TIMEOUT_MS, "failed");
  });
  const asked = async (): Promise<Check> => {
    await look();
    return "ok";
  };
  try {
    return await Promise.race([asked(), late]);
  } catch {
    return "failed";
  } finally {
    clearTimeout(timer);
  }
}

async function look(env: Env): Promise<Health> {
  const [database, snapshots] = await Promise.all([
    check(() => env.DB.prepare("SELECT 1").first()),
    check(() => env.KV.get("health")),
  ]);
  const isWell = database === "ok" && snapshots === "ok";
  return { status: isWell ? "ok" : "unavailable", version: VERSION, checks: { database, snapshots } };
}

const kept = new WeakMap<Env, { readonly health: Health; readonly at: EpochMs }>();

export async function healthOf(env: Env, now: EpochMs): Promise<Health> {
  const last = kept.get(env);
  if (last !== undefined && now - last.at < KEPT_MS) return last.health;
  const health = await look(env);
  kept.set(env, { health, at: now });
  return health;
}

export async function answerHealth(context: Context<{ Bindings: Env }>): Promise<Response> {
  const health = await healthOf(context.env, Date.now());
  context.header("cache-control", "no-store");
  return context.json(health, health.status === "ok" ? 200 : 503);
}
