/** Who asks for the public page: whoever holds a key. The key is the only proof; its id opens nothing. */
import type { Context } from "hono";
import type { KeyInspection } from "../../durable-objects/key/contract.ts";
import { RelayError } from "../domain/errors.ts";
import { networkOf } from "../domain/network.ts";
import type { KeySnapshot } from "../domain/key.ts";
import { settingDefaults } from "../env.ts";
import { authenticate } from "../relay/authenticate.ts";
import { askObject, type Ports } from "../relay/ports.ts";
import { portsOf, type AppEnv } from "../relay/routes.ts";
import { countTry, forgiveTry, subjectOf, type Patience } from "../storage/login-attempts.ts";
import { findSettings } from "../storage/settings.ts";
import type { SnapshotContext } from "../storage/snapshots.ts";

const MINUTE_MS = 60_000;
/** Of unknown keys from one address: nobody mistypes more often. */
const PATIENCE: Patience = { free: 20, waitMsMax: 15 * MINUTE_MS };

export interface Holder extends KeyInspection {
  readonly key: KeySnapshot;
  readonly ports: Ports;
  readonly snapshots: SnapshotContext;
  /** Of the deployment. */
  readonly timeZone: string;
  /** As the edge saw it. */
  readonly address: string;
}

const addressOf = (headers: Headers): string => headers.get("cf-connecting-ip") ?? "unknown";

export const tooMany = (waitMs: number) =>
  new RelayError("rate_limited", "Too many tries. Wait a while, then try again.", { retryAfterMs: waitMs });

/** The same for every key that is not, however it is not: by its form, by its text, deleted or rotated out. */
async function refusalOf(error: unknown, { env, now }: Ports, address: string): Promise<unknown> {
  if (!(error instanceof RelayError) || error.code !== "unauthenticated") return error;
  const waitMs = await countTry(env.DB, await subjectOf("page", networkOf(address)), PATIENCE, now());
  return waitMs === null ? error : tooMany(waitMs);
}

/** @throws RelayError `unauthenticated`, `rate_limited`; `not_found`: the page is switched off */
export async function holderOf(context: Context<AppEnv>): Promise<Holder> {
  const ports = portsOf(context);
  const { headers } = context.req.raw;
  const address = addressOf(headers);
  const snapshots = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const { publicPage, timeZone } = await findSettings(settingDefaults(ports.env), snapshots);
  if (!publicPage.enabled) throw new RelayError("not_found", "This page is switched off.");
  try {
    // Not from the query: pages and their addresses are shared.
    const key = await authenticate(headers, null, snapshots);
    const found = await askObject(() => ports.keyObject(key.id).inspect(key.fingerprint));
    if (found === null) throw new RelayError("unauthenticated", "Invalid API key");
    return { ...found, key, ports, snapshots, timeZone, address };
  } catch (error) {
    throw await refusalOf(error, ports, address);
  }
}

/** Codes that are guessed for one key, and from one address for many. */
const GUESSES = {
  "card-key": { free: 5, waitMsMax: 15 * MINUTE_MS },
  "card-address": { free: 20, waitMsMax: 15 * MINUTE_MS },
} as const satisfies Record<string, Patience>;

/** Counts a try before the code is looked at. @returns what forgives it */
export async function countGuess({ key, address, ports }: Holder): Promise<() => Promise<void>> {
  const { DB } = ports.env;
  const [ofKey, ofAddress] = [
    await subjectOf("card-key", key.id),
    await subjectOf("card-address", networkOf(address)),
  ];
  const tries = [
    [ofKey, GUESSES["card-key"]],
    [ofAddress, GUESSES["card-address"]],
  ] as const;
  for (const [subject, patience] of tries) {
    const waitMs = await countTry(DB, subject, patience, ports.now());
    if (waitMs !== null) throw tooMany(waitMs);
  }
  return () => forgiveTry(DB, [ofKey, ofAddress]);
}
