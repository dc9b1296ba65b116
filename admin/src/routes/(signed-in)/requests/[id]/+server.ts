/** How one request found its account, for a row that is opened in the browser: the list does not carry it. */
import { json } from "@sveltejs/kit";
import { storyOf } from "$lib/routing";
import { loaded } from "$lib/server/outcome";
import type { RequestHandler } from "./$types";

export const GET: RequestHandler = async ({ locals, params }) => {
  const { routing } = await loaded(locals.api.request(params.id));
  return json(storyOf(routing));
};
