import { loaded } from "$lib/server/outcome";
import type { PageServerLoad } from "./$types";

export const load: PageServerLoad = async ({ locals }) => ({ overview: await loaded(locals.api.overview()) });
