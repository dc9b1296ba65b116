/** Passkeys (WebAuthn, level 3): what they are asked, and whether what they answer is right. */
import type { Context } from "hono";
import { z } from "zod";
import { fromBase64, toBase64Url } from "../domain/encoding.ts";
import { RelayError } from "../domain/errors.ts";
import type { PersonId } from "../domain/ids.ts";
import type { Person } from "../domain/person.ts";
import { hashText } from "../storage/hash.ts";
import {
  addChallenge,
  findPasskey,
  takeChallenge,
  usePasskey,
  type Passkey,
  type Purpose,
} from "../storage/passkeys.ts";
import type { AdminEnv } from "./context.ts";

const CHALLENGE_MS = 5 * 60_000;
const CHALLENGE_BYTES = 32;
/** Ed25519, ECDSA on P-256, RSA: what authenticators have. */
const ALGORITHMS = [-8, -7, -257] as const;

/** Loaded by whoever needs it: no request of the relay does. */
const webauthn = async () => import("@simplewebauthn/server");

const part = z.string().max(20_000);
const answerFields = {
  id: z.string().min(1).max(2000),
  rawId: z.string().max(2000),
  type: z.literal("public-key"),
  clientExtensionResults: z.record(z.string(), z.unknown()).default({}),
} as const;

/** What a browser makes of a new passkey. */
export const registrationSchema = z.object({
  ...answerFields,
  response: z.object({
    clientDataJSON: part,
    attestationObject: part,
    transports: z.array(z.string().max(30)).max(10).default([]),
  }),
});
export type Registration = z.output<typeof registrationSchema>;

/** What a browser makes of a passkey that was used. */
export const assertionSchema = z.object({
  ...answerFields,
  response: z.object({
    clientDataJSON: part,
    authenticatorData: part,
    signature: part,
    userHandle: z.string().max(200).optional(),
  }),
});
export type Assertion = z.output<typeof assertionSchema>;

const clientDataSchema = z.object({ challenge: z.string().min(1), origin: z.string() });

/** Where browsers may show the admin: passkeys belong to the host, and answers come from the origin. */
const originsOf = ({ env, req }: Context<AdminEnv>): readonly string[] =>
  env.ADMIN_ORIGINS ?? [new URL(req.url).origin];

/** The browser's own, where it is one of those. */
function originOf(context: Context<AdminEnv>): string {
  const origins = originsOf(context);
  const asking = context.req.header("origin");
  return origins.find((origin) => origin === asking) ?? origins[0] ?? "";
}

async function newChallenge(
  { env }: Context<AdminEnv>,
  purpose: Purpose,
  personId: PersonId | null,
): Promise<string> {
  const challenge = toBase64Url(crypto.getRandomValues(new Uint8Array(CHALLENGE_BYTES)));
  const now = Date.now();
  const asked = { hash: await hashText(challenge), purpose, personId };
  await addChallenge(env.DB, asked, { now, expiresAt: now + CHALLENGE_MS });
  return challenge;
}

const described = ({ id, transports }: Passkey) => ({ type: "public-key" as const, id, transports });

/** For `navigator.credentials.create`. */
export async function creationOptions(context: Context<AdminEnv>, person: Person, known: readonly Passkey[]) {
  return {
    challenge: await newChallenge(context, "register", person.id),
    rp: { id: new URL(originOf(context)).hostname, name: "edge-relay" },
    user: {
      id: toBase64Url(new TextEncoder().encode(person.id)),
      name: person.username,
      displayName: person.name === "" ? person.username : person.name,
    },
    pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: "public-key" as const, alg })),
    timeout: CHALLENGE_MS,
    attestation: "none" as const,
    excludeCredentials: known.map(described),
    authenticatorSelection: {
      residentKey: "required" as const,
      requireResidentKey: true,
      userVerification: "required" as const,
    },
  };
}

/** For `navigator.credentials.get`. @param asked null: whoever has a passkey signs in with it alone */
export async function requestOptions(
  context: Context<AdminEnv>,
  asked: { readonly personId: PersonId; readonly passkeys: readonly Passkey[] } | null,
) {
  return {
    challenge: await newChallenge(context, asked === null ? "sign-in" : "factor", asked?.personId ?? null),
    rpId: new URL(originOf(context)).hostname,
    allowCredentials: asked?.passkeys.map(described) ?? [],
    timeout: CHALLENGE_MS,
    userVerification: "required" as const,
  };
}

/** What was asked, once it is known that it was asked here, and not before. null: it was not. */
async function takenChallenge(
  context: Context<AdminEnv>,
  clientDataJSON: string,
  asked: { readonly purpose: Purpose; readonly personId: PersonId | null },
): Promise<{ challenge: string; origin: string } | null> {
  const client = clientDataIn(clientDataJSON);
  if (client === null) return null;
  const hash = await hashText(client.challenge);
  const isAsked = await takeChallenge(context.env.DB, { hash, ...asked }, Date.now());
  return isAsked && originsOf(context).includes(client.origin) ? client : null;
}

function clientDataIn(text: string): z.output<typeof clientDataSchema> | null {
  try {
    const json: unknown = JSON.parse(new TextDecoder().decode(fromBase64(text)));
    return clientDataSchema.parse(json);
  } catch {
    return null;
  }
}

const expectations = ({ challenge, origin }: { challenge: string; origin: string }) => ({
  expectedChallenge: challenge,
  expectedOrigin: origin,
  expectedRPID: new URL(origin).hostname,
  requireUserVerification: true,
});

export type NewPasskey = Pick<Passkey, "id" | "publicKey" | "counter" | "transports">;

/** @throws RelayError `invalid_request` whatever is wrong with it */
export async function verifyRegistration(
  context: Context<AdminEnv>,
  answer: Registration,
): Promise<NewPasskey> {
  const refused = () =>
    new RelayError("invalid_request", "The passkey was not accepted. Ask for new options.");
  const asked = { purpose: "register", personId: context.get("person").id } as const;
  const client = await takenChallenge(context, answer.response.clientDataJSON, asked);
  if (client === null) throw refused();
  const { verifyRegistrationResponse } = await webauthn();
  const { transports, ...response } = answer.response;
  const verification = await verifyRegistrationResponse({
    response: { ...answer, response },
    ...expectations(client),
    supportedAlgorithmIDs: [...ALGORITHMS],
  }).catch(() => null);
  if (verification?.verified !== true) throw refused();
  const { id, publicKey, counter } = verification.registrationInfo.credential;
  return { id, publicKey: toBase64Url(publicKey), counter, transports };
}

/** The passkey that answered; null: whatever is wrong with the answer. @param personId null: anybody's will do */
export async function verifyAssertion(
  context: Context<AdminEnv>,
  answer: Assertion,
  personId: PersonId | null,
): Promise<Passkey | null> {
  const asked = { purpose: personId === null ? "sign-in" : "factor", personId } as const;
  const client = await takenChallenge(context, answer.response.clientDataJSON, asked);
  const passkey = await findPasskey(context.env.DB, answer.id);
  if (client === null || passkey === null) return null;
  if (personId !== null && passkey.personId !== personId) return null;
  if (!isHandleOf(answer, passkey)) return null;
  const counter = await countIn(answer, passkey, expectations(client));
  if (counter === null) return null;
  return (await usePasskey(context.env.DB, passkey.id, counter, Date.now())) ? passkey : null;
}

/** Authenticators say for whom they keep a passkey; who leaves it out does not contradict. */
function isHandleOf({ response }: Assertion, { personId }: Passkey): boolean {
  const expected = toBase64Url(new TextEncoder().encode(personId));
  return response.userHandle === undefined || response.userHandle === expected;
}

/** The authenticator's counter after this use; null: the signature, or what is signed, is not right. */
async function countIn(
  { response: { userHandle: _, ...response }, ...answer }: Assertion,
  { id, publicKey, counter }: Passkey,
  expected: ReturnType<typeof expectations>,
): Promise<number | null> {
  const { verifyAuthenticationResponse } = await webauthn();
  const verification = await verifyAuthenticationResponse({
    response: { ...answer, response },
    ...expected,
    credential: { id, publicKey: fromBase64(publicKey), counter },
  }).catch(() => null);
  return verification?.verified === true ? verification.authenticationInfo.newCounter : null;
}
