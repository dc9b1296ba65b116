import { echoOf, problemsOf } from "$lib/form-text";
import { formNameOf, KEY_NAMES, readKey } from "$lib/key-form";
import { BLANK_VALUES, newKeyFormSchema } from "$lib/key-schema";
import { CHOICES_SIZE } from "$lib/paging";
import { invalid, loaded, refused } from "$lib/server/outcome";
import { bindingChoices } from "../binding-choices";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals, platform }) => {
  const { items } = await loaded(locals.api.accounts({ page: 1, limit: CHOICES_SIZE }));
  return {
    blank: BLANK_VALUES,
    choices: bindingChoices(items),
    relayUrl: platform?.env.RELAY_URL ?? null,
  };
};

export const actions: Actions = {
  default: async ({ request, locals }) => {
    const form = await request.formData();
    const values = echoOf(form, KEY_NAMES);
    const input = newKeyFormSchema.safeParse(readKey(form, locals.timeZone));
    if (!input.success)
      return invalid(
        problemsOf(input.error.issues, (path) => formNameOf(path, form)),
        values,
      );
    const result = await locals.api.createKey({ ...input.data, enabled: true, ownerId: null });
    if (result.kind === "failed") return refused(result.failure, values);
    const { id, name, key } = result.value;
    return { created: { id, name, key } };
  },
};
