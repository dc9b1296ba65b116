/** The deployment's settings for an object: read when it wakes, followed while it is asked, never waited for. */
import type { Settings } from "../worker/domain/settings.ts";
import { settingDefaults, type Env } from "../worker/env.ts";
import { findSettings, knownSettings } from "../worker/storage/settings.ts";
import type { SnapshotContext } from "../worker/storage/snapshots.ts";

export class ObjectSettings {
  readonly #env: Env;
  readonly #ctx: DurableObjectState;

  constructor(env: Env, ctx: DurableObjectState) {
    this.#env = env;
    this.#ctx = ctx;
  }

  get #context(): SnapshotContext {
    return {
      kv: this.#env.KV,
      now: Date.now(),
      waitUntil: (work) => {
        this.#ctx.waitUntil(work);
      },
    };
  }

  /** In force now: half a minute old at most while the object is asked. */
  get current(): Settings {
    return knownSettings(settingDefaults(this.#env), this.#context);
  }

  /** The same, read first if this isolate has not read them. @throws when it cannot */
  read(): Promise<Settings> {
    return findSettings(settingDefaults(this.#env), this.#context);
  }

  /** Before an object is asked anything. Without KV it goes on with what the deployment has. */
  async load(): Promise<void> {
    await this.read().catch(() => undefined);
  }
}
