/** Registering: somebody makes themselves a person, where the deployment lets them. */
import type { Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { networkOf } from "../domain/network.ts";
import { personInputSchema, type Person } from "../domain/person.ts";
import { withEntry } from "../storage/audit.ts";
import { countWithin, subjectOf } from "../storage/login-attempts.ts";
import { addPerson } from "../storage/people.ts";
import { actorOf, logOf, noteOf } from "./audited.ts";
import { addressOf, type AdminEnv } from "./context.ts";
import { hashPassword } from "./password.ts";
import { isFirstOwner, nameTaken, newPerson } from "./new-person.ts";
import { isSame, tooMany } from "./sign-in.ts";

/** From one address in an hour. Whoever probes names gets no further than this either. */
const TRIES_MAX = 5;

export const registrationSchema = personInputSchema
  .pick({ username: true, password: true, name: true })
  .extend({ email: z.email().max(254), code: z.string().max(200).optional() });
export type Registration = z.output<typeof registrationSchema>;

interface Registering {
  readonly isOpen: boolean;
  readonly keysMax: number;
  /** null: none is asked for. */
  readonly code: string | null;
}

/** Whether people may register, and with how many keys of their own: the one place that knows where this is set. */
const registering = (context: Context<AdminEnv>): Registering => {
  const { enabled, keysMax } = context.get("settings").registration;
  return { isOpen: enabled, keysMax, code: context.env.REGISTRATION_CODE ?? null };
};

/** @throws RelayError `permission_denied`, `rate_limited` or `conflict` */
export async function register(
  context: Context<AdminEnv>,
  { code = "", password, ...fields }: Registration,
): Promise<Person> {
  const { env } = context;
  const { isOpen, keysMax, code: expected } = registering(context);
  if (!isOpen)
    throw new RelayError("permission_denied", "Nobody can register here. Ask an owner to add you.");
  const now = Date.now();
  const waitMs = await countWithin(
    env.DB,
    await subjectOf("register", networkOf(addressOf(context))),
    TRIES_MAX,
    now,
  );
  if (waitMs !== null) throw tooMany(waitMs);
  if (expected !== null && !(await isSame(code, expected))) {
    throw new RelayError("permission_denied", "code: is not the one that people register with here");
  }
  const person = newPerson(personInputSchema.omit({ password: true }).parse({ ...fields, keysMax }), now);
  const note = noteOf(actorOf(person), "person.register", person.id, { after: person });
  const stored = { person, password: await hashPassword(password) };
  const isTaken = isFirstOwner(env, person.username);
  if (isTaken || !(await addPerson(env.DB, stored, withEntry(await logOf(env), note)))) throw nameTaken();
  return person;
}
