import { redirect } from "@sveltejs/kit";
import { endSession } from "$lib/server/session";
import type { Actions, PageServerLoad } from "./$types";

/** Signing out changes something, so it is a form; whoever opens the address is led on. */
export const load: PageServerLoad = () => redirect(303, "/");

export const actions: Actions = {
  default: async ({ locals, cookies, url }) => {
    // The cookie goes in any case: a session that the worker cannot end now ends by itself.
    await locals.api.logout();
    endSession(cookies, url);
    redirect(303, "/login");
  },
};
