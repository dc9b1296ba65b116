/** Admin sessions: a signed token, in a header or in an HttpOnly cookie. */
import { Hono } from "hono";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { createMiddleware } from "hono/factory";
import { sign, verify } from "hono/jwt";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { body, type AdminEnv } from "./context.ts";

const SESSION_S = 12 * 3600;
const COOKIE = "relay_session";
const ISSUER = "edge-relay-admin";
const ALGORITHM = "HS256";

const credentialsSchema = z.object({ username: z.string().max(200), password: z.string().max(1000) });
/** A session counts only if every field parses. */
const claimsSchema = z.object({
  iss: z.literal(ISSUER),
  sub: z.string().min(1),
  exp: z.number(),
  iat: z.number(),
});

/** Compares digests, so that neither the length nor a common beginning shows in the time. */
async function isSame(given: string, expected: string): Promise<boolean> {
  const digest = (text: string) => crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return crypto.subtle.timingSafeEqual(await digest(given), await digest(expected));
}

async function adminOf(token: string, secret: string): Promise<string | null> {
  try {
    const claims = claimsSchema.parse(await verify(token, secret, ALGORITHM));
    return claims.exp > Date.now() / 1000 ? claims.sub : null;
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

/** Lets only signed-in admins pass. */
export const requireAdmin = createMiddleware<AdminEnv>(async (context, next) => {
  const header = context.req.header("authorization");
  const cookie = getCookie(context, COOKIE);
  const token = header?.replace(/^bearer\s+/i, "") ?? (isFromHere(context.req.raw) ? cookie : undefined);
  const admin = token === undefined ? null : await adminOf(token, context.env.SESSION_SECRET);
  if (admin === null) throw unauthenticated();
  context.set("admin", admin);
  await next();
});

export const sessionRoutes = new Hono<AdminEnv>()
  .post("/login", body(credentialsSchema), async (context) => {
    const { username, password } = context.req.valid("json");
    const { ADMIN_USERNAME, ADMIN_PASSWORD, SESSION_SECRET } = context.env;
    const [nameMatches, passwordMatches] = [
      await isSame(username, ADMIN_USERNAME),
      await isSame(password, ADMIN_PASSWORD),
    ];
    if (!nameMatches || !passwordMatches)
      throw new RelayError("unauthenticated", "Wrong user name or password.");
    const issuedAt = Math.floor(Date.now() / 1000);
    const claims = { iss: ISSUER, sub: username, iat: issuedAt, exp: issuedAt + SESSION_S };
    const token = await sign(claims, SESSION_SECRET, ALGORITHM);
    const secure = new URL(context.req.url).protocol === "https:";
    setCookie(context, COOKIE, token, {
      httpOnly: true,
      sameSite: "Strict",
      secure,
      path: "/admin",
      maxAge: SESSION_S,
    });
    return context.json({ token, expiresAt: claims.exp * 1000 });
  })
  .post("/logout", (context) => {
    deleteCookie(context, COOKIE, { path: "/admin" });
    return context.json({ ok: true });
  })
  .get("/me", requireAdmin, (context) => context.json({ username: context.get("admin") }));
