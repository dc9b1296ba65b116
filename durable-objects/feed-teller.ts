/**
 * Tells the feed of requests that ended, while somebody looks. As long as nobody does, an isolate asks once in a
 * while, with the requests it has at that moment, and says nothing in between.
 */
import type { FeedEvent } from "../worker/domain/feed.ts";
import type { EpochMs } from "../worker/domain/ids.ts";
import type { Env } from "../worker/env.ts";
import { FEED_NAME } from "./feed/contract.ts";

/** More in one message would be more than anybody reads. */
const EVENTS_MAX = 200;
/** The feed did not answer. */
const PAUSE_MS = 10_000;

/** Of this isolate, whichever object speaks. */
let quietUntil: EpochMs = 0;

export const isFeedQuiet = (now: EpochMs): boolean => now < quietUntil;

/** Never throws: what is not seen live is in the ledger. */
export async function tellFeed(
  env: Pick<Env, "FEED">,
  events: readonly FeedEvent[],
  now: EpochMs,
): Promise<void> {
  if (isFeedQuiet(now) || events.length === 0) return;
  try {
    const feed = env.FEED.get(env.FEED.idFromName(FEED_NAME));
    const shown = events.slice(-EVENTS_MAX);
    const answer = await feed.publish(shown, events.length - shown.length);
    quietUntil = answer.watched ? 0 : now + answer.quietMs;
  } catch {
    quietUntil = now + PAUSE_MS;
  }
}
