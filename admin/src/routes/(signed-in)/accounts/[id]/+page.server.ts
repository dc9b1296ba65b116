import { redirect } from "@sveltejs/kit";
import { echoAccount, formNameOf, readAccount } from "$lib/account-form";
import { BLANK_VALUES, settingsFormSchema } from "$lib/account-schema";
import { drawCredential, readCredential } from "$lib/credential-form";
import { problemsOf } from "$lib/form-text";
import { done, invalid, loaded, refused } from "$lib/server/outcome";
import { testSentence, testTone } from "../test-report";
import type { Actions, PageServerLoad } from "./$types";

const variantIndex = (url: URL): number =>
  Math.max(0, Math.trunc(Number(url.searchParams.get("variant")) || 0));

export const load: PageServerLoad = async ({ locals, params, url }) => {
  const [account, providers] = await Promise.all([
    loaded(locals.api.account(params.id)),
    loaded(locals.api.providers()),
  ]);
  const provider = providers.items.find(({ id }) => id === account.provider);
  return {
    account,
    blank: BLANK_VALUES,
    providerLabel: provider?.label ?? account.provider,
    oauth: provider?.oauth ?? false,
    variants: drawCredential(provider?.credential),
    variantIndex: variantIndex(url),
    created: url.searchParams.has("created"),
    now: Date.now(),
  };
};

export const actions: Actions = {
  save: async ({ request, locals, params }) => {
    const form = await request.formData();
    const values = echoAccount(form);
    const patch = settingsFormSchema.safeParse(readAccount(form));
    if (!patch.success) return invalid(problemsOf(patch.error.issues, formNameOf), values);
    const result = await locals.api.updateAccount(params.id, patch.data);
    return result.kind === "ok" ? done("The settings are saved.") : refused(result.failure, values);
  },

  credential: async ({ request, locals, params, url }) => {
    const form = await request.formData();
    const account = await loaded(locals.api.account(params.id));
    const { items } = await loaded(locals.api.providers());
    const schema = items.find(({ id }) => id === account.provider)?.credential;
    const reading = readCredential(form, schema, variantIndex(url));
    if (reading.kind === "empty") return invalid({ "": "Enter the new credential first." }, {});
    if (reading.kind === "invalid") return invalid(reading.problems, {});
    const result = await locals.api.updateAccount(params.id, { credential: reading.credential });
    return result.kind === "ok" ? done("The new credential is in use.") : refused(result.failure);
  },

  enable: async ({ locals, params }) => {
    const result = await locals.api.updateAccount(params.id, { enabled: true });
    return result.kind === "ok" ? done("The account is enabled.") : refused(result.failure);
  },

  disable: async ({ locals, params }) => {
    const result = await locals.api.updateAccount(params.id, { enabled: false });
    return result.kind === "ok"
      ? done("The account is disabled; requests in flight are allowed to end.")
      : refused(result.failure);
  },

  test: async ({ locals, params }) => {
    const result = await locals.api.testAccount(params.id);
    if (result.kind === "failed") return refused(result.failure);
    return done(testSentence("The account", result.value), testTone(result.value));
  },

  reset: async ({ locals, params }) => {
    const result = await locals.api.resetAccount(params.id);
    return result.kind === "ok" ? done("All cooldowns are gone.") : refused(result.failure);
  },

  refresh: async ({ locals, params }) => {
    const result = await locals.api.refreshAccount(params.id);
    return result.kind === "ok" ? done("The token is refreshed.") : refused(result.failure);
  },

  delete: async ({ locals, params }) => {
    const result = await locals.api.deleteAccount(params.id);
    if (result.kind === "failed") return refused(result.failure);
    redirect(303, "/accounts?deleted");
  },
};
