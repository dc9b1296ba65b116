/** The channels' secrets: sealed at rest, each channel's for itself, and nowhere else. */
import { z } from "zod";
import type { ChannelId } from "../../worker/domain/ids.ts";
import { keyIdOf, MissingKey, type Keyring, type Sealed } from "../../worker/storage/seal.ts";
import { maskCredential } from "../account/mask.ts";

const rowOf = (id: ChannelId) => `secrets/${id}`;

const storedSchema = z
  .string()
  .transform((text) => text as Sealed)
  .optional();
const secretsSchema = z.record(z.string(), z.unknown());

export type Secrets = Readonly<Record<string, unknown>>;

export class ChannelSecrets {
  readonly #storage: SyncKvStorage;
  readonly #keyring: Keyring;

  constructor(storage: SyncKvStorage, keyring: Keyring) {
    this.#storage = storage;
    this.#keyring = keyring;
  }

  /** Empty where none are stored; sealed anew if the keyring has a newer key. */
  async load(id: ChannelId): Promise<Secrets> {
    const sealed = storedSchema.parse(this.#storage.get(rowOf(id)));
    if (sealed === undefined) return {};
    const { plaintext, stale } = await this.#keyring.open(sealed, id);
    const secrets = secretsSchema.parse(JSON.parse(plaintext));
    if (stale) await this.keep(id, secrets);
    return secrets;
  }

  async keep(id: ChannelId, secrets: Secrets): Promise<void> {
    this.#storage.put(rowOf(id), await this.#keyring.seal(JSON.stringify(secrets), id));
  }

  /** Seals anew what can be opened. @returns the keys that are in use after that */
  async reseal(): Promise<readonly string[]> {
    const ids = new Set<string>();
    for (const [row] of [...this.#storage.list({ prefix: rowOf("" as ChannelId) })]) {
      const id = row.slice(rowOf("" as ChannelId).length) as ChannelId;
      await this.load(id).catch((error: unknown) => {
        if (!(error instanceof MissingKey)) throw error;
      });
      const sealed = storedSchema.parse(this.#storage.get(row));
      if (sealed !== undefined) ids.add(keyIdOf(sealed));
    }
    return [...ids].sort();
  }

  forget(id: ChannelId): void {
    this.#storage.delete(rowOf(id));
  }
}

/** Of an address its host, which tells more than its ends. */
const maskAddress = (text: string): string => `${new URL(text).origin}/…`;

export function masked(secrets: Secrets): Readonly<Record<string, string>> {
  const addresses = Object.entries(secrets).flatMap(([name, value]) =>
    typeof value === "string" && /^https?:/.test(value) && URL.canParse(value)
      ? [[name, maskAddress(value)] as const]
      : [],
  );
  return { ...maskCredential(secrets), ...Object.fromEntries(addresses) };
}
