/** Mounts every route, and turns whatever goes wrong into the client's own protocol. */
import { Hono, type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { adminApp } from "./admin/routes.ts";
import { ERROR_STATUS, RelayError, type ErrorFacts } from "./domain/errors.ts";
import { systemError } from "./notify/system-error.ts";
import { tell } from "./notify/tell.ts";
import { publicRoutes } from "./public/routes.ts";
import { ROUTING_HEADER } from "./relay/story.ts";
import { relayRoutes, requestIdOf, type AppEnv } from "./relay/routes.ts";
import { selfServiceRoutes } from "./relay/self-service.ts";
import { answerHealth } from "./status/health.ts";
import { answerMetrics } from "./status/metrics.ts";

/** nginx's code for "client closed request"; nobody is there to read it. */
const STATUS_CLIENT_GONE = 499;

/** The path of a request, cut out of its URL. Base URLs with a trailing slash give paths with two, which mean one. */
function getPath({ url }: Request): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.slice(start).search(/[?#]/);
  const path = end === -1 ? url.slice(start) : url.slice(start, start + end);
  const isPlain = !path.includes("//") && !path.endsWith("/");
  return isPlain ? path : path.replace(/\/{2,}/g, "/").replace(/(.)\/$/, "$1");
}

/** Errors outside any protocol. */
const plainError = (error: ErrorFacts, requestId: string) => ({
  status: ERROR_STATUS[error.code],
  contentType: "application/json",
  body: JSON.stringify({ error: { code: error.code, message: error.message, requestId } }),
});

function respondWith(error: ErrorFacts, context: Context<AppEnv>): Response {
  const requestId = requestIdOf(context);
  const rendered = context.get("protocol")?.renderError(error, requestId) ?? plainError(error, requestId);
  const headers = new Headers({
    "content-type": rendered.contentType,
    "cache-control": "no-store",
    "request-id": requestId,
    "x-relay-request-id": requestId,
  });
  const story = context.get("story");
  if (story?.isOpen === true) headers.set(ROUTING_HEADER, story.header);
  if (error.retryAfterMs !== null)
    headers.set("retry-after", String(Math.max(1, Math.ceil(error.retryAfterMs / 1000))));
  return new Response(rendered.body, { status: rendered.status, headers });
}

/** Failures that come in a crowd are one message: an isolate says no more of them for a while. */
const TELL_SPACING_MS = 60_000;
let toldAt = 0;

function tellOfFailure({ env, executionCtx }: Context<AppEnv>, requestId: string): void {
  const now = Date.now();
  if (now - toldAt < TELL_SPACING_MS) return;
  toldAt = now;
  executionCtx.waitUntil(tell(env, [systemError("a request", [`Request: ${requestId}`], now)]));
}

function onError(error: Error, context: Context<AppEnv>): Response {
  if (context.req.raw.signal.aborted) return new Response(null, { status: STATUS_CLIENT_GONE });
  if (error instanceof RelayError) return respondWith(error, context);
  // Hono's own refusals, such as a body that is not JSON.
  if (error instanceof HTTPException && error.status < 500) {
    return respondWith({ code: "invalid_request", message: error.message, retryAfterMs: null }, context);
  }
  const requestId = requestIdOf(context);
  console.error(
    JSON.stringify({ event: "internal_error", requestId, message: error.message, stack: error.stack }),
  );
  tellOfFailure(context, requestId);
  const message = `Something went wrong in the relay. Quote ${requestId} when you report it.`;
  return respondWith({ code: "internal", message, retryAfterMs: null }, context);
}

export const app = new Hono<AppEnv>({ getPath })
  .get("/health", answerHealth)
  .get("/metrics", answerMetrics)
  .route("/", relayRoutes())
  .route("/", selfServiceRoutes())
  .route("/public", publicRoutes)
  .route("/", adminApp)
  .notFound((context) =>
    respondWith(
      { code: "not_found", message: `There is nothing at ${context.req.path}.`, retryAfterMs: null },
      context,
    ),
  )
  .onError(onError);
