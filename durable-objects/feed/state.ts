/** What the feed knows: tickets, and the last minute's figures; and who sees what. Pure. */
import { z } from "zod";
import { watcherSchema, type FeedEvent, type FeedMessage, type Watcher } from "../../worker/domain/feed.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import { hasRole } from "../../worker/domain/person.ts";

/** A page connects as soon as it has its ticket. */
export const TICKET_MS = 30_000;
const TICKETS_MAX = 100;
/** What the figures are of. */
const WINDOW_MS = 60_000;
/** Figures are gathered in parts of the window, so that it moves on. */
const PART_MS = 5000;

const ticketSchema = z.object({
  /** SHA-256. */
  hash: z.string(),
  watcher: watcherSchema,
  origin: z.string().nullable(),
  expiresAt: z.number(),
});
export type Ticket = Readonly<z.infer<typeof ticketSchema>>;

const partSchema = z.object({
  start: z.number(),
  requests: z.number(),
  failed: z.number(),
  tokens: z.number(),
  cost: z.number(),
});
type Part = Readonly<z.infer<typeof partSchema>>;

export const feedStateSchema = z.object({
  tickets: z.array(ticketSchema).readonly(),
  /** Oldest first. */
  parts: z.array(partSchema).readonly(),
  /** When somebody began to look; null: nobody does. */
  watchedSince: z.number().nullable(),
});
export type FeedState = Readonly<z.infer<typeof feedStateSchema>>;

export const EMPTY: FeedState = { tickets: [], parts: [], watchedSince: null };

const isOpen =
  (now: EpochMs) =>
  ({ expiresAt }: Ticket) =>
    expiresAt > now;

export const issued = (state: FeedState, ticket: Ticket, now: EpochMs): FeedState => ({
  ...state,
  tickets: [...state.tickets.filter(isOpen(now)), ticket].slice(-TICKETS_MAX),
});

/** A ticket works once, even for whoever comes from elsewhere with it. */
export function taken(
  state: FeedState,
  { hash, origin }: Pick<Ticket, "hash" | "origin">,
  now: EpochMs,
): { readonly state: FeedState; readonly watcher: Watcher | null } {
  const open = state.tickets.filter(isOpen(now));
  const found = open.find((ticket) => ticket.hash === hash);
  if (found === undefined) return { state, watcher: null };
  const rest = { ...state, tickets: open.filter((ticket) => ticket !== found) };
  return { state: rest, watcher: found.origin === origin ? found.watcher : null };
}

/** Nobody looked before, so nothing was counted. */
export const watched = (state: FeedState, now: EpochMs): FeedState =>
  state.watchedSince === null ? { ...state, parts: [], watchedSince: now } : state;

export const unwatched = (state: FeedState): FeedState =>
  state.watchedSince === null && state.parts.length === 0
    ? state
    : { ...state, parts: [], watchedSince: null };

const isFailed = ({ outcome }: FeedEvent) => outcome !== "completed" && outcome !== "client_gone";

/** By when a request came to be known, so that clocks of other machines do not matter. */
export function counted(state: FeedState, events: readonly FeedEvent[], now: EpochMs): FeedState {
  if (events.length === 0) return state;
  const start = Math.floor(now / PART_MS) * PART_MS;
  const last = state.parts.at(-1);
  const isSame = last?.start === start;
  const before: Part = isSame ? last : { start, requests: 0, failed: 0, tokens: 0, cost: 0 };
  const part = events.reduce<Part>(
    (sum, event) => ({
      start,
      requests: sum.requests + 1,
      failed: sum.failed + (isFailed(event) ? 1 : 0),
      tokens: sum.tokens + event.tokens,
      cost: sum.cost + event.cost,
    }),
    before,
  );
  const earlier = isSame ? state.parts.slice(0, -1) : state.parts;
  return { ...state, parts: [...earlier.filter((each) => each.start > now - WINDOW_MS), part] };
}

export function metricsOf(
  { parts, watchedSince }: FeedState,
  watchers: number,
  now: EpochMs,
): Extract<FeedMessage, { type: "metrics" }> {
  const recent = parts.filter(({ start }) => start > now - WINDOW_MS);
  const sum = (measure: Exclude<keyof Part, "start">) => recent.reduce((all, part) => all + part[measure], 0);
  return {
    type: "metrics",
    windowMs: Math.min(WINDOW_MS, Math.max(0, now - (watchedSince ?? now))),
    requests: sum("requests"),
    failed: sum("failed"),
    tokens: sum("tokens"),
    cost: sum("cost"),
    watchers,
  };
}

/** Whoever may look may look at everything; a user sees what their own keys do. */
export const sees = ({ role, personId }: Watcher, { ownerId }: FeedEvent): boolean =>
  hasRole(role, "viewer") || ownerId === personId;

/** Figures are of everybody's requests. */
export const seesMetrics = ({ role }: Watcher): boolean => hasRole(role, "viewer");
