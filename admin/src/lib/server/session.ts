/** The admin's own cookie: it carries the session token, which scripts in the page never see. */
import type { Cookies } from "@sveltejs/kit";
import type { Session } from "$lib/api";
import type { EpochMs } from "$lib/domain";

const SESSION_COOKIE = "edge_relay_session";

export const readSession = (cookies: Cookies): string | null => cookies.get(SESSION_COOKIE) ?? null;

export function keepSession(cookies: Cookies, session: Session, url: URL, now: EpochMs): void {
  cookies.set(SESSION_COOKIE, session.token, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    // Local development serves plain HTTP on loopback.
    secure: url.protocol === "https:",
    maxAge: Math.max(0, Math.floor((session.expiresAt - now) / 1000)),
  });
}

/** The worker's own cookie, where it answers a browser by way of this site. */
const WORKER_COOKIE = /^relay_session=([^;]+);.*Max-Age=(\d+)/i;

/** The session that an answer of the worker begins; null: it begins none. */
export function sessionIn(answer: Response, now: EpochMs): Session | null {
  const line = answer.headers.getSetCookie().find((each) => WORKER_COOKIE.test(each));
  if (line === undefined) return null;
  const [, token = "", lifeS = ""] = WORKER_COOKIE.exec(line) ?? [];
  return { token, expiresAt: now + Number(lifeS) * 1000 };
}

export function endSession(cookies: Cookies, url: URL): void {
  cookies.delete(SESSION_COOKIE, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: url.protocol === "https:",
  });
}
