/** What the admin API answers of people, of how they sign in, and to themselves, as schemas. */
import { z } from "zod";
import { FACTOR_KINDS } from "../domain/second-factor.ts";
import { personSchema } from "../domain/person.ts";
import { limitAnswer, time } from "./answers.ts";

export const personAnswer = personSchema.meta({ id: "Person" });
export const spendingAnswer = z.object({ items: z.array(limitAnswer) });
export const meAnswer = personSchema
  .pick({ id: true, username: true, name: true, email: true, role: true, source: true, keysMax: true })
  .extend({ secondFactors: z.array(z.enum(FACTOR_KINDS)) })
  .meta({ id: "Me" });
export const tokenAnswer = z.object({ token: z.string(), expiresAt: z.number() });

const described = z.object({
  type: z.literal("public-key"),
  id: z.string(),
  transports: z.array(z.string()),
});
/** For `navigator.credentials.get`. */
export const assertionOptionsAnswer = z
  .object({
    challenge: z.string(),
    rpId: z.string(),
    allowCredentials: z.array(described),
    timeout: z.number(),
    userVerification: z.literal("required"),
  })
  .meta({ id: "PasskeyRequest" });
/** For `navigator.credentials.create`. */
export const creationOptionsAnswer = z
  .object({
    challenge: z.string(),
    rp: z.object({ id: z.string(), name: z.string() }),
    user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.object({ type: z.literal("public-key"), alg: z.number() })),
    timeout: z.number(),
    attestation: z.literal("none"),
    excludeCredentials: z.array(described),
    authenticatorSelection: z.object({
      residentKey: z.literal("required"),
      requireResidentKey: z.boolean(),
      userVerification: z.literal("required"),
    }),
  })
  .meta({ id: "PasskeyCreation" });
/** What a right password is answered with where a second factor is needed, too. */
const factorAnswer = z.object({
  factor: z.object({
    kinds: z.array(z.enum(FACTOR_KINDS)),
    /** For `POST /admin/login/factor`. */
    ticket: z.string(),
    expiresAt: z.number(),
    passkey: assertionOptionsAnswer.nullable(),
  }),
});
export const loginAnswer = z.union([tokenAnswer, factorAnswer]);

const success = z.literal(true);
const user = personSchema.pick({ id: true, username: true, name: true, email: true, role: true });
export const registeredAnswer = z.object({ success, user });
export const userLoginAnswer = z.union([
  tokenAnswer.extend({ success, user, sessionToken: z.string() }),
  factorAnswer.extend({ success }),
]);
export const signedOutAnswer = z.object({ success });
export const profileAnswer = z.object({
  success,
  user: meAnswer,
  config: z.object({ maxApiKeysPerUser: z.number(), allowUserDeleteApiKeys: z.boolean() }),
});

export const sessionsAnswer = z.object({
  items: z.array(
    z.object({
      id: z.string(),
      createdAt: z.number(),
      expiresAt: z.number(),
      address: z.string(),
      agent: z.string(),
      isCurrent: z.boolean(),
    }),
  ),
});
export const seedAnswer = z.object({ secret: z.string(), uri: z.string() });
export const recoveryCodesAnswer = z.object({ recoveryCodes: z.array(z.string()) });
export const passkeyAnswer = z
  .object({ id: z.string(), name: z.string(), createdAt: z.number(), lastUsedAt: time })
  .meta({ id: "Passkey" });
export const passkeysAnswer = z.object({ items: z.array(passkeyAnswer) });
