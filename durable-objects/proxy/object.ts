/** The home of a shared proxy's password: sealed here, because D1 holds no credential in any form. */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import { proxyIdSchema, type ProxyId } from "../../worker/domain/ids.ts";
import { proxyConfigSchema, type Proxy, type ProxyConfig } from "../../worker/domain/proxy.ts";
import { parseEnv, type Env } from "../../worker/env.ts";
import { MissingKey, parseKeyring } from "../../worker/storage/seal.ts";
import { completed, loadProxy, proxyKeyId, storeProxy } from "../proxy-password.ts";
import type { ConfigureResult, ProxyContract } from "./contract.ts";

const ROW = "proxy";
const rowSchema = z.object({ id: proxyIdSchema, config: proxyConfigSchema });

export class ProxyObject extends DurableObject implements ProxyContract {
  readonly #env: Env;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#env = parseEnv(rawEnv);
  }

  async configure(id: ProxyId, config: ProxyConfig, password: string | null): Promise<ConfigureResult> {
    const proxy = completed(config, password, await this.current());
    if (proxy === undefined) return { kind: "invalid", message: "proxy.password: enter it again" };
    // `completed` says null only of a configuration that is.
    if (proxy === null) return { kind: "invalid", message: "proxy: is required" };
    await storeProxy(await this.#vault(id), proxy);
    this.ctx.storage.kv.put(ROW, { id, config });
    return { kind: "ok", proxy };
  }

  async current(): Promise<Proxy | null> {
    const row = this.ctx.storage.kv.get(ROW);
    if (row === undefined) return null;
    const { id, config } = rowSchema.parse(row);
    return loadProxy(await this.#vault(id), config);
  }

  async keysInUse(): Promise<readonly string[]> {
    // Whatever cannot be opened stays as it is, and its key is named all the same.
    await this.current().catch((error: unknown) => {
      if (!(error instanceof MissingKey)) throw error;
    });
    const id = proxyKeyId(this.ctx.storage.kv);
    return id === null ? [] : [id];
  }

  async erase(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  async #vault(owner: ProxyId) {
    return { storage: this.ctx.storage.kv, keyring: await parseKeyring(this.#env.ENCRYPTION_KEYS), owner };
  }
}
