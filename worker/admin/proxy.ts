/** What an admin's entry of a proxy comes to: what D1 keeps of it, and the password, which only the object gets. */
import { RelayError } from "../domain/errors.ts";
import type { ProxyId } from "../domain/ids.ts";
import { isSamePlace, type Proxy, type ProxyConfig, type ProxyInput } from "../domain/proxy.ts";
import type { Env } from "../env.ts";
import { proxyObject } from "./objects.ts";

export interface EnteredProxy {
  readonly config: ProxyConfig | null;
  /** null: the stored one stays, if there is to be one. */
  readonly password: string | null;
}

/**
 * @param entered undefined: as before; null: none any more
 * @throws RelayError when there is a user without a password
 */
export function enteredProxy(
  entered: ProxyInput | null | undefined,
  before: ProxyConfig | null,
): EnteredProxy {
  if (entered === undefined) return { config: before, password: null };
  if (entered === null) return { config: null, password: null };
  const { password, ...place } = entered;
  if (password !== null) return { config: { ...place, hasPassword: true }, password };
  const keepsPassword = before?.hasPassword === true && isSamePlace(before, place);
  if (place.username !== null && !keepsPassword) {
    throw new RelayError("invalid_request", "proxy.password: is missing beside the user name");
  }
  return { config: { ...place, hasPassword: keepsPassword }, password: null };
}

/** What an admin may say of an account's proxy: one of its own, or a shared one by its id. */
interface ProxyChoice {
  readonly proxy?: ProxyInput | null | undefined;
  readonly proxyId?: ProxyId | null | undefined;
}

/** What an account has: with an id, `proxy` is a copy of the shared one. */
interface HadProxy {
  readonly proxy: ProxyConfig | null;
  readonly proxyId: ProxyId | null;
}

export type ChosenProxy = EnteredProxy & { readonly proxyId: ProxyId | null };

/** @throws RelayError when there is no such shared proxy, or both are chosen, or a password is missing */
export async function chosenProxy(
  env: Env,
  { proxy, proxyId }: ProxyChoice,
  before: HadProxy,
): Promise<ChosenProxy> {
  const own = proxyId !== null && isAsShown(proxy, before) ? undefined : proxy;
  const wanted = proxyId === undefined && own === undefined ? before.proxyId : (proxyId ?? null);
  if (wanted === null) {
    const isShared = before.proxyId !== null;
    const { config, password } = enteredProxy(isShared ? (own ?? null) : own, isShared ? null : before.proxy);
    return { config, password, proxyId: null };
  }
  if (own !== undefined && own !== null) {
    throw new RelayError("invalid_request", "proxy: choose either a proxy of its own or proxyId, not both");
  }
  if (wanted === before.proxyId) return { config: before.proxy, password: null, proxyId: wanted };
  const { password, ...config } = await sharedProxy(env, wanted);
  return { config, password, proxyId: wanted };
}

/** A form that shows a shared proxy sends it back as it is: that chooses nothing. */
const isAsShown = (proxy: ProxyChoice["proxy"], before: HadProxy): boolean =>
  before.proxyId !== null &&
  before.proxy !== null &&
  proxy?.password === null &&
  isSamePlace(proxy, before.proxy);

async function sharedProxy(env: Env, id: ProxyId): Promise<Proxy> {
  const proxy = await proxyObject(env, id).current();
  if (proxy === null) throw new RelayError("invalid_request", "proxyId: there is no such proxy");
  return proxy;
}

/** What the calls of an account that does not exist yet go through. @throws as `chosenProxy` does */
export async function newProxy(env: Env, choice: ProxyChoice): Promise<Proxy | null> {
  const { config, password } = await chosenProxy(env, choice, { proxy: null, proxyId: null });
  return config === null ? null : { ...config, password };
}
