/** Hashes of relay keys. */
import { keyHash, type KeyHash } from "../domain/ids.ts";

const encoder = new TextEncoder();

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += HEX[byte] ?? "";
  return hex;
}

/** SHA-256 in hex. Keys have 256 random bits, so a fast hash gives nothing away. */
export const hashKey = async (key: string): Promise<KeyHash> =>
  keyHash(toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(key)))));
