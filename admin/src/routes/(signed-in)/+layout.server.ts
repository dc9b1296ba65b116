import { loaded } from "$lib/server/outcome";
import type { LayoutServerLoad } from "./$types";

export const load: LayoutServerLoad = async ({ locals }) => ({ user: await loaded(locals.api.me()) });
