/** What an admin's entry of a proxy comes to: what D1 keeps of it, and the password, which only the object gets. */
import { RelayError } from "../domain/errors.ts";
import { isSamePlace, type Proxy, type ProxyConfig, type ProxyInput } from "../domain/proxy.ts";

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

/** A proxy that no account has yet, ready to be used. @throws RelayError when there is a user without a password */
export function newProxy(entered: ProxyInput | null): Proxy | null {
  const { config, password } = enteredProxy(entered, null);
  return config === null ? null : { ...config, password };
}
