/** Text that people enter: bounded, without control characters, ready to be shown. Pure. */
import { z } from "zod";

// Control characters (CR and LF above all) would let a name reach a header or a log line as two.
const printable = z.string().regex(/^[^\p{Cc}\p{Cs}]*$/u, "must not contain control characters");

export const nameSchema = printable.trim().min(1, "is required").max(100);

/** What somebody notes beside a name. */
export const remarkSchema = printable.trim().max(500);

export const upstreamUrlSchema = z
  .url({ protocol: /^https?$/, error: "must be an http(s) address" })
  .max(2000)
  .refine((url) => !/[?#@]/.test(url), "must not contain a query, a fragment or credentials")
  .transform((url) => url.replace(/\/+$/, ""));
