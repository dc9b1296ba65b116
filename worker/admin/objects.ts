/** The objects that the admin API configures. */
import type { AccountContract } from "../../durable-objects/account/contract.ts";
import type { CaptureContract } from "../../durable-objects/capture/contract.ts";
import type { KeyContract } from "../../durable-objects/key/contract.ts";
import type { ProxyContract } from "../../durable-objects/proxy/contract.ts";
import type { AccountId, KeyId, ProxyId } from "../domain/ids.ts";
import type { Env } from "../env.ts";

export const accountObject = (env: Env, id: AccountId): AccountContract =>
  env.ACCOUNTS.get(env.ACCOUNTS.idFromName(id));
export const keyObject = (env: Env, id: KeyId): KeyContract => env.KEYS.get(env.KEYS.idFromName(id));
export const proxyObject = (env: Env, id: ProxyId): ProxyContract =>
  env.PROXIES.get(env.PROXIES.idFromName(id));
export const captureObject = (env: Env, id: KeyId): CaptureContract =>
  env.CAPTURES.get(env.CAPTURES.idFromName(id));
