/** The second step of signing in: a right password becomes a ticket, and a second factor makes a session of it. */
import type { Context } from "hono";
import { z } from "zod";
import { toHex } from "../domain/encoding.ts";
import { RelayError } from "../domain/errors.ts";
import type { PersonId } from "../domain/ids.ts";
import { firstOwner, type Person } from "../domain/person.ts";
import { recoveryCodeSchema, totpCodeSchema, type FactorKind } from "../domain/second-factor.ts";
import type { Env } from "../env.ts";
import { hashText } from "../storage/hash.ts";
import { countTry, forgiveTry } from "../storage/login-attempts.ts";
import { passkeysOf } from "../storage/passkeys.ts";
import { findPerson } from "../storage/people.ts";
import { parseKeyring } from "../storage/seal.ts";
import {
  addTicket,
  factorsOf,
  findTotp,
  resealSeed,
  seedOwner,
  takeTicket,
  tryTicket,
  useRecoveryCode,
  useStep,
  type StoredTotp,
} from "../storage/second-factors.ts";
import type { AdminEnv } from "./context.ts";
import { beginSession } from "./session.ts";
import { stepOf } from "./totp.ts";
import { assertionSchema, requestOptions, verifyAssertion } from "./webauthn.ts";

const TICKET_MS = 5 * 60_000;
const TICKET_BYTES = 32;
/** Whoever has the password has guesses by the ticket; a person's are counted all together. */
const PATIENCE = { free: 10, waitMsMax: 15 * 60_000 } as const;

export const secondStepSchema = z
  .object({
    ticket: z.string().min(1).max(200),
    code: totpCodeSchema.optional(),
    recovery: recoveryCodeSchema.optional(),
    passkey: assertionSchema.optional(),
  })
  .refine(
    ({ code, recovery, passkey }) =>
      [code, recovery, passkey].filter((each) => each !== undefined).length === 1,
    "give one of code, recovery and passkey",
  );
export type SecondStep = z.output<typeof secondStepSchema>;

/** A session for whom the password is enough, for others a ticket to the second step. */
export async function admitted(context: Context<AdminEnv>, person: Person) {
  const kinds = await factorsOf(context.env.DB, person.id);
  return kinds.length === 0
    ? beginSession(context, person)
    : { factor: await newTicket(context, person.id, kinds) };
}

async function newTicket(context: Context<AdminEnv>, personId: PersonId, kinds: readonly FactorKind[]) {
  const { DB } = context.env;
  const ticket = toHex(crypto.getRandomValues(new Uint8Array(TICKET_BYTES)));
  const now = Date.now();
  const expiresAt = now + TICKET_MS;
  await addTicket(DB, { hash: await hashText(ticket), personId, expiresAt }, now);
  const passkey = kinds.includes("passkey")
    ? await requestOptions(context, { personId, passkeys: await passkeysOf(DB, personId) })
    : null;
  return { kinds: [...kinds], ticket, expiresAt, passkey };
}

/** Whether it is a code of the person's app that was not used before. @param totp as it is stored */
export async function isCode(
  env: Env,
  id: PersonId,
  totp: StoredTotp,
  { code, now }: { readonly code: string; readonly now: number },
): Promise<boolean> {
  const keyring = await parseKeyring(env.ENCRYPTION_KEYS);
  const { plaintext, stale } = await keyring.open(totp.seed, seedOwner(id));
  const step = await stepOf(plaintext, code, now);
  if (step === null || !(await useStep(env.DB, id, step))) return false;
  if (stale) await resealSeed(env.DB, id, totp.seed, await keyring.seal(plaintext, seedOwner(id)));
  return true;
}

/** A hash says nothing of another person's code, were it the same. */
export const recoveryHash = (id: PersonId, code: string): Promise<string> => hashText(`${id} ${code}`);

async function isProof(
  context: Context<AdminEnv>,
  id: PersonId,
  { code, recovery, passkey }: SecondStep,
): Promise<boolean> {
  const { env } = context;
  if (code !== undefined) {
    const totp = await findTotp(env.DB, id);
    const isInUse = totp !== null && totp.confirmedAt !== null;
    return isInUse && (await isCode(env, id, totp, { code, now: Date.now() }));
  }
  if (recovery !== undefined) return useRecoveryCode(env.DB, id, await recoveryHash(id, recovery));
  return passkey !== undefined && (await verifyAssertion(context, passkey, id)) !== null;
}

export async function livingPerson(env: Env, id: PersonId): Promise<Person | null> {
  const owner = firstOwner(env.ADMIN_USERNAME);
  if (id === owner.id) return owner;
  const person = (await findPerson(env.DB, id))?.person ?? null;
  return person?.enabled === true ? person : null;
}

/** Counts a try to prove again who one is. @throws RelayError `rate_limited` */
export async function countProof(env: Env, id: PersonId, now: number): Promise<string> {
  const subject = `factor:${id}`;
  const waitMs = await countTry(env.DB, subject, PATIENCE, now);
  if (waitMs === null) return subject;
  throw new RelayError("rate_limited", "Too many tries. Wait a while, then try again.", {
    retryAfterMs: waitMs,
  });
}

const over = () =>
  new RelayError("unauthenticated", "This sign-in is over. Begin again with your user name and password.");

/** Whose ticket it is, where a try is left. @throws RelayError `unauthenticated` */
export async function personWithTicket({ env }: Context<AdminEnv>, ticket: string): Promise<Person> {
  const id = await tryTicket(env.DB, await hashText(ticket), Date.now());
  const person = id === null ? null : await livingPerson(env, id);
  if (person === null) throw over();
  return person;
}

/** @throws RelayError `unauthenticated` or `rate_limited` */
export async function passSecondStep(
  context: Context<AdminEnv>,
  person: Person,
  step: SecondStep,
): Promise<void> {
  const { env } = context;
  const subject = await countProof(env, person.id, Date.now());
  if (!(await isProof(context, person.id, step))) {
    throw new RelayError("unauthenticated", "That was not accepted. Wait for the next code, then try again.");
  }
  if (!(await takeTicket(env.DB, await hashText(step.ticket)))) throw over();
  await forgiveTry(env.DB, [subject]);
}
