import { CHOICES_SIZE } from "$lib/paging";
import { loaded } from "$lib/server/outcome";
import { parseFilters, usageQuery } from "./filters";
import type { PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals, url }) => {
  const query = usageQuery(url.searchParams, locals.timeZone, Date.now());
  const choices = { page: 1, limit: CHOICES_SIZE };
  const [usage, keys, accounts] = await Promise.all([
    loaded(locals.api.usage(query)),
    loaded(locals.api.keys(choices)),
    loaded(locals.api.accounts(choices)),
  ]);
  return {
    usage,
    page: query.page,
    filters: parseFilters(url.searchParams),
    keys: keys.items.map(({ id, name }) => ({ id, name })),
    accounts: accounts.items.map(({ id, name }) => ({ id, name })),
    /** The row that the address asks to see in full. */
    open: url.searchParams.get("open"),
  };
};
