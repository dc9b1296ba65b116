/** Every request passes here once: session, time zone, the guard of the signed-in pages, security headers. */
import { redirect, type Handle, type HandleServerError } from "@sveltejs/kit";
import { createApi } from "$lib/api";
import { readSession } from "$lib/server/session";
import { parseTimeZone, TIME_ZONE_COOKIE } from "$lib/time-zone";

const SECURITY_HEADERS = {
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  // Not `no-referrer`: browsers would then send `Origin: null` with forms, and Kit's origin check needs the origin.
  "referrer-policy": "same-origin",
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  // Pages may show a key's text once; no cache and no back button may bring it again.
  "cache-control": "no-store",
} as const;

export const handle: Handle = async ({ event, resolve }) => {
  const { cookies, locals, platform, route, url } = event;
  if (platform === undefined) throw new Error("the service binding RELAY is missing");
  const token = readSession(cookies);
  const { headers } = event.request;
  const visitor = { address: headers.get("cf-connecting-ip"), agent: headers.get("user-agent") };
  locals.api = createApi(platform.env.RELAY, token, visitor);
  locals.hasSession = token !== null;
  locals.timeZone = parseTimeZone(cookies.get(TIME_ZONE_COOKIE));

  if (route.id?.startsWith("/(signed-in)") === true && token === null) {
    redirect(303, `/login?next=${encodeURIComponent(url.pathname + url.search)}`);
  }

  const response = await resolve(event);
  for (const [name, value] of Object.entries(SECURITY_HEADERS)) response.headers.set(name, value);
  return response;
};

export const handleError: HandleServerError = ({ error, status, message }) => {
  if (status === 404) return { message: "There is no such page.", hint: "Pick a page from the navigation." };
  // Only bugs get here: refusals of the API are errors with a message of their own.
  console.error(error);
  return { message, hint: "Try again; if it happens again, look at the admin's log." };
};
