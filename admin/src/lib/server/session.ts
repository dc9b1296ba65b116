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

export function endSession(cookies: Cookies, url: URL): void {
  cookies.delete(SESSION_COOKIE, {
    path: "/",
    httpOnly: true,
    sameSite: "strict",
    secure: url.protocol === "https:",
  });
}
