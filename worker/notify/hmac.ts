/** HMAC-SHA256, which receivers tell a genuine message by. Pure. */
import { toBase64, toHex } from "../domain/encoding.ts";

const encoder = new TextEncoder();

async function hmac(key: string, text: string): Promise<Uint8Array> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", encoder.encode(key), algorithm, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, encoder.encode(text)));
}

export const hmacHex = async (key: string, text: string): Promise<string> => toHex(await hmac(key, text));

export const hmacBase64 = async (key: string, text: string): Promise<string> =>
  toBase64(await hmac(key, text));
