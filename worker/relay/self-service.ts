/** What a key's holder may ask about the key itself, and small calls that clients make around their work. */
import { Hono, type Context } from "hono";
import { RelayError } from "../domain/errors.ts";
import { toDollars } from "../domain/money.ts";
import { allowsModel } from "../domain/key-limits.ts";
import { knownModels } from "../pricing/known-models.ts";
import { PRICE_TABLE } from "../pricing/table.ts";
import { PROTOCOLS } from "../protocols/index.ts";
import { findDirectory } from "../storage/snapshots.ts";
import { accountsSeen } from "./accounts-seen.ts";
import { authenticate } from "./authenticate.ts";
import { askObject } from "./ports.ts";
import { portsOf, type AppEnv } from "./routes.ts";
import { isBound, schedule } from "./schedule.ts";

const PREFIXES = PROTOCOLS.anthropic.prefixes;

/** A live key and its running state; asking costs the key nothing. */
async function whoAsks(context: Context<AppEnv>) {
  context.set("protocol", PROTOCOLS.anthropic);
  const ports = portsOf(context);
  const snapshots = { kv: ports.env.KV, now: ports.now(), waitUntil: ports.waitUntil };
  const query = new URL(context.req.url).searchParams;
  const key = await authenticate(context.req.raw.headers, query, snapshots);
  const status = await askObject(() => ports.keyObject(key.id).standing());
  if (status === null) throw new RelayError("unauthenticated", "Invalid API key");
  return { key, status, ports, snapshots };
}

const instantText = (at: number | null) => (at === null ? null : new Date(at).toISOString());

/** Models that some account of this key may serve: those the accounts name, else those of the price list. */
async function listModels(context: Context<AppEnv>) {
  const { key, status, snapshots } = await whoAsks(context);
  const directory = await findDirectory(snapshots);
  const known = knownModels(PRICE_TABLE);
  const wishFor = (model: string) => ({ ...key, model, affinity: null, servedBy: () => true });
  const surroundings = { random: () => 0.5, seen: accountsSeen.of };
  const offered = known.filter(
    ({ id }) => allowsModel(status, id) && schedule(directory, wishFor(id), surroundings).accounts.length > 0,
  );
  // Only of the key's own accounts: what other groups have is not its business.
  const named = directory.accounts
    .filter((account) => account.enabled && isBound(account, key.binding))
    .flatMap(({ models, modelMap }) => [...models, ...Object.keys(modelMap)])
    .filter((model) => allowsModel(status, model))
    .filter((model) => !model.includes("*") && !known.some(({ id }) => id === model))
    .map((id) => ({ id, name: id }));
  const data = [...offered, ...new Map(named.map((model) => [model.id, model])).values()].map(
    ({ id, name }) => ({
      type: "model",
      id,
      display_name: name,
      created_at: instantText(0),
    }),
  );
  return context.json({
    data,
    has_more: false,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  });
}

export function selfServiceRoutes(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  for (const prefix of PREFIXES) {
    app.get(`${prefix}/v1/models`, listModels);
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
      return context.json({
        keyInfo: { id: key.id, name: key.name, expiresAt, usage },
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
