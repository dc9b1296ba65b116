/** Hashes of relay keys. */
import { keyHash, type KeyHash } from "../domain/ids.ts";
import { toHex } from "../domain/encoding.ts";

const encoder = new TextEncoder();

/** SHA-256 in hex. Keys have 256 random bits, so a fast hash gives nothing away. */
export const hashKey = async (key: string): Promise<KeyHash> =>
  keyHash(toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(key)))));
