/** What may be asked of a shared proxy's object, which keeps its password. Decisions come back as values. */
import type { ProxyId } from "../../worker/domain/ids.ts";
import type { Proxy, ProxyConfig } from "../../worker/domain/proxy.ts";

export type ConfigureResult =
  { readonly kind: "ok"; readonly proxy: Proxy } | { readonly kind: "invalid"; readonly message: string };

export interface ProxyContract {
  /** @param password null: the stored one stays, if it is the same user of the same proxy */
  configure(id: ProxyId, config: ProxyConfig, password: string | null): Promise<ConfigureResult>;
  /** With its password; null: nothing is stored. */
  current(): Promise<Proxy | null>;
  /** Which keys its password is sealed with, after it was sealed with the newest if it could be opened. */
  keysInUse(): Promise<readonly string[]>;
  erase(): Promise<void>;
}
