/** What an account's forms are checked with, and what they show for a new one. For the server: zod is no use to a page. Pure. */
import { valuesOf } from "./account-form";
import { accountInputSchema, accountPatchSchema } from "./domain";
import { modelMapLines } from "./model-map-schema";

/** Fields that the form does not have: they are set by the admin API alone. */
const ELSEWHERE = { schedulable: true, expiresAt: true, proxyId: true } as const;

/** A new account with its credential. */
export const accountFormSchema = accountInputSchema.omit(ELSEWHERE).extend({
  modelMap: modelMapLines.pipe(accountInputSchema.shape.modelMap),
});

/** A new account whose credential comes from signing in at its provider. */
export const signInFormSchema = accountFormSchema.omit({ credential: true, provider: true });

/** A change to an account: what its form did not have stays as it is. */
export const settingsFormSchema = accountPatchSchema
  .omit({ credential: true, enabled: true, ...ELSEWHERE })
  .extend({
    modelMap: modelMapLines.pipe(accountPatchSchema.shape.modelMap),
  });

/** The schema's defaults, as the form shows them. */
export const BLANK_VALUES = { ...valuesOf(signInFormSchema.parse({ name: "blank" })), name: "" };
