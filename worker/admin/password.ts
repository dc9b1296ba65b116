/** Passwords as they are kept: scrypt (RFC 7914) with a salt each, and the parameters beside the hash. */
import { fromBase64, toBase64 } from "../domain/encoding.ts";
import { scrypt, timingSafeEqual } from "node:crypto";

/** OWASP Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3; about 0.15 s of CPU and 32 MB. */
const COST = { N: 32_768, r: 8, p: 3 } as const;
const SALT_BYTES = 16;
const HASH_BYTES = 32;

type Cost = Readonly<Record<keyof typeof COST, number>>;

const derive = (password: string, salt: Uint8Array, { N, r, p }: Cost) =>
  new Promise<Uint8Array>((resolve, reject) => {
    const cost = { N, r, p, maxmem: 256 * N * r };
    scrypt(password.normalize("NFKC"), salt, HASH_BYTES, cost, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });

const written = (cost: Cost, salt: Uint8Array, hash: Uint8Array) =>
  ["scrypt", cost.N, cost.r, cost.p, toBase64(salt), toBase64(hash)].join("$");

/** `scrypt$N$r$p$salt$hash`, the last two in base64. */
export async function hashPassword(password: string): Promise<string> {
  const salt = crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  return written(COST, salt, await derive(password, salt, COST));
}

/** Of no password at all: comparing with it takes as long as comparing with any. */
const NOBODY = written(COST, new Uint8Array(SALT_BYTES), new Uint8Array(HASH_BYTES));

/** @param stored null: there is none, which takes as long to find out */
export async function isPassword(password: string, stored: string | null): Promise<boolean> {
  const [, N, r, p, salt = "", hash = ""] = (stored ?? NOBODY).split("$");
  const derived = await derive(password, fromBase64(salt), { N: Number(N), r: Number(r), p: Number(p) });
  return timingSafeEqual(derived, fromBase64(hash)) && stored !== null;
}
