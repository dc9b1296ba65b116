/** Proxies that several accounts use: entered once, changed in one place. Pure. */
import { z } from "zod";
import { accountIdSchema, proxyIdSchema } from "./ids.ts";
import { proxyConfigSchema, proxyInputSchema } from "./proxy.ts";
import { nameSchema } from "./text.ts";

export const sharedProxyInputSchema = z.object({ name: nameSchema, proxy: proxyInputSchema });

/** Without a password it keeps the stored one, if it is the same user of the same proxy. */
export const sharedProxyPatchSchema = z.object({
  name: nameSchema.optional(),
  proxy: proxyInputSchema.optional(),
});

export const sharedProxySchema = z.object({
  id: proxyIdSchema,
  name: z.string(),
  proxy: proxyConfigSchema,
  createdAt: z.number(),
  updatedAt: z.number(),
});
/** What D1 keeps of it; the password is sealed in the proxy's own object, and in those of its accounts. */
export type SharedProxy = Readonly<z.infer<typeof sharedProxySchema>>;

export const sharedProxyViewSchema = sharedProxySchema.extend({
  /** Those that use it. */
  accounts: z.array(z.object({ id: accountIdSchema, name: z.string() })),
});
export type SharedProxyView = Readonly<z.infer<typeof sharedProxyViewSchema>>;
