/** What the rooms may reach of the world: the clock, the objects, and work that outlives the answer. */
import type { AccountContract } from "../../durable-objects/account/contract.ts";
import type { CaptureContract } from "../../durable-objects/capture/contract.ts";
import type { KeyContract } from "../../durable-objects/key/contract.ts";
import type { AccountId, EpochMs, KeyId } from "../domain/ids.ts";
import { RelayError } from "../domain/errors.ts";
import type { Env, ObjectNamespace } from "../env.ts";
import { tickMsFor, Watch } from "./watch.ts";

export interface Ports {
  readonly env: Env;
  readonly now: () => EpochMs;
  /** Keeps the worker alive for work after the answer (30 s at most once the client is gone). */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** This request's time limits, and whether its client is still there. */
  readonly watch: Watch;
  readonly keyObject: (id: KeyId) => KeyContract;
  readonly accountObject: (id: AccountId) => AccountContract;
  readonly captureObject: (id: KeyId) => CaptureContract;
}

/** Object ids remembered: deriving one from a name costs a hash. */
const IDS_MAX = 5000;
const ids = new Map<string, DurableObjectId>();

function objectOf<Contract>(namespace: ObjectNamespace<Contract>, name: string): Contract {
  let id = ids.get(name);
  if (id === undefined) {
    if (ids.size >= IDS_MAX) ids.clear();
    id = namespace.idFromName(name);
    ids.set(name, id);
  }
  return namespace.get(id);
}

const now = () => Date.now();

export const createPorts = (env: Env, waitUntil: Ports["waitUntil"], clientGone: AbortSignal): Ports => ({
  env,
  now,
  waitUntil,
  watch: new Watch(
    clientGone,
    now,
    tickMsFor(Math.min(env.HEARTBEAT_MS, env.IDLE_TIMEOUT_MS, env.HEADERS_TIMEOUT_MS)),
  ),
  keyObject: (id) => objectOf(env.KEYS, id),
  accountObject: (id) => objectOf(env.ACCOUNTS, id),
  // Named as the key's own object is, so not remembered beside it.
  captureObject: (id) => env.CAPTURES.get(env.CAPTURES.idFromName(id)),
});

const isOverloaded = (error: unknown) =>
  error instanceof Error && "overloaded" in error && error.overloaded === true;

/**
 * Asks an object, and once more if it restarted in between: every question is idempotent by its request id. An
 * overloaded object is not asked again; that would make it worse.
 *
 * @throws RelayError `no_account_available`, to be tried again soon
 */
export async function askObject<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (first) {
    try {
      if (!isOverloaded(first)) return await ask();
    } catch {
      // The second failure says no more than the first.
    }
    const message = "The relay is restarting or overloaded. Try again in a moment.";
    throw new RelayError("no_account_available", message, { retryAfterMs: 1000, cause: first });
  }
}
