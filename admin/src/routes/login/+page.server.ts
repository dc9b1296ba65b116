import { fail, redirect } from "@sveltejs/kit";
import type { ApiFailure } from "$lib/failure";
import { echoOf, textOf, typedIn } from "$lib/form-text";
import { invalid, refused } from "$lib/server/outcome";
import { keepSession } from "$lib/server/session";
import type { Actions, PageServerLoad } from "./$types";

/** Only a path of this site: `next` comes with the address and could name any place. */
function pathAfterLogin(url: URL): string {
  const next = url.searchParams.get("next") ?? "/";
  const target = URL.canParse(next, url) ? new URL(next, url) : null;
  return target !== null && target.origin === url.origin ? target.pathname + target.search : "/";
}

/** Here `unauthenticated` means a wrong password or code, not an expired session. */
const asWrongPassword = (failure: ApiFailure): ApiFailure =>
  failure.code === "unauthenticated" ? { ...failure, code: "wrong_password" } : failure;

/** Six digits are the app's, all else is one of the codes that were written down. */
const proofOf = (text: string) => (/^[\d\s]{6,8}$/.test(text) ? { code: text } : { recovery: text });

/** What went wrong at the provider, by the worker's code for it. */
const PROVIDER_PROBLEMS: Readonly<Record<string, string>> = {
  oidc_denied: "The provider did not sign you in.",
  oidc_state: "This sign-in took too long, or was begun in another window.",
  oidc_failed: "The provider's answer could not be used. Tell an administrator if it happens again.",
  oidc_unavailable: "The provider cannot be reached at the moment.",
  oidc_refused: "You may not sign in here. Ask an owner.",
  rate_limited: "Too many tries. Wait a while.",
};

export const load: PageServerLoad = async ({ locals, url }) => {
  const ways = await locals.api.signInWays();
  return {
    expired: url.searchParams.has("expired"),
    problem: PROVIDER_PROBLEMS[url.searchParams.get("error") ?? ""] ?? null,
    // Without an answer there is still the password, whose form says what is wrong.
    provider: ways.kind === "ok" ? ways.value.oidc : null,
  };
};

export const actions: Actions = {
  default: async ({ request, locals, cookies, url }) => {
    const form = await request.formData();
    const ticket = textOf(form, "ticket");
    if (ticket !== "") {
      const result = await locals.api.secondStep(ticket, proofOf(textOf(form, "code")));
      if (result.kind === "failed") {
        const { status, data } = refused(asWrongPassword(result.failure));
        return fail(status, { ...data, ticket });
      }
      keepSession(cookies, result.value, url, Date.now());
      redirect(303, pathAfterLogin(url));
    }
    const username = textOf(form, "username");
    // Not trimmed: blanks may be part of a password.
    const password = typedIn(form, "password");
    const values = echoOf(form, ["username"]);
    if (username === "") return invalid({ username: "is required" }, values);
    if (password === "") return invalid({ password: "is required" }, values);

    const result = await locals.api.login(username, password);
    if (result.kind === "failed") {
      return refused(asWrongPassword(result.failure), values);
    }
    if ("factor" in result.value) return { ticket: result.value.factor.ticket };
    keepSession(cookies, result.value, url, Date.now());
    redirect(303, pathAfterLogin(url));
  },
};
