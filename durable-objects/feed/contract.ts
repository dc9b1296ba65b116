/** What may be asked of the feed, of which a deployment has one. Decisions come back as values; nothing is thrown. */
import type { FeedEvent, Watcher } from "../../worker/domain/feed.ts";

/** The name of the one object. */
export const FEED_NAME = "feed";

/** Carries the watcher of a connection, as JSON, from the worker to the object. Nobody else can reach it. */
export const WATCHER_HEADER = "x-relay-watcher";

export interface FeedAnswer {
  /** Somebody looks: go on. */
  readonly watched: boolean;
  /** Nobody does: say nothing for so long, in ms. */
  readonly quietMs: number;
}

export interface FeedContract {
  /** A WebSocket's upgrade. */
  fetch(request: Request): Promise<Response>;
  /** @param left how many more there were */
  publish(events: readonly FeedEvent[], left: number): Promise<FeedAnswer>;
  /** For whoever cannot send a session with an upgrade: opens one connection, soon, from the same origin. */
  issueTicket(watcher: Watcher, origin: string | null): Promise<string>;
  /** null: unknown, used, late, or from another origin */
  takeTicket(ticket: string, origin: string | null): Promise<Watcher | null>;
}
