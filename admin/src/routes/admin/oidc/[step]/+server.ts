/**
 * Signing in at an OpenID provider is a matter between the browser and the worker, but its cookies must be this site's:
 * so both steps pass through here as they are, and a session that begins is kept as one of this site, too.
 */
import { error } from "@sveltejs/kit";
import { keepSession, sessionIn } from "$lib/server/session";
import type { RequestHandler } from "./$types";

const STEPS: ReadonlySet<string> = new Set(["start", "callback"]);
const PASSED_HEADERS = ["cookie", "cf-connecting-ip"] as const;

export const GET: RequestHandler = async ({ cookies, params, platform, request, url }) => {
  if (platform === undefined || !STEPS.has(params.step)) error(404);
  const headers = new Headers();
  for (const name of PASSED_HEADERS) {
    const value = request.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  // The address is this site's: the worker makes the one for the way back of it.
  const answer = await platform.env.RELAY.fetch(url.href, { headers, redirect: "manual" });
  const now = Date.now();
  const session = sessionIn(answer, now);
  if (session !== null) keepSession(cookies, session, url, now);
  return new Response(answer.body, { status: answer.status, headers: new Headers(answer.headers) });
};
