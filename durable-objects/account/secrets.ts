/** An account's secrets, its credential and its proxy's password: opened when the object wakes, replaced by people. */
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { Proxy } from "../../worker/domain/proxy.ts";
import { clientSecretsOf, networkOf, type Env } from "../../worker/env.ts";
import type { Dial } from "../../worker/net/dial.ts";
import { dialFor } from "../../worker/net/dialer.ts";
import { createTokenCall } from "../../worker/net/token-call.ts";
import { PROVIDERS } from "../../worker/providers/index.ts";
import type { Provider } from "../../worker/providers/provider.ts";
import { MissingKey, parseKeyring } from "../../worker/storage/seal.ts";
import { completed, loadProxy, proxyKeyId, storeProxy } from "../proxy-password.ts";
import { credentialKeyId, CredentialKeeper } from "./credential.ts";
import { readEntered } from "./entered-credential.ts";

export interface Entered {
  readonly config: AccountConfig;
  /** In the provider's schema, not yet parsed; null: the one that is stored stays. */
  readonly credential: unknown;
  /** null: the one that is stored stays. */
  readonly proxyPassword: string | null;
}

export type Replaced =
  | { readonly kind: "replaced"; readonly isCredentialNew: boolean }
  | { readonly kind: "invalid"; readonly message: string };

/** Told of what becomes of refreshes. */
export interface RefreshTeller {
  readonly failed: (config: AccountConfig, message: string, isRejected: boolean) => void;
  readonly works: (config: AccountConfig) => void;
}

const invalid = (message: string): Replaced => ({ kind: "invalid", message });

export class AccountSecrets {
  readonly #storage: SyncKvStorage;
  readonly #env: Env;
  readonly #tell: RefreshTeller;
  provider: Provider | null = null;
  /** null: no credential is stored, or it cannot be opened. */
  keeper: CredentialKeeper | null = null;
  /** What every call of the account goes through, with its password; null: none. */
  proxy: Proxy | null = null;
  /** Why they cannot be opened; null: they can. */
  lock: string | null = null;

  constructor(storage: SyncKvStorage, env: Env, tell: RefreshTeller) {
    this.#storage = storage;
    this.#env = env;
    this.#tell = tell;
  }

  /** What is stored stays as it is where its key is missing, and opens when the key is back. */
  async open(config: AccountConfig): Promise<void> {
    this.provider = PROVIDERS.get(config.provider) ?? null;
    try {
      const proxy = await loadProxy(await this.#vault(config), config.proxy);
      if (this.provider === null) return;
      this.keeper = await CredentialKeeper.load(await this.#surroundings(config, proxy), this.provider);
      this.proxy = proxy;
    } catch (error) {
      if (!(error instanceof MissingKey)) throw error;
      this.lock = `This account's credential or proxy password is ${error.message}.`;
    }
  }

  async replace({ config, credential, proxyPassword }: Entered): Promise<Replaced> {
    const provider = PROVIDERS.get(config.provider);
    if (provider === undefined) return invalid(`Unknown provider "${config.provider}".`);
    if (this.lock !== null && credential === null) return invalid(this.lock);
    const proxy = completed(config.proxy, proxyPassword, this.proxy);
    if (proxy === undefined) return invalid("proxy.password: enter it again");
    const surroundings = await this.#surroundings(config, proxy);
    const context = { ...surroundings.tokenCall, now: Date.now() };
    const entered = credential === null ? null : await readEntered(provider, credential, context);
    if (entered?.kind === "invalid") return entered;
    const keeper =
      entered === null
        ? await CredentialKeeper.load(surroundings, provider)
        : await CredentialKeeper.replace(surroundings, provider, entered.credential, this.keeper);
    if (keeper === null) return invalid("credential: is required");
    await storeProxy(surroundings, proxy);
    this.lock = null;
    this.proxy = proxy;
    this.keeper = keeper;
    this.provider = provider;
    return { kind: "replaced", isCredentialNew: entered !== null };
  }

  /** How the account's own calls go out. */
  get way(): { readonly dial: Dial; readonly allowPrivate: boolean } {
    const network = networkOf(this.#env);
    return { dial: dialFor(this.proxy, network), allowPrivate: network.allowPrivate };
  }

  /** Of the memory: what is stored goes with the object's storage. */
  forget(): void {
    this.keeper = null;
    this.proxy = null;
  }

  /** Opening seals anew what an older key sealed. */
  get keysInUse(): readonly string[] {
    const ids = [credentialKeyId(this.#storage), proxyKeyId(this.#storage)].filter((id) => id !== null);
    return [...new Set(ids)].sort();
  }

  /** Where they are, and what they are sealed with. */
  async #vault(config: AccountConfig) {
    const keyring = await parseKeyring(this.#env.ENCRYPTION_KEYS);
    return { storage: this.#storage, keyring, owner: config.id };
  }

  async #surroundings(config: AccountConfig, proxy: Proxy | null) {
    return {
      ...(await this.#vault(config)),
      now: () => Date.now(),
      sleep: (ms: number) => scheduler.wait(ms),
      failed: (message: string, isRejected: boolean) => {
        this.#tell.failed(config, message, isRejected);
      },
      works: () => {
        this.#tell.works(config);
      },
      tokenCall: {
        tokenUrl: config.tokenUrl,
        baseUrl: config.baseUrl,
        clientSecrets: clientSecretsOf(this.#env),
        call: createTokenCall(networkOf(this.#env), proxy),
      },
    };
  }
}
