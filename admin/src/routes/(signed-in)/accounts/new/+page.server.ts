import { fail, redirect } from "@sveltejs/kit";
import type { OAuthStart } from "$lib/api";
import { echoAccount, formNameOf, readAccount } from "$lib/account-form";
import { accountFormSchema, BLANK_VALUES, signInFormSchema } from "$lib/account-schema";
import { drawCredential, readCredential } from "$lib/credential-form";
import { problemsOf, textOf } from "$lib/form-text";
import { invalid, loaded, refused } from "$lib/server/outcome";
import type { Actions, PageServerLoad } from "./$types";

/** Which of the credential's shapes the address asks for. */
const variantIndex = (url: URL): number =>
  Math.max(0, Math.trunc(Number(url.searchParams.get("variant")) || 0));

const signInOf = (form: FormData): OAuthStart => ({
  sessionId: textOf(form, "sessionId"),
  url: textOf(form, "url"),
  userCode: textOf(form, "userCode") || null,
  expiresAt: Number(textOf(form, "expiresAt")),
});

/** The refused form together with the sign-in it belongs to. */
const again = (refusal: ReturnType<typeof invalid>, signIn: OAuthStart) =>
  fail(refusal.status, { ...refusal.data, signIn });

export const load: PageServerLoad = async ({ locals, url }) => {
  const { items } = await loaded(locals.api.providers());
  const provider = items.find(({ id }) => id === url.searchParams.get("provider")) ?? null;
  return {
    blank: BLANK_VALUES,
    providers: items.map(({ id, label, oauth }) => ({ id, label, oauth })),
    provider: provider === null ? null : { id: provider.id, label: provider.label, oauth: provider.oauth },
    variants: provider === null ? [] : drawCredential(provider.credential),
    variantIndex: variantIndex(url),
    signIn: provider?.oauth === true && url.searchParams.get("method") !== "credential",
  };
};

export const actions: Actions = {
  create: async ({ request, locals, url }) => {
    const form = await request.formData();
    const values = echoAccount(form);
    const { items } = await loaded(locals.api.providers());
    const provider = items.find(({ id }) => id === url.searchParams.get("provider"));
    if (provider === undefined) return invalid({ "": "Pick a provider first." }, values);

    const reading = readCredential(form, provider.credential, variantIndex(url));
    const settings = readAccount(form);
    if (reading.kind === "invalid") return invalid(reading.problems, values);
    if (reading.kind === "empty") return invalid({ "": "The credential is missing." }, values);
    const { credential } = reading;
    const input = accountFormSchema.safeParse({ ...settings, provider: provider.id, credential });
    if (!input.success) return invalid(problemsOf(input.error.issues, formNameOf), values);

    const result = await locals.api.createAccount(input.data);
    if (result.kind === "failed") return refused(result.failure, values);
    redirect(303, `/accounts/${result.value.id}?created`);
  },

  startOAuth: async ({ locals, url }) => {
    const result = await locals.api.startOAuth(url.searchParams.get("provider") ?? "");
    if (result.kind === "failed") return refused(result.failure);
    return { signIn: result.value };
  },

  exchangeOAuth: async ({ request, locals }) => {
    const form = await request.formData();
    // The sign-in goes on when the form is refused: the page needs its address again.
    const signIn = signInOf(form);
    const values = echoAccount(form);
    const settings = signInFormSchema.safeParse(readAccount(form));
    if (!settings.success)
      return again(invalid(problemsOf(settings.error.issues, formNameOf), values), signIn);
    const code = textOf(form, "code");
    if (code === "") return again(invalid({ code: "is required" }, values), signIn);

    const result = await locals.api.exchangeOAuth({
      sessionId: signIn.sessionId,
      code,
      account: settings.data,
    });
    if (result.kind === "failed") return again(refused(result.failure, values), signIn);
    redirect(303, `/accounts/${result.value.id}?created`);
  },

  pollOAuth: async ({ request, locals }) => {
    const form = await request.formData();
    const signIn = signInOf(form);
    const values = echoAccount(form);
    const settings = signInFormSchema.safeParse(readAccount(form));
    if (!settings.success)
      return again(invalid(problemsOf(settings.error.issues, formNameOf), values), signIn);

    const result = await locals.api.pollOAuth({ sessionId: signIn.sessionId, account: settings.data });
    if (result.kind === "failed") return again(refused(result.failure, values), signIn);
    if ("kind" in result.value) {
      return again(
        invalid({ "": "The provider still waits for you: finish there, then try again." }, values),
        signIn,
      );
    }
    redirect(303, `/accounts/${result.value.id}?created`);
  },
};
