/** Settings that several channels have. Pure. */
import { z } from "zod";

const LENGTH_MAX = 2000;

/** An address with a secret in it: it is shown masked, so a query is fine. */
export const secretUrl = z
  .url({ protocol: /^https?$/, error: "must be an http(s) address" })
  .max(LENGTH_MAX)
  .refine((url) => !/#|^\w+:\/\/[^/?]*@/.test(url), "must not contain credentials or a fragment");

/** The address of a server, to which paths are added. */
export const serverUrl = z
  .url({ protocol: /^https?$/, error: "must be an http(s) address" })
  .max(LENGTH_MAX)
  .refine((url) => !/[?#@]/.test(url), "must not contain a query, a fragment or credentials")
  .transform((url) => url.replace(/\/+$/, ""));

/** Printable ASCII without spaces: what a header or a path can carry. */
export const token = z
  .string()
  .trim()
  .min(1, "is required")
  .max(500)
  .regex(/^[\x21-\x7e]*$/, "must not contain spaces or special characters");

/** An empty field of a form is one that was not filled. */
export const optionalToken = z
  .union([token, z.literal("")])
  .nullable()
  .default(null)
  .transform((text) => (text === "" ? null : text));
