/** Empties what is no longer needed to explain a request: where it went, and what the upstreams said. */
import { firstRequestIdAt } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { forgetRouting } from "../storage/usage-list.ts";
import { settingsFor } from "./settings.ts";

const DAY_MS = 86_400_000;
/** Records older than this were seen to by an earlier run, so a run reads no more than these days. */
const LOOK_BACK_MS = 3 * DAY_MS;

export async function forgetOldRouting(env: Env, now: number): Promise<void> {
  const { routingDays } = await settingsFor(env);
  const end = now - routingDays * DAY_MS;
  await forgetRouting(env.DB, firstRequestIdAt(end - LOOK_BACK_MS), firstRequestIdAt(end));
}
