/**
 * Sealing of secrets: AES-256-GCM under a keyring, with the owner's id as additional data, so that a sealed
 * value moved to another owner does not open. Text form: `<key id>.<iv>.<cipher text>`, base64url.
 */

import { fromBase64, toBase64Url } from "../domain/encoding.ts";

/** 96 bits, as NIST SP 800-38D recommends for GCM. */
const IV_BYTES = 12;
const KEY_BYTES = 32;

/** A secret at rest. Opaque: only a keyring makes sense of it. */
export type Sealed = string & { readonly __sealed: true };

export interface Opened {
  readonly plaintext: string;
  /** Sealed with an older key: seal it anew. */
  readonly stale: boolean;
}

export interface Keyring {
  seal(plaintext: string, owner: string): Promise<Sealed>;
  /** @throws MissingKey when the key is unknown, or another error when the value was altered or belongs to another owner */
  open(sealed: Sealed, owner: string): Promise<Opened>;
}

/** Nothing is lost: put the key back, and it opens. */
export class MissingKey extends Error {
  constructor(id: string) {
    super(`sealed with key "${id}", which is not in ENCRYPTION_KEYS: put that key back`);
  }
}

/** Which key it is sealed with. */
export const keyIdOf = (sealed: Sealed): string => sealed.split(".", 1)[0] ?? "";

const encoder = new TextEncoder();

/** @param text `id:base64 of 32 bytes`, comma separated, the newest first */
export function keyMaterial(text: string): ReadonlyMap<string, Uint8Array> {
  const material = new Map<string, Uint8Array>();
  for (const entry of text.split(",")) {
    const [id = "", encoded = ""] = entry.trim().split(":");
    const bytes = fromBase64(encoded);
    if (!/^[A-Za-z0-9_-]{1,20}$/.test(id) || bytes.length !== KEY_BYTES) {
      throw new Error("ENCRYPTION_KEYS must be a list of id:base64 with 32 bytes each");
    }
    material.set(id, bytes);
  }
  return material;
}

/** @param text as `keyMaterial` takes it */
export async function parseKeyring(text: string): Promise<Keyring> {
  const keys = new Map<string, CryptoKey>();
  for (const [id, bytes] of keyMaterial(text)) {
    keys.set(id, await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]));
  }
  const [newest] = keys;
  if (newest === undefined) throw new Error("ENCRYPTION_KEYS is empty");
  return keyringOf(keys, newest);
}

function keyringOf(
  keys: ReadonlyMap<string, CryptoKey>,
  [newestId, newestKey]: [string, CryptoKey],
): Keyring {
  return {
    async seal(plaintext, owner) {
      const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
      const parameters = { name: "AES-GCM", iv, additionalData: encoder.encode(owner) };
      const cipher = await crypto.subtle.encrypt(parameters, newestKey, encoder.encode(plaintext));
      return `${newestId}.${toBase64Url(iv)}.${toBase64Url(new Uint8Array(cipher))}` as Sealed;
    },
    async open(sealed, owner) {
      const [id = "", iv = "", cipher = ""] = sealed.split(".");
      const key = keys.get(id);
      if (key === undefined) throw new MissingKey(id);
      const parameters = { name: "AES-GCM", iv: fromBase64(iv), additionalData: encoder.encode(owner) };
      const plain = await crypto.subtle.decrypt(parameters, key, fromBase64(cipher));
      return { plaintext: new TextDecoder().decode(plain), stale: id !== newestId };
    },
  };
}
