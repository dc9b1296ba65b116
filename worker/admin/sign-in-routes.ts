/** Signing in and out. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { networkOf } from "../domain/network.ts";
import { countWithin, subjectOf } from "../storage/login-attempts.ts";
import { noteLogin } from "../storage/people.ts";
import { okAnswer } from "./answers.ts";
import { assertionOptionsAnswer, loginAnswer, tokenAnswer } from "./people-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { addressOf, body, type AdminEnv } from "./context.ts";
import { admitted, livingPerson, passSecondStep, personWithTicket, secondStepSchema } from "./second-step.ts";
import { beginSession, endSession } from "./session.ts";
import { signIn, tooMany } from "./sign-in.ts";
import { noteFailure } from "./sign-in-failure.ts";
import { assertionSchema, requestOptions, verifyAssertion } from "./webauthn.ts";

export const credentialsSchema = z.object({ username: z.string().max(200), password: z.string().max(1000) });

/** From one address in an hour; a person signs in a few times a day. */
const PASSKEY_TRIES = 100;

/** What somebody with this name and password gets. */
export async function loggedIn(context: Context<AdminEnv>, credentials: z.output<typeof credentialsSchema>) {
  const attempt = { ...credentials, address: addressOf(context) };
  const person = await signIn(context.env, attempt, Date.now()).catch(async (error: unknown) => {
    await noteFailure(context.env, attempt, error);
    throw error;
  });
  return { person, answer: await admitted(context, person) };
}

/** Challenges are kept and signatures cost time, so nobody may have as many as they like. */
async function countPasskeyTry(context: Context<AdminEnv>): Promise<void> {
  const subject = await subjectOf("passkey", networkOf(addressOf(context)));
  const waitMs = await countWithin(context.env.DB, subject, PASSKEY_TRIES, Date.now());
  if (waitMs !== null) throw tooMany(waitMs);
}

export const signInRoutes = new Hono<AdminEnv>()
  .post(
    "/login",
    documented("Begins a session, or asks for a second factor.", { 200: loginAnswer }, [
      "unauthenticated",
      "rate_limited",
      "upstream_unavailable",
    ]),
    body(credentialsSchema),
    async (context) => context.json((await loggedIn(context, context.req.valid("json"))).answer),
  )
  .post(
    "/login/factor",
    documented(
      "Begins a session with the ticket of a right password and a second factor.",
      { 200: tokenAnswer },
      ["unauthenticated", "rate_limited"],
    ),
    body(secondStepSchema),
    async (context) => {
      const step = context.req.valid("json");
      const person = await personWithTicket(context, step.ticket);
      await passSecondStep(context, person, step).catch(async (error: unknown) => {
        const attempt = { username: person.username, address: addressOf(context) };
        await noteFailure(context.env, attempt, error);
        throw error;
      });
      return context.json(await beginSession(context, person));
    },
  )
  .post(
    "/passkeys/options",
    documented("What to ask a passkey, to sign in with it alone.", { 200: assertionOptionsAnswer }, [
      "rate_limited",
    ]),
    async (context) => {
      await countPasskeyTry(context);
      return context.json(await requestOptions(context, null));
    },
  )
  .post(
    "/passkeys/login",
    documented("Begins a session with a passkey alone.", { 200: tokenAnswer }, [
      "unauthenticated",
      "rate_limited",
    ]),
    body(assertionSchema),
    async (context) => {
      await countPasskeyTry(context);
      const passkey = await verifyAssertion(context, context.req.valid("json"), null);
      const person = passkey === null ? null : await livingPerson(context.env, passkey.personId);
      // Whoever signs in elsewhere is asked about there each time: their passkey is a second factor, and no way in.
      if (person?.source !== "local") {
        const error = new RelayError("unauthenticated", "The passkey was not accepted. Ask for new options.");
        await noteFailure(context.env, { username: "", address: addressOf(context) }, error);
        throw error;
      }
      await noteLogin(context.env.DB, person.id, Date.now());
      return context.json(await beginSession(context, person));
    },
  )
  .post("/logout", documented("Ends the session, if there is one.", { 200: okAnswer }), async (context) => {
    await endSession(context);
    return context.json({ ok: true });
  });
