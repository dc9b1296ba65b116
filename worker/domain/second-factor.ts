/** What a person proves themselves with besides their password. Pure. */
import { z } from "zod";

/** A code of an authenticator app, a passkey, or one of the codes written down for when those are lost. */
export const FACTOR_KINDS = ["totp", "passkey", "recovery"] as const;
export type FactorKind = (typeof FACTOR_KINDS)[number];

/** As people copy it: apps show it in two groups. */
export const totpCodeSchema = z
  .string()
  .max(20)
  .transform((text) => text.replace(/\s/g, ""))
  .pipe(z.string().regex(/^\d{6}$/, "must be the six digits that the app shows"));

const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const GROUP = /.{4}/g;
/** 80 bits: nobody finds one by trying, not even with its hash at hand. */
const LENGTH = 16;
export const RECOVERY_CODES = 10;

/** @param random 16 bytes */
export function recoveryCode(random: Uint8Array): string {
  const letters = Array.from(random.subarray(0, LENGTH), (byte) => ALPHABET[byte & 31] ?? "0");
  return (letters.join("").match(GROUP) ?? []).join("-");
}

/** As it was made, however it was typed: without hyphens and spaces, and with letters that look alike as one. */
export const recoveryCodeSchema = z
  .string()
  .max(100)
  .transform((text) => text.toLowerCase().replace(/[\s-]/g, "").replace(/[il]/g, "1").replace(/o/g, "0"))
  .pipe(z.string().length(LENGTH, "must be one of the codes that were shown"));
