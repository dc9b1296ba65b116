import { pageQuery } from "$lib/paging";
import { textOf } from "$lib/form-text";
import { done, loaded, refused } from "$lib/server/outcome";
import { testSentence, testTone } from "./test-report";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals, url }) => {
  const query = pageQuery(url.searchParams);
  const [accounts, providers] = await Promise.all([
    loaded(locals.api.accounts(query)),
    loaded(locals.api.providers()),
  ]);
  const providerLabels = Object.fromEntries(providers.items.map(({ id, label }) => [id, label]));
  return {
    accounts,
    providerLabels,
    page: query.page,
    now: Date.now(),
    deleted: url.searchParams.has("deleted"),
  };
};

export const actions: Actions = {
  enable: async ({ request, locals }) => {
    const id = textOf(await request.formData(), "id");
    const result = await locals.api.updateAccount(id, { enabled: true });
    return result.kind === "ok" ? done(`${result.value.name} is enabled.`) : refused(result.failure);
  },
  disable: async ({ request, locals }) => {
    const id = textOf(await request.formData(), "id");
    const result = await locals.api.updateAccount(id, { enabled: false });
    return result.kind === "ok" ? done(`${result.value.name} is disabled.`) : refused(result.failure);
  },
  test: async ({ request, locals }) => {
    const form = await request.formData();
    const result = await locals.api.testAccount(textOf(form, "id"));
    if (result.kind === "failed") return refused(result.failure);
    return done(testSentence(textOf(form, "name"), result.value), testTone(result.value));
  },
};
