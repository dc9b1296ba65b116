/** The live feed: a WebSocket, opened with a session or with a ticket that works once. */
import { Hono, type Context } from "hono";
import { createMiddleware } from "hono/factory";
import { z } from "zod";
import { FEED_NAME, WATCHER_HEADER } from "../../durable-objects/feed/contract.ts";
import { RelayError } from "../domain/errors.ts";
import type { Watcher } from "../domain/feed.ts";
import { hasRole, type Person } from "../domain/person.ts";
import type { Env } from "../env.ts";
import { documented, withFact } from "../api-document/route-facts.ts";
import { query, type AdminEnv } from "./context.ts";
import { requireRole, requireSession } from "./session.ts";

/** So long a connection lasts: whoever lost their role by then cannot connect again. */
const CONNECTION_MS = 3_600_000;

const feedOf = ({ FEED }: Env) => FEED.get(FEED.idFromName(FEED_NAME));

const watcherOf = ({ id, role }: Person): Watcher => ({
  personId: id,
  role,
  until: Date.now() + CONNECTION_MS,
});

const originOf = (context: Context<AdminEnv>): string | null => context.req.header("origin") ?? null;

/** A browser sends cookies with an upgrade from any page, and no other site may listen in. */
function isFromElsewhere(context: Context<AdminEnv>): boolean {
  const origin = originOf(context);
  if (origin === null) return false;
  return !URL.canParse(origin) || new URL(origin).host !== new URL(context.req.url).host;
}

const ticketQuerySchema = z.object({ ticket: z.string().max(100).optional() });

interface FeedEnv extends AdminEnv {
  Variables: AdminEnv["Variables"] & { readonly watcher?: Watcher };
}

const withRole = requireRole("viewer");

/** Lets pass who has a ticket, or a session and the role. */
const requireTicketOrSession = withFact(
  createMiddleware<FeedEnv>(async (context, next) => {
    const ticket = context.req.query("ticket");
    if (ticket === undefined) {
      if (isFromElsewhere(context)) {
        throw new RelayError("permission_denied", "Another site's page may not open the feed.");
      }
      return requireSession(context, async () => {
        await withRole(context, next);
      });
    }
    const watcher = await feedOf(context.env).takeTicket(ticket, originOf(context));
    if (watcher === null || !hasRole(watcher.role, "viewer")) {
      throw new RelayError("unauthenticated", "This ticket is used or too old: POST /admin/feed/tickets.");
    }
    context.set("watcher", watcher);
    await next();
    return undefined;
  }),
  { kind: "guard", role: () => "viewer" },
);

export const feedRoutes = new Hono<FeedEnv>().get(
  "/feed",
  // First of all, so that no text of any length is taken for a ticket.
  query(ticketQuerySchema),
  requireTicketOrSession,
  documented("Opens the live feed, a WebSocket.", { 101: null }, ["upgrade_refused", "rate_limited"]),
  async (context) => {
    if (context.req.header("upgrade")?.toLowerCase() !== "websocket") {
      throw new RelayError("upgrade_refused", "This is a WebSocket: connect to it with wss://.");
    }
    const watcher = context.get("watcher") ?? watcherOf(context.get("person"));
    const headers = { upgrade: "websocket", [WATCHER_HEADER]: JSON.stringify(watcher) };
    const response = await feedOf(context.env).fetch(new Request("https://feed/", { headers }));
    if (response.status === 101) return response;
    throw new RelayError("rate_limited", "Too many watch the feed already. Try again later.");
  },
);

export const ticketAnswer = z.object({ ticket: z.string() }).meta({ id: "FeedTicket" });

/** Behind the guards of everything else; a viewer may make one, since it changes nothing. */
export const feedTicketRoutes = new Hono<AdminEnv>().post(
  "/feed/tickets",
  requireSession,
  requireRole("viewer"),
  documented("Makes a ticket that opens the feed once, within 30 seconds, from the same origin.", {
    200: ticketAnswer,
  }),
  async (context) => {
    const watcher = watcherOf(context.get("person"));
    return context.json({ ticket: await feedOf(context.env).issueTicket(watcher, originOf(context)) });
  },
);
