/** Sessions: a signed token, in a header or in an HttpOnly cookie, that counts as long as its session is kept. */
import type { Context } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { sign, verify } from "hono/jwt";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { personIdSchema } from "../domain/ids.ts";
import { FIRST_OWNER_ID, firstOwner, hasRole, type Person, type Role } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { toHex } from "../domain/encoding.ts";
import type { Commit } from "../storage/commit.ts";
import { withEntry } from "../storage/audit.ts";
import { hashText } from "../storage/hash.ts";
import { factorsOf } from "../storage/second-factors.ts";
import { closeSession, findSession, openSession } from "../storage/people.ts";
import { withFact } from "../api-document/route-facts.ts";
import { actorOf, logOf, noteOf } from "./audited.ts";
import { addressOf, type AdminEnv } from "./context.ts";

const SESSION_S = 12 * 3600;
const COOKIE = "relay_session";
const ISSUER = "edge-relay-admin";
const ALGORITHM = "HS256";
const AGENT_LENGTH_MAX = 200;

/** A session counts only if every field parses. */
const claimsSchema = z.object({
  iss: z.literal(ISSUER),
  sub: personIdSchema,
  /** The session's id. */
  sid: z.string().min(16),
  exp: z.number(),
  iat: z.number(),
  /** Of the first owner: what the variables' password was. */
  pwd: z.string().optional(),
});
type Claims = z.infer<typeof claimsSchema>;

async function claimsIn(token: string, secret: string): Promise<Claims | null> {
  try {
    const claims = claimsSchema.parse(await verify(token, secret, ALGORITHM));
    return claims.exp > Date.now() / 1000 ? claims : null;
  } catch {
    return null;
  }
}

const unauthenticated = () => new RelayError("unauthenticated", "Sign in first: POST /admin/login.");

/** A cookie travels by itself, so a change made with one must come from a page of this host. */
function isFromHere(request: Request): boolean {
  if (request.method === "GET" || request.method === "HEAD") return true;
  const site = request.headers.get("sec-fetch-site");
  const origin = request.headers.get("origin");
  if (site !== null) return site === "same-origin";
  return origin !== null && URL.canParse(origin) && new URL(origin).host === new URL(request.url).host;
}

function tokenOf(context: Context<AdminEnv>): string | undefined {
  const header = context.req.header("authorization")?.replace(/^bearer\s+/i, "");
  const cookie = getCookie(context, COOKIE);
  return header ?? context.req.header("x-user-token") ?? (isFromHere(context.req.raw) ? cookie : undefined);
}

/** Who a session's token speaks for, as they are now; null: nobody any more. */
async function personOf(env: Env, { sub, sid, pwd }: Claims): Promise<Person | null> {
  const session = await findSession(env.DB, sid, sub, Date.now());
  if (session === null) return null;
  const owner = firstOwner(env.ADMIN_USERNAME);
  const isFirst = sub === owner.id && pwd === (await passwordMark(env));
  const person = session.person ?? (isFirst ? owner : null);
  return person?.enabled === true ? person : null;
}

/** Changes with the first owner's password, so that their sessions end with it; says nothing of it to anybody else. */
const passwordMark = async ({ SESSION_SECRET, ADMIN_PASSWORD }: Env): Promise<string> =>
  (await hashText(`${SESSION_SECRET} ${ADMIN_PASSWORD}`)).slice(0, 16);

/** Where somebody who needs a second factor sets one up. */
const OWN_ACCOUNT = /^\/admin\/me(?:\/|$)/;

/** An OpenID provider asks for as many factors as it wants; everybody else has theirs here. */
export async function lacksFactor({ DB }: Env, { id, source }: Person): Promise<boolean> {
  if (source === "oidc") return false;
  return (await factorsOf(DB, id)).every((kind) => kind === "recovery");
}

async function assertFactors(context: Context<AdminEnv>, person: Person): Promise<void> {
  const { requireSecondFactor } = context.get("settings");
  if (!requireSecondFactor || OWN_ACCOUNT.test(context.req.path)) return;
  if (!(await lacksFactor(context.env, person))) return;
  throw new RelayError(
    "permission_denied",
    "Everybody here needs a second factor: set one up with POST /admin/me/totp or /admin/me/passkeys.",
    { reason: "second_factor_missing" },
  );
}

/** Lets only people pass who are signed in. */
export const requireSession = withFact(
  createMiddleware<AdminEnv>(async (context, next) => {
    const token = tokenOf(context);
    const claims = token === undefined ? null : await claimsIn(token, context.env.SESSION_SECRET);
    const person = claims === null ? null : await personOf(context.env, claims);
    if (claims === null || person === null) throw unauthenticated();
    context.set("person", person);
    context.set("session", claims.sid);
    await assertFactors(context, person);
    await next();
  }),
  { kind: "guard", role: () => "user" },
);

/** Lets only people pass who have this role, or one that may do more. After `requireSession`. */
export const requireRole = (role: Role) =>
  withFact(
    createMiddleware<AdminEnv>(async (context, next) => {
      if (!hasRole(context.get("person").role, role)) {
        throw new RelayError("permission_denied", `This needs the role ${role}.`);
      }
      await next();
    }),
    { kind: "guard", role: () => role },
  );

const roleFor = (method: string): Role => (method === "GET" || method === "HEAD" ? "viewer" : "admin");

/** Whoever may look may look at everything; changes need more. */
export const requireReaderOrAdmin = withFact(
  createMiddleware<AdminEnv>(async (context, next) => {
    await requireRole(roleFor(context.req.method))(context, next);
  }),
  { kind: "guard", role: roleFor },
);

/** The relay's own paths never see the cookie, so that it cannot go upstream. */
const cookiePath = (context: Context<AdminEnv>): string =>
  context.req.path.startsWith("/users/") ? "/users" : "/admin";

/** What a browser says of itself, bounded; headers have no control characters. */
const agentOf = (context: Context<AdminEnv>): string =>
  (context.req.header("user-agent") ?? "").slice(0, AGENT_LENGTH_MAX);

const newSessionId = () => toHex(crypto.getRandomValues(new Uint8Array(16)));

/** Begins a session for a person who has proved who they are. */
export async function beginSession(context: Context<AdminEnv>, person: Person) {
  const { env } = context;
  const issuedAt = Math.floor(Date.now() / 1000);
  const claims: Claims = {
    iss: ISSUER,
    sub: person.id,
    sid: newSessionId(),
    iat: issuedAt,
    exp: issuedAt + SESSION_S,
    ...(person.id === FIRST_OWNER_ID ? { pwd: await passwordMark(env) } : {}),
  };
  const session = {
    id: claims.sid,
    personId: person.id,
    createdAt: issuedAt * 1000,
    expiresAt: claims.exp * 1000,
    address: addressOf(context),
    agent: agentOf(context),
  };
  const change = { after: { address: addressOf(context) } };
  const note = noteOf(actorOf(person), "session.open", person.id, change);
  await openSession(env.DB, session, withEntry(await logOf(env), note));
  const token = await sign(claims, env.SESSION_SECRET, ALGORITHM);
  setCookie(context, COOKIE, token, {
    httpOnly: true,
    sameSite: "Strict",
    secure: new URL(context.req.url).protocol === "https:",
    path: cookiePath(context),
    maxAge: SESSION_S,
  });
  return { token, expiresAt: claims.exp * 1000 };
}

/** Nobody is written down for a session that has ended before. */
async function closing(env: Env, person: Person | null): Promise<Commit | undefined> {
  if (person === null) return undefined;
  return withEntry(await logOf(env), noteOf(actorOf(person), "session.close", person.id));
}

/** Ends the session in which it is asked, if there is one. */
export async function endSession(context: Context<AdminEnv>): Promise<void> {
  const token = tokenOf(context);
  const claims = token === undefined ? null : await claimsIn(token, context.env.SESSION_SECRET);
  const person = claims === null ? null : await personOf(context.env, claims);
  if (claims !== null) await closeSession(context.env.DB, claims.sid, await closing(context.env, person));
  deleteCookie(context, COOKIE, { path: cookiePath(context) });
}
