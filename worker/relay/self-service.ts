/** What a key's holder may ask about the key itself, and small calls that clients make around their work. */
import { Hono, type Context } from "hono";
import { capturedUntil } from "../domain/capture.ts";
import { RelayError } from "../domain/errors.ts";
import { toDollars } from "../domain/money.ts";
import { PROTOCOLS } from "../protocols/index.ts";
import type { ModelList, Protocol } from "../protocols/protocol.ts";
import { findDirectory } from "../storage/snapshots.ts";
import { authenticate } from "./authenticate.ts";
import { offeredModels } from "./model-lists.ts";
import { askObject } from "./ports.ts";
import { portsOf, type AppEnv } from "./routes.ts";

const PREFIXES = PROTOCOLS.anthropic.prefixes;

/** A live key and its running state; asking costs the key nothing. */
async function whoAsks(context: Context<AppEnv>, protocol: Protocol = PROTOCOLS.anthropic) {
  context.set("protocol", protocol);
  const ports = portsOf(context);
  const snapshots = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const query = new URL(context.req.url).searchParams;
  const key = await authenticate(context.req.raw.headers, query, snapshots);
  const status = await askObject(() => ports.keyObject(key.id).standing(key.fingerprint));
  if (status === null) throw new RelayError("unauthenticated", "Invalid API key");
  return { key, status, ports, snapshots };
}

const instantText = (at: number | null) => (at === null ? null : new Date(at).toISOString());

interface MountedList {
  readonly protocol: Protocol;
  readonly prefix: string;
  readonly list: ModelList;
}

/** Base URLs that clients of several services have: the root, for one. */
function isShared(prefix: string): boolean {
  const mounted = Object.values<Protocol>(PROTOCOLS).filter(({ prefixes }) => prefixes.includes(prefix));
  return new Set(mounted.map(({ service }) => service)).size > 1;
}

/**
 * Where clients of several services ask, all models that the key may use. Below a prefix of one service, those of its
 * accounts; a key that may not use it is told so, and not that there are none.
 */
async function modelsFor(context: Context<AppEnv>, { protocol, prefix, list }: MountedList) {
  const { key, status, snapshots } = await whoAsks(context, protocol);
  const service = list.service ?? protocol.service;
  const shared = isShared(prefix);
  if (!shared && status.permissions.length > 0 && !status.permissions.includes(service)) {
    const reason = "service_not_allowed";
    throw new RelayError("permission_denied", `This key may not use ${service}.`, { reason });
  }
  const directory = await findDirectory(snapshots);
  const places = shared ? Object.values(PROTOCOLS) : [{ id: protocol.id, service }];
  return offeredModels(directory, { key, limits: status }, places);
}

async function listModels(context: Context<AppEnv>, mounted: MountedList) {
  return context.json(mounted.list.render(await modelsFor(context, mounted)) as object);
}

async function showModel(context: Context<AppEnv>, mounted: MountedList) {
  const name = context.req.param("model");
  const model = (await modelsFor(context, mounted)).find(({ id }) => id === name);
  if (model === undefined || mounted.list.renderOne === undefined) {
    throw new RelayError("model_not_found", "There is no such model here.");
  }
  return context.json(mounted.list.renderOne(model) as object);
}

const mountedLists = (): MountedList[] =>
  Object.values<Protocol>(PROTOCOLS).flatMap((protocol) =>
    protocol.modelLists.flatMap((list) =>
      (list.prefixes ?? protocol.prefixes).map((prefix) => ({ protocol, prefix, list })),
    ),
  );

export function selfServiceRoutes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const mounted of mountedLists()) {
    const path = `${mounted.prefix}${mounted.list.path}`;
    app.get(path, (context) => listModels(context, mounted));
    if (mounted.list.renderOne !== undefined) {
      app.get(`${path}/:model`, (context) => showModel(context, mounted));
    }
  }
  for (const prefix of PREFIXES) {
    app.get(`${prefix}/v1/me`, async (context) => {
      const { key } = await whoAsks(context);
      return context.json({
        id: `user_${key.id}`,
        type: "user",
        display_name: key.name,
        created_at: instantText(key.createdAt),
      });
    });
    app.get(`${prefix}/v1/key-info`, async (context) => {
      const { key, status } = await whoAsks(context);
      const usage = {
        requests: status.totalRequests,
        tokens: status.totalTokens,
        cost: toDollars(status.totalCost),
      };
      const expiresAt = instantText(status.expiresAt);
      const captureUntil = instantText(capturedUntil(key.captureUntil, Date.now()));
      return context.json({
        keyInfo: { id: key.id, name: key.name, expiresAt, captureUntil, usage },
        timestamp: instantText(Date.now()),
      });
    });
    app.get(`${prefix}/v1/usage`, async (context) => {
      const { status } = await whoAsks(context);
      return context.json({
        usage: {
          requests: status.totalRequests,
          tokens: status.totalTokens,
          cost: toDollars(status.totalCost),
        },
        timestamp: instantText(Date.now()),
      });
    });
    app.get(`${prefix}/v1/organizations/:organization/usage`, async (context) => {
      const { status } = await whoAsks(context);
      const { totalRequests, totalTokens, totalCost } = status;
      return context.json({
        object: "usage",
        data: [{ type: "total", requests: totalRequests, tokens: totalTokens, cost: toDollars(totalCost) }],
      });
    });
    // Claude Code before 2.1 posts its telemetry to the base URL; it goes nowhere from here.
    app.post(`${prefix}/api/event_logging/:rest{.+}`, (context) => context.json({ success: true }));
    // Claude Code opens its connection early with this one; Hono answers HEAD by the GET route.
    app.get(`${prefix}/api/hello`, (context) => context.text("hello"));
  }
  app.get("/", (context) => context.json({ name: "edge-relay", health: "/health", admin: "/admin" }));
  return app;
}
