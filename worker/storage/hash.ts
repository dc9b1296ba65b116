/** Hashes of what only its holder has: relay keys, tickets, recovery codes. */
import { keyHash, type KeyHash } from "../domain/ids.ts";
import { toHex } from "../domain/encoding.ts";

const encoder = new TextEncoder();

/** SHA-256 in hex. */
export const hashText = async (text: string): Promise<string> =>
  toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text))));

/** Keys have 256 random bits, so a fast hash gives nothing away. */
export const hashKey = async (key: string): Promise<KeyHash> => keyHash(await hashText(key));
