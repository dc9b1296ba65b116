/** Proxies that accounts share: create, list, change, delete, test. The password is only in Durable Objects. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import type { AccountConfig } from "../domain/account.ts";
import { MASKED } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { newProxyId, proxyIdSchema } from "../domain/ids.ts";
import type { Proxy } from "../domain/proxy.ts";
import {
  sharedProxyInputSchema,
  sharedProxyPatchSchema,
  type SharedProxy,
  type SharedProxyView,
} from "../domain/shared-proxy.ts";
import { deleteProxy, findProxy, listProxied, listProxies, saveProxy } from "../storage/proxies.ts";
import { assertAllowedProxy, publish } from "./account-store.ts";
import { pageOf, proxyAnswer, proxyTestAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, optionalBody, type AdminEnv, holdsAfter } from "./context.ts";
import { accountObject, proxyObject } from "./objects.ts";
import { enteredProxy } from "./proxy.ts";
import { DEFAULT_TARGET, testProxy } from "./test-proxy.ts";

/** Names of accounts in an error; more are counted. */
const NAMED_MAX = 5;

const testSchema = z.strictObject({
  /** What to reach through the proxy; one that says who asks tells the exit's address. */
  target: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional(),
});

const viewOf = (proxy: SharedProxy, users: readonly AccountConfig[]): SharedProxyView => ({
  ...proxy,
  accounts: users.filter(({ proxyId }) => proxyId === proxy.id).map(({ id, name }) => ({ id, name })),
});

async function required(context: Context<AdminEnv>): Promise<SharedProxy> {
  const proxy = await findProxy(context.env.DB, idParam(proxyIdSchema, context.req.param("id") ?? ""));
  if (proxy === null) throw notFound();
  return proxy;
}

async function keepPassword(
  { env }: Context<AdminEnv>,
  { id, proxy }: SharedProxy,
  password: string | null,
): Promise<Proxy> {
  assertAllowedProxy(proxy, env.ALLOW_PRIVATE_UPSTREAMS);
  const result = await proxyObject(env, id).configure(id, proxy, password);
  if (result.kind === "invalid") throw new RelayError("invalid_request", result.message);
  return result.proxy;
}

/** Each account's object gets the proxy anew, with its password: a lease then needs nobody else. */
async function giveTo(
  context: Context<AdminEnv>,
  users: readonly AccountConfig[],
  proxy: Proxy,
): Promise<AccountConfig[]> {
  const { password, ...config } = proxy;
  const changed = users.map((account) => ({ ...account, proxy: config, updatedAt: Date.now() }));
  const results = await Promise.all(
    changed.map((account) => accountObject(context.env, account.id).configure(account, null, password)),
  );
  for (const result of results) {
    if (result.kind === "invalid") throw new RelayError("conflict", result.message);
    holdsAfter(context, result.standsMs);
  }
  return changed;
}

const passwordTrace = (password: string | null) => (password === null ? {} : { proxyPassword: MASKED });

export const proxyRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists shared proxies, the oldest first, with the accounts that use them.", {
      200: pageOf(proxyAnswer),
    }),
    async (context) => {
      const { DB } = context.env;
      const [proxies, users] = await Promise.all([listProxies(DB), listProxied(DB, null)]);
      return context.json({ items: proxies.map((proxy) => viewOf(proxy, users)), total: proxies.length });
    },
  )
  .post(
    "/",
    documented("Adds a proxy that accounts can share.", { 201: proxyAnswer }),
    body(sharedProxyInputSchema),
    async (context) => {
      const { name, proxy: entered } = context.req.valid("json");
      const { config, password } = enteredProxy(entered, null);
      if (config === null) throw new RelayError("invalid_request", "proxy: is required");
      const now = Date.now();
      const id = newProxyId(now, crypto.getRandomValues(new Uint8Array(16)));
      const proxy: SharedProxy = { id, name, proxy: config, createdAt: now, updatedAt: now };
      await keepPassword(context, proxy, password);
      const after = { ...proxy, ...passwordTrace(password) };
      await saveProxy(context.env.DB, proxy, [], audited(context, "proxy.create", id, { after }));
      return context.json(viewOf(proxy, []), 201);
    },
  )
  .get(
    "/:id",
    documented("Shows a shared proxy and its accounts.", { 200: proxyAnswer }),
    async (context) => {
      const proxy = await required(context);
      return context.json(viewOf(proxy, await listProxied(context.env.DB, proxy.id)));
    },
  )
  .patch(
    "/:id",
    documented("Changes a shared proxy, and with it every account that uses it.", { 200: proxyAnswer }, [
      "conflict",
    ]),
    body(sharedProxyPatchSchema),
    async (context) => {
      const { name, proxy: entered } = context.req.valid("json");
      const before = await required(context);
      const { config, password } = enteredProxy(entered, before.proxy);
      const proxy: SharedProxy = {
        ...before,
        name: name ?? before.name,
        proxy: config ?? before.proxy,
        updatedAt: Date.now(),
      };
      const users = await listProxied(context.env.DB, proxy.id);
      const whole = await keepPassword(context, proxy, password);
      const changed = entered === undefined ? [] : await giveTo(context, users, whole);
      const after = { ...proxy, ...passwordTrace(password) };
      const commit = audited(context, "proxy.update", proxy.id, { before, after });
      await saveProxy(context.env.DB, proxy, changed, commit);
      if (changed.length > 0) await publish(context);
      return context.json(viewOf(proxy, users));
    },
  )
  .delete(
    "/:id",
    documented("Deletes a shared proxy that no account uses.", { 204: null }, ["conflict"]),
    async (context) => {
      const before = await required(context);
      const users = await listProxied(context.env.DB, before.id);
      if (users.length > 0) throw inUse(users);
      const commit = audited(context, "proxy.delete", before.id, { before });
      await deleteProxy(context.env.DB, before.id, commit);
      await proxyObject(context.env, before.id).erase();
      return context.body(null, 204);
    },
  )
  .post(
    "/:id/test",
    documented("Reaches an address through a shared proxy.", { 200: proxyTestAnswer }),
    optionalBody(testSchema),
    async (context) => {
      const { id } = await required(context);
      const proxy = await proxyObject(context.env, id).current();
      if (proxy === null) throw notFound();
      const { target = DEFAULT_TARGET } = context.req.valid("json");
      return context.json(await testProxy(context.env, proxy, target));
    },
  );

function inUse(users: readonly AccountConfig[]): RelayError {
  const names = users.slice(0, NAMED_MAX).map(({ name }) => `"${name}"`);
  const more = users.length > NAMED_MAX ? ` and ${String(users.length - NAMED_MAX)} more` : "";
  const message = `This proxy is used by ${names.join(", ")}${more}. Give them another one first.`;
  return new RelayError("conflict", message);
}
