/** The data plane's routes: each protocol's calls under each of its prefixes. */
import { Hono, type Context } from "hono";
import { RelayError } from "../domain/errors.ts";
import { newRequestId, type RequestId } from "../domain/ids.ts";
import type { Env } from "../env.ts";
import { PROTOCOLS } from "../protocols/index.ts";
import type { ClientCall, Protocol, ProtocolRoute } from "../protocols/protocol.ts";
import { authenticate } from "./authenticate.ts";
import { captureOf } from "./capture.ts";
import { createPorts, type Ports } from "./ports.ts";
import { affinityOf, readBody } from "./read-call.ts";
import { Story } from "./story.ts";
import { relay } from "./relay.ts";

/** What every route of the app may read of its request. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    /** Absent until somebody asks: see `requestIdOf`. */
    readonly requestId?: RequestId;
    /** The dialect in which this request's errors are told; absent on paths of no protocol. */
    readonly protocol?: Protocol;
    /** How the request was routed so far; absent before it is. */
    readonly story?: Story;
  };
}

/** The request's id, made when it is first asked for: no middleware has to run for it before every handler. */
export function requestIdOf(context: Context<AppEnv>): RequestId {
  const known = context.get("requestId");
  if (known !== undefined) return known;
  const requestId = newRequestId(Date.now(), crypto.getRandomValues(new Uint8Array(16)));
  context.set("requestId", requestId);
  return requestId;
}

/** The query of a request, or null where it has none: most calls have none, and parsing costs. */
function queryOf(url: string): URLSearchParams | null {
  const at = url.indexOf("?");
  return at === -1 ? null : new URLSearchParams(url.slice(at + 1));
}

/** The query for the upstream: without the relay key. */
function upstreamQuery(query: URLSearchParams | null): string {
  if (query === null) return "";
  query.delete("key");
  return query.toString();
}

export const portsOf = (context: Context<AppEnv>): Ports =>
  createPorts(
    context.env,
    (work) => {
      context.executionCtx.waitUntil(work);
    },
    context.req.raw.signal,
  );

async function serve(context: Context<AppEnv>, protocol: Protocol, mount: Mount): Promise<Response> {
  const ports = portsOf(context);
  const request = context.req.raw;
  const query = queryOf(request.url);
  const snapshots = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const key = await authenticate(request.headers, query, snapshots);
  const clientCall: ClientCall = {
    body: await readBody(request, ports.env.BODY_BYTES_MAX),
    headers: request.headers,
    path: context.req.path.slice(mount.prefix.length),
    query: upstreamQuery(query),
  };
  const parsed = protocol.parse(clientCall);
  const affinity = await affinityOf(key, parsed, clientCall.body);
  const prepared = protocol.prepare?.(clientCall, parsed) ?? null;
  const story = new Story();
  context.set("story", story);
  const requestId = requestIdOf(context);
  const answer = relay(
    {
      ...clientCall,
      body: prepared?.body ?? clientCall.body,
      createFilter: prepared?.createFilter ?? null,
      requestId,
      key,
      protocol,
      translation: null,
      asked: clientCall,
      operation: mount.route.operation,
      service: mount.route.service ?? protocol.service,
      onlyProvider: mount.route.provider ?? null,
      crosses: mount.route.crosses ?? null,
      // In a body that was prepared, the model may lie elsewhere.
      parsed: prepared === null ? parsed : protocol.parse({ ...clientCall, body: prepared.body }),
      affinity,
      story,
    },
    ports,
  );
  if (key.captureUntil === null) return answer;
  const capture = captureOf(key, { requestId, protocol, body: clientCall.body }, ports);
  return capture === null ? answer : capture.watch(answer);
}

/** A route below one of its prefixes. */
interface Mount {
  readonly prefix: string;
  readonly route: ProtocolRoute;
}

const mountsOf = (protocol: Protocol): Mount[] =>
  protocol.routes.flatMap((route) =>
    (route.prefixes ?? protocol.prefixes).map((prefix) => ({ prefix, route })),
  );

/** Clients try a WebSocket first; told so in these words, they fall back to HTTP at once (RFC 9110, section 15.5.22). */
function refuseUpgrade(request: Request): void {
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") return;
  throw new RelayError("upgrade_refused", "This relay speaks HTTP here, not WebSocket.");
}

export function relayRoutes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const protocol of Object.values(PROTOCOLS)) {
    for (const mount of mountsOf(protocol)) {
      const { method, path, refusal } = mount.route;
      app.all(`${mount.prefix}${path}`, (context) => {
        context.set("protocol", protocol);
        if (refusal !== undefined) throw new RelayError("not_found", refusal);
        if (context.req.method === method) return serve(context, protocol, mount);
        refuseUpgrade(context.req.raw);
        throw new RelayError("method_not_allowed", `Use ${method} for ${context.req.path}.`);
      });
    }
  }
  return app;
}
