import { echoOf, problemsOf, textOf } from "$lib/form-text";
import { CHOICES_SIZE } from "$lib/paging";
import { done, invalid, loaded, refused } from "$lib/server/outcome";
import { groupShown, titleOf } from "$lib/group";
import { GROUP_NAMES, groupFormSchema, readGroup } from "$lib/group-form";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals }) => {
  const [groups, accounts] = await Promise.all([
    loaded(locals.api.groups()),
    loaded(locals.api.accounts({ page: 1, limit: CHOICES_SIZE })),
  ]);
  return {
    groups: groups.items.map((group) => groupShown(group, accounts.items)),
    hasAccounts: accounts.total > 0,
  };
};

export const actions: Actions = {
  save: async ({ request, locals }) => {
    const form = await request.formData();
    const group = groupFormSchema.safeParse(readGroup(form));
    if (!group.success) return invalid(problemsOf(group.error.issues), echoOf(form, GROUP_NAMES));
    const result = await locals.api.saveGroup(group.data);
    if (result.kind === "failed") return refused(result.failure, echoOf(form, GROUP_NAMES));
    return done(`${titleOf(group.data.name)}: the settings are saved.`);
  },

  forget: async ({ request, locals }) => {
    const name = textOf(await request.formData(), "name");
    const result = await locals.api.forgetGroup(name);
    return result.kind === "ok" ? done(`${name} is removed.`) : refused(result.failure);
  },
};
