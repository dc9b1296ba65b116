/** Mounts the aliases: each asks the admin API's own routes, through the same door as its caller. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { documented } from "../../api-document/route-facts.ts";
import { body, notFound, type AdminEnv } from "../context.ts";
import { requireSession } from "../session.ts";
import { accountAliases } from "./accounts.ts";
import type { Alias, Ask } from "./alias.ts";
import { channelAliases } from "./channels.ts";
import { keyAliases } from "./keys.ts";
import { manyKeyAliases } from "./many-keys.ts";
import { openSettingAliases, settingAliases } from "./settings.ts";
import { usageAliases } from "./usage.ts";
import { authAliases, openAuthAliases } from "./web-auth.ts";

/** For whoever comes. */
const OPEN: readonly Alias[] = [...openAuthAliases, ...openSettingAliases];
/** For whoever is signed in. */
const OWN: readonly Alias[] = authAliases;
/** For whoever may do what the route may be asked for. */
const GUARDED: readonly Alias[] = [
  ...manyKeyAliases,
  ...keyAliases,
  ...usageAliases,
  ...accountAliases,
  ...channelAliases,
  ...settingAliases,
];

/** Of the caller's own body, not of the one that is sent on. */
const BODY_HEADERS = ["content-length", "content-encoding", "transfer-encoding"];

const replySchema = z.looseObject({ success: z.literal(true) });

/** The admin API, asked from within: what goes wrong there goes wrong here, and is rendered as everywhere. */
function innerApi(api: Hono<AdminEnv>): Hono<AdminEnv> {
  return new Hono<AdminEnv>().route("/", api).onError((error) => {
    throw error;
  });
}

function askerFor(context: Context<AdminEnv>, api: Hono<AdminEnv>): Ask {
  return async (answer, method, path, sent) => {
    const headers = new Headers(context.req.raw.headers);
    for (const name of BODY_HEADERS) headers.delete(name);
    headers.set("content-type", "application/json");
    headers.delete("accept");
    const request = new Request(new URL(`/admin${path}`, context.req.url), {
      method,
      headers,
      ...(sent === undefined ? {} : { body: JSON.stringify(sent) }),
    });
    const response = await api.fetch(request, context.env, context.executionCtx);
    if (response.status === 404) throw notFound();
    return answer.parse(response.status === 204 ? null : await response.json());
  };
}

async function run(alias: Alias, context: Context<AdminEnv>, api: Hono<AdminEnv>): Promise<Response> {
  const params = Object.entries(context.req.param() as Record<string, string>);
  const reply = await alias.run({
    ask: askerFor(context, api),
    params: Object.fromEntries(params.map(([name, value]) => [name, encodeURIComponent(value)])),
    query: new URL(context.req.url).searchParams,
    body: alias.body === null ? undefined : context.req.valid("json" as never),
  });
  return context.json({ success: true, ...reply });
}

/** @param api asked for when a call comes, since these routes are among its own */
function mounted(aliases: readonly Alias[], api: () => Hono<AdminEnv>): Hono<AdminEnv> {
  const app = new Hono<AdminEnv>();
  let inner: Hono<AdminEnv> | null = null;
  for (const alias of aliases) {
    const summary = `The same as \`${alias.like}\`, as scripts for claude-relay-service know it.`;
    app.on(
      alias.method,
      alias.path,
      documented(summary, { 200: replySchema }),
      ...(alias.body === null ? [] : [body(alias.body)]),
      (context) => run(alias, context, (inner ??= innerApi(api()))),
    );
  }
  return app;
}

/** Before the guards of everything else. */
export const openAliasRoutes = (api: () => Hono<AdminEnv>) => mounted(OPEN, api);

/** Behind the guards of all that is mounted before them. */
export const aliasRoutes = (api: () => Hono<AdminEnv>) => mounted(GUARDED, api);

export const ownAliasRoutes = (api: () => Hono<AdminEnv>) =>
  new Hono<AdminEnv>().use("/web/auth/*", requireSession).route("/", mounted(OWN, api));
