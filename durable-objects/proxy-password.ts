/** A proxy's password: sealed at rest in the object that the proxy belongs to, an account or the proxy itself. */
import { z } from "zod";
import { isSamePlace, type Proxy, type ProxyConfig } from "../worker/domain/proxy.ts";
import { keyIdOf, type Keyring, type Sealed } from "../worker/storage/seal.ts";

const ROW = "proxyPassword";

interface Surroundings {
  readonly storage: SyncKvStorage;
  readonly keyring: Keyring;
  readonly owner: string;
}

/** What the password is sealed for: it does not open as the account's credential, nor the other way round. */
const sealedFor = (owner: string): string => `${owner}/proxy`;

const stored = z
  .string()
  .transform((text) => text as Sealed)
  .optional();

/** Which key it is sealed with; null: none is stored. */
export function proxyKeyId(storage: SyncKvStorage): string | null {
  const sealed = stored.parse(storage.get(ROW));
  return sealed === undefined ? null : keyIdOf(sealed);
}

/** The configured proxy with its stored password; sealed anew if the keyring has a newer key. null: there is no proxy. */
export async function loadProxy(
  surroundings: Surroundings,
  config: ProxyConfig | null,
): Promise<Proxy | null> {
  const { storage, keyring, owner } = surroundings;
  if (config === null) return null;
  const sealed = config.hasPassword ? stored.parse(storage.get(ROW)) : undefined;
  if (sealed === undefined) return { ...config, password: null };
  const { plaintext, stale } = await keyring.open(sealed, sealedFor(owner));
  const proxy = { ...config, password: plaintext };
  if (stale) await storeProxy(surroundings, proxy);
  return proxy;
}

/** Keeps the password of the proxy, and none where it has none. */
export async function storeProxy(
  { storage, keyring, owner }: Surroundings,
  proxy: Proxy | null,
): Promise<void> {
  if (proxy === null || proxy.password === null) {
    storage.delete(ROW);
    return;
  }
  storage.put(ROW, await keyring.seal(proxy.password, sealedFor(owner)));
}

/**
 * A configured proxy with the password that came with it, or with the one that is known.
 *
 * @returns undefined where the configuration speaks of a password that nobody has
 */
export function completed(
  config: ProxyConfig | null,
  password: string | null,
  known: Proxy | null,
): Proxy | null | undefined {
  if (config === null) return null;
  if (!config.hasPassword) return { ...config, password: null };
  const kept = known !== null && isSamePlace(known, config) ? known.password : null;
  const found = password ?? kept;
  return found === null ? undefined : { ...config, password: found };
}
