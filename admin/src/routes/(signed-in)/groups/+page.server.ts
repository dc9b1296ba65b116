import { groupSchema } from "$lib/domain";
import { problemsOf, textOf } from "$lib/form-text";
import { CHOICES_SIZE } from "$lib/paging";
import { done, invalid, loaded, refused } from "$lib/server/outcome";
import { groupShown, titleOf } from "$lib/group";
import { policyLabel } from "./policies";
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
  policy: async ({ request, locals }) => {
    const form = await request.formData();
    const group = groupSchema.safeParse({ name: textOf(form, "name"), policy: textOf(form, "policy") });
    if (!group.success) return invalid(problemsOf(group.error.issues), {});
    const { name, policy } = group.data;
    const result = await locals.api.setPolicy(name, policy);
    if (result.kind === "failed") return refused(result.failure);
    return done(`${titleOf(name)}: the policy is now “${policyLabel(policy)}”.`);
  },

  forget: async ({ request, locals }) => {
    const name = textOf(await request.formData(), "name");
    const result = await locals.api.forgetGroup(name);
    return result.kind === "ok" ? done(`${name} is removed.`) : refused(result.failure);
  },
};
