/** What is answered about signing in, as schemas. */
import { z } from "zod";
import { ROLES } from "../domain/person.ts";

export const signInWaysAnswer = z
  .object({
    password: z.literal(true),
    /** The password may be the directory's, too. */
    ldap: z.boolean(),
    /** Where a browser goes to sign in at the provider. */
    oidc: z.object({ label: z.string(), url: z.string() }).nullable(),
    registration: z.boolean(),
  })
  .meta({ id: "SignInWays" });

export const directoryTestAnswer = z.object({
  ok: z.boolean(),
  message: z.string(),
  /** The person that was asked for. */
  person: z
    .object({
      username: z.string(),
      name: z.string(),
      email: z.string(),
      /** null: they would not be let in. */
      role: z.enum(ROLES).nullable(),
      groups: z.array(z.string()),
    })
    .nullable(),
});
export type DirectoryTest = z.infer<typeof directoryTestAnswer>;
