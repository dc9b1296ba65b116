import { redirect } from "@sveltejs/kit";
import { echoOf, problemsOf } from "$lib/form-text";
import { formNameOf, KEY_NAMES, readKey } from "$lib/key-form";
import { BLANK_VALUES, keyFormSchema } from "$lib/key-schema";
import { CHOICES_SIZE } from "$lib/paging";
import { done, invalid, loaded, refused } from "$lib/server/outcome";
import { bindingChoices } from "../binding-choices";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals, params, platform }) => {
  const [key, accounts] = await Promise.all([
    loaded(locals.api.key(params.id)),
    loaded(locals.api.accounts({ page: 1, limit: CHOICES_SIZE })),
  ]);
  return {
    key,
    blank: BLANK_VALUES,
    choices: bindingChoices(accounts.items),
    relayUrl: platform?.env.RELAY_URL ?? null,
    now: Date.now(),
  };
};

export const actions: Actions = {
  save: async ({ request, locals, params }) => {
    const form = await request.formData();
    const values = echoOf(form, KEY_NAMES);
    const patch = keyFormSchema.safeParse(readKey(form, locals.timeZone));
    if (!patch.success)
      return invalid(
        problemsOf(patch.error.issues, (path) => formNameOf(path, form)),
        values,
      );
    const result = await locals.api.updateKey(params.id, patch.data);
    return result.kind === "ok" ? done("The settings are saved.") : refused(result.failure, values);
  },

  enable: async ({ locals, params }) => {
    const result = await locals.api.updateKey(params.id, { enabled: true });
    return result.kind === "ok" ? done("The key is enabled.") : refused(result.failure);
  },

  disable: async ({ locals, params }) => {
    const result = await locals.api.updateKey(params.id, { enabled: false });
    return result.kind === "ok" ? done("The key is disabled.") : refused(result.failure);
  },

  rotate: async ({ locals, params }) => {
    const result = await locals.api.rotateKey(params.id);
    if (result.kind === "failed") return refused(result.failure);
    const { name, key } = result.value;
    return { ...done("The key has a new text; the old one is refused from now on."), rotated: { name, key } };
  },

  delete: async ({ locals, params }) => {
    const result = await locals.api.deleteKey(params.id);
    if (result.kind === "failed") return refused(result.failure);
    redirect(303, "/keys?deleted");
  },
};
