/** People with an authenticator app, and signing in with it. */
import { TOTP } from "otpauth";
import type { Person, Role } from "../../../worker/domain/person.ts";
import { createPerson, login, PASSWORD, signedIn, type Call } from "./people.ts";
import { env, fetchRelay, unique } from "./relay.ts";

export interface FactorAsked {
  readonly factor: {
    readonly kinds: readonly string[];
    readonly ticket: string;
    readonly expiresAt: number;
    readonly passkey: { readonly challenge: string; readonly rpId: string } | null;
  };
}

export interface WithApp {
  readonly person: Person;
  /** With the session that was begun before the app was set up. */
  readonly as: Call;
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

export const codeAt = (secret: string, at: number): string =>
  new TOTP({ secret, algorithm: "SHA1", digits: 6, period: 30 }).generate({ timestamp: at });

/** A code that will do, as if none had been used yet: a test cannot wait for the next. */
export async function freshCode({ person, secret }: Pick<WithApp, "person" | "secret">): Promise<string> {
  await env.DB.prepare("UPDATE person_totp SET last_step = 0 WHERE person_id = ?").bind(person.id).run();
  return codeAt(secret, Date.now());
}

/** Six digits that are no code of now. */
export function wrongCode(secret: string): string {
  const near = [-2, -1, 0, 1, 2].map((steps) => codeAt(secret, Date.now() + steps * 30_000));
  return (
    ["000000", "111111", "222222", "333333", "444444", "555555"].find((code) => !near.includes(code)) ?? ""
  );
}

export async function withApp(role: Role = "viewer"): Promise<WithApp> {
  const person = await createPerson(role);
  const as = await signedIn(person);
  const { secret } = await (await as("POST", "/me/totp")).json<{ secret: string }>();
  const confirmed = await as("POST", "/me/totp/confirm", { code: codeAt(secret, Date.now()) });
  if (confirmed.status !== 200) throw new Error(await confirmed.text());
  const { recoveryCodes } = await confirmed.json<{ recoveryCodes: string[] }>();
  return { person, as, secret, recoveryCodes };
}

/** The first step, up to the ticket. */
export async function ticketOf({ username }: Person): Promise<string> {
  const response = await login(username, PASSWORD);
  return (await response.json<FactorAsked>()).factor.ticket;
}

export const secondStep = (ticket: string, proof: object): Promise<Response> =>
  fetchRelay("/admin/login/factor", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": unique("address") },
    body: JSON.stringify({ ticket, ...proof }),
  });

export const me = (token: string): Promise<Response> =>
  fetchRelay("/admin/me", { headers: { authorization: `Bearer ${token}` } });
