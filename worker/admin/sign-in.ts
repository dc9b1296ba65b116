/** Signing in: who is it, by name and password, without telling those who guess anything. */
import { RelayError } from "../domain/errors.ts";
import { firstOwner, type Person } from "../domain/person.ts";
import { ldapOf, type Env } from "../env.ts";
import { askDirectory } from "../identity/ldap/ask.ts";
import { DirectoryError } from "../identity/ldap/directory-error.ts";
import { networkOf } from "../domain/network.ts";
import { countTry, forgiveTry, subjectOf, type Patience } from "../storage/login-attempts.ts";
import { findPersonNamed, noteLogin, type StoredPerson } from "../storage/people.ts";
import { admit } from "./admit.ts";
import { isPassword } from "./password.ts";

/**
 * Somebody at one address who guesses one password waits longest. An address that tries many names waits as long,
 * but later. A name that is tried from many addresses waits little: a stranger must not keep its owner out.
 */
export const PATIENCE = {
  pair: { free: 5, waitMsMax: 15 * 60_000 },
  address: { free: 30, waitMsMax: 15 * 60_000 },
  name: { free: 50, waitMsMax: 15_000 },
  /** An address that comes back from the provider without being let in. */
  provider: { free: 30, waitMsMax: 15 * 60_000 },
} as const satisfies Record<string, Patience>;

export interface SignIn {
  readonly username: string;
  readonly password: string;
  /** The client's, as the edge saw it. */
  readonly address: string;
}

/**
 * @throws RelayError `unauthenticated`, the same for an unknown name and a wrong password; `rate_limited`;
 * `upstream_unavailable` when only the directory could tell, and cannot be asked
 */
export async function signIn(
  env: Env,
  { username, password, address }: SignIn,
  now: number,
): Promise<Person> {
  const name = username.toLowerCase();
  const network = networkOf(address);
  const subjects = {
    pair: await subjectOf("pair", `${name} ${network}`),
    address: await subjectOf("address", network),
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

/** A try, with what is stored under its name: found out for everybody, so that all names take the same time. */
interface Try extends Pick<SignIn, "username" | "password"> {
  readonly now: number;
  readonly stored: StoredPerson | null;
  /** The password is the stored one. */
  readonly isStoredPassword: boolean;
}

/** Somebody, nobody, or `unknown`: not this source's to say. */
type Verdict = Person | null | "unknown";

/** Whoever knows the name first decides: nobody can take it by being added under it elsewhere. */
const SOURCES: readonly ((env: Env, attempt: Try) => Promise<Verdict>)[] = [
  askVariables,
  askStored,
  askDirectoryOf,
];

async function personOf(env: Env, username: string, password: string, now: number): Promise<Person | null> {
  const stored = await findPersonNamed(env.DB, username);
  const isStoredPassword = await isPassword(password, stored?.password ?? null);
  for (const ask of SOURCES) {
    const verdict = await ask(env, { username, password, now, stored, isStoredPassword });
    if (verdict !== "unknown") return verdict;
  }
  return null;
}

async function askVariables(env: Env, { username, password }: Try): Promise<Verdict> {
  if (username.toLowerCase() !== env.ADMIN_USERNAME.toLowerCase()) return "unknown";
  const isRight = await isSame(password, env.ADMIN_PASSWORD);
  return isRight && username === env.ADMIN_USERNAME ? firstOwner(username) : null;
}

async function askStored(env: Env, { stored, isStoredPassword, now }: Try): Promise<Verdict> {
  if (stored === null || stored.person.source === "ldap") return "unknown";
  return isStoredPassword && stored.person.enabled ? noted(env, stored, now) : null;
}

async function askDirectoryOf(env: Env, { username, password, now }: Try): Promise<Verdict> {
  const settings = ldapOf(env);
  if (settings === null) return "unknown";
  const profile = await askDirectory(settings, username, password).catch((error: unknown) => {
    throw error instanceof DirectoryError ? directoryDown(error) : error;
  });
  const admission = profile === null ? null : await admit(env, profile, now);
  return admission?.kind === "admitted" ? admission.person : null;
}

const directoryDown = (cause: DirectoryError) =>
  new RelayError(
    "upstream_unavailable",
    "The directory cannot be asked at the moment. Try again later; who has a password here can sign in.",
    { cause },
  );

/** Compares digests, so that neither the length nor a common beginning shows in the time. */
export async function isSame(given: string, expected: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(given), await digest(expected));
}

async function noted(env: Env, { person }: StoredPerson, now: number): Promise<Person> {
  await noteLogin(env.DB, person.id, now);
  return { ...person, lastLoginAt: now };
}
