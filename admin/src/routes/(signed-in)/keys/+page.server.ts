import { textOf } from "$lib/form-text";
import { pageQuery } from "$lib/paging";
import { done, loaded, refused } from "$lib/server/outcome";
import type { Actions, PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals, url }) => {
  const query = pageQuery(url.searchParams);
  const keys = await loaded(locals.api.keys(query));
  return { keys, page: query.page, now: Date.now(), deleted: url.searchParams.has("deleted") };
};

export const actions: Actions = {
  enable: async ({ request, locals }) => {
    const id = textOf(await request.formData(), "id");
    const result = await locals.api.updateKey(id, { enabled: true });
    return result.kind === "ok" ? done(`${result.value.name} is enabled.`) : refused(result.failure);
  },
  disable: async ({ request, locals }) => {
    const id = textOf(await request.formData(), "id");
    const result = await locals.api.updateKey(id, { enabled: false });
    return result.kind === "ok" ? done(`${result.value.name} is disabled.`) : refused(result.failure);
  },
};
