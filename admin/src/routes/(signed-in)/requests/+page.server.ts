import { CHOICES_SIZE } from "$lib/paging";
import { storyOf, type Story } from "$lib/routing";
import { loaded } from "$lib/server/outcome";
import { parseFilters, usageQuery } from "./filters";
import type { PageServerLoad } from "./$types";

/** Of the row that is open from the start; a page without scripts could not ask for it later. */
async function storyAt(api: App.Locals["api"], requestId: string | null): Promise<Story | null> {
  if (requestId === null) return null;
  const result = await api.request(requestId);
  return result.kind === "ok" ? storyOf(result.value.routing) : { kind: "unread" };
}

export const load: PageServerLoad = async ({ locals, url }) => {
  const query = usageQuery(url.searchParams, locals.timeZone, Date.now());
  const choices = { page: 1, limit: CHOICES_SIZE };
  // The row that the address asks to see in full.
  const open = url.searchParams.get("open");
  const [usage, keys, accounts, story] = await Promise.all([
    loaded(locals.api.usage(query)),
    loaded(locals.api.keys(choices)),
    loaded(locals.api.accounts(choices)),
    storyAt(locals.api, open),
  ]);
  return {
    usage,
    page: query.page,
    filters: parseFilters(url.searchParams),
    keys: keys.items.map(({ id, name }) => ({ id, name })),
    accounts: accounts.items.map(({ id, name }) => ({ id, name })),
    open,
    story,
  };
};
