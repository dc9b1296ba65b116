/** Turns results of the admin API into what SvelteKit expects: page errors, redirects and refused forms. */
import { error, fail, redirect } from "@sveltejs/kit";
import { hintFor, type ApiFailure, type ApiResult } from "$lib/failure";
import type { FormReport } from "$lib/form-report";

/** A session that the worker no longer accepts leads to the sign-in page, from wherever it is noticed. */
function redirectIfSignedOut(failure: ApiFailure): void {
  if (failure.code === "unauthenticated") redirect(303, "/login?expired");
}

/** For loads: the value, or the error page. */
export async function loaded<T>(call: Promise<ApiResult<T>>): Promise<T> {
  const result = await call;
  if (result.kind === "ok") return result.value;
  const { failure } = result;
  redirectIfSignedOut(failure);
  error(failure.status, { message: failure.message, hint: hintFor(failure.code) });
}

/** For actions: the page again, with what was refused and why. */
export function refused(failure: ApiFailure, values: Readonly<Record<string, string>> = {}) {
  redirectIfSignedOut(failure);
  const problems = Object.fromEntries(failure.problems.map(({ field, message }) => [field, message]));
  const report: FormReport = {
    tone: "bad",
    message: failure.message,
    hint: hintFor(failure.code),
    problems,
    values,
  };
  return fail(failure.status, { report });
}

/** For actions whose form did not pass its schema. */
export function invalid(
  problems: Readonly<Record<string, string>>,
  values: Readonly<Record<string, string>>,
) {
  const report: FormReport = {
    tone: "bad",
    message: "The form was not saved.",
    hint: hintFor("invalid_request"),
    problems,
    values,
  };
  return fail(400, { report });
}

/** For actions that went well. */
export function done(message: string, tone: FormReport["tone"] = "good"): { report: FormReport } {
  return { report: { tone, message, hint: null, problems: {}, values: {} } };
}
