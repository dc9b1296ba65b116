/** Signing in: who is it, by name and password, without telling those who guess anything. */
import { RelayError } from "../domain/errors.ts";
import { firstOwner, type Person } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { toHex } from "../domain/encoding.ts";
import { countTry, forgiveTry, type Patience } from "../storage/login-attempts.ts";
import { findPersonNamed, noteLogin, type StoredPerson } from "../storage/people.ts";
import { isPassword } from "./password.ts";

/**
 * Somebody at one address who guesses one password waits longest. An address that tries many names waits as long,
 * but later. A name that is tried from many addresses waits little: a stranger must not keep its owner out.
 */
const PATIENCE = {
  pair: { free: 5, waitMsMax: 15 * 60_000 },
  address: { free: 30, waitMsMax: 15 * 60_000 },
  name: { free: 50, waitMsMax: 15_000 },
} as const satisfies Record<string, Patience>;

export interface SignIn {
  readonly username: string;
  readonly password: string;
  /** The client's, as the edge saw it. */
  readonly address: string;
}

/** Only a hash is kept of who tried from where. */
export async function subjectOf(kind: string, text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(`${kind} ${text}`));
  return `${kind}:${toHex(new Uint8Array(digest, 0, 16))}`;
}

/** @throws RelayError `unauthenticated`, the same for an unknown name and a wrong password; `rate_limited` */
export async function signIn(
  env: Env,
  { username, password, address }: SignIn,
  now: number,
): Promise<Person> {
  const name = username.toLowerCase();
  const subjects = {
    pair: await subjectOf("pair", `${name} ${address}`),
    address: await subjectOf("address", address),
    name: await subjectOf("name", name),
  };
  for (const kind of ["pair", "address", "name"] as const) {
    const waitMs = await countTry(env.DB, subjects[kind], PATIENCE[kind], now);
    if (waitMs !== null) throw tooMany(waitMs);
  }
  const person = await personOf(env, username, password, now);
  if (person === null) throw new RelayError("unauthenticated", "Wrong user name or password.");
  await forgiveTry(env.DB, Object.values(subjects));
  return person;
}

export const tooMany = (waitMs: number) =>
  new RelayError("rate_limited", "Too many tries. Wait a while, then try again.", { retryAfterMs: waitMs });

async function personOf(env: Env, username: string, password: string, now: number): Promise<Person | null> {
  const stored = await findPersonNamed(env.DB, username);
  const isRight = await isPassword(password, stored?.password ?? null);
  // The variables' own name comes first: nobody can take it by being added under it.
  if (username === env.ADMIN_USERNAME) {
    return (await isSame(password, env.ADMIN_PASSWORD)) ? firstOwner(username) : null;
  }
  if (stored === null || !isRight || !stored.person.enabled) return null;
  return noted(env, stored, now);
}

/** Compares digests, so that neither the length nor a common beginning shows in the time. */
export async function isSame(given: string, expected: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(given), await digest(expected));
}

async function noted(env: Env, { person }: StoredPerson, now: number): Promise<Person> {
  await noteLogin(env.DB, person.id, now);
  return { ...person, lastLoginAt: now };
}
