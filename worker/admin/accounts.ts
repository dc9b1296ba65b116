/** Accounts: create, list, change, delete, test. */
import { Hono, type Context } from "hono";
import {
  accountInputSchema,
  accountPatchSchema,
  type AccountConfig,
  type AccountInput,
  type AccountPatch,
  type AccountView,
} from "../domain/account.ts";
import { MASKED, type AuditAction, type Change } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { accountIdSchema, newAccountId } from "../domain/ids.ts";
import type { ProxyConfig } from "../domain/proxy.ts";
import { assertAllowedHost, assertAllowedTarget } from "../net/guard.ts";
import { PROVIDERS } from "../providers/index.ts";
import { deleteAccount, findAccount, listAccounts, readDirectory, saveAccount } from "../storage/accounts.ts";
import { putDirectory } from "../storage/snapshots.ts";
import {
  body,
  idParam,
  notFound,
  offsetOf,
  pageSchema,
  query,
  snapshotsOf,
  type AdminEnv,
} from "./context.ts";
import { accountAnswer, pageOf, testAnswer } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import { audited, noted } from "./audited.ts";
import { accountObject } from "./objects.ts";
import { enteredProxy } from "./proxy.ts";
import { testAccount } from "./test-account.ts";

async function viewOf(context: Context<AdminEnv>, config: AccountConfig): Promise<AccountView> {
  return { ...config, status: await accountObject(context.env, config.id).status() };
}

/** Every isolate learns of a change from the directory; this one at once. */
async function publish(context: Context<AdminEnv>): Promise<void> {
  await putDirectory(await readDirectory(context.env.DB), snapshotsOf(context));
}

/** What only the account's object is given. */
interface Secrets {
  readonly credential: unknown;
  readonly proxyPassword: string | null;
}

/** Provider and addresses must make sense before anything is stored. */
function assertUsable(
  context: Context<AdminEnv>,
  input: Pick<AccountConfig, "provider" | "baseUrl" | "tokenUrl" | "proxy">,
): void {
  if (!PROVIDERS.has(input.provider)) {
    const known = [...PROVIDERS.keys()].join(", ");
    throw new RelayError("invalid_request", `provider: must be one of ${known}`);
  }
  if (PROVIDERS.get(input.provider)?.needsBaseUrl === true && input.baseUrl === null) {
    throw new RelayError(
      "invalid_request",
      "baseUrl: is required, this kind of account has no address of its own",
    );
  }
  for (const address of [input.baseUrl, input.tokenUrl]) {
    if (address !== null) assertAllowedTarget(address, context.env.ALLOW_PRIVATE_UPSTREAMS);
  }
  if (input.proxy !== null) assertAllowedProxy(input.proxy, context.env.ALLOW_PRIVATE_UPSTREAMS);
}

function assertAllowedProxy({ host }: ProxyConfig, allowPrivate: boolean): void {
  try {
    assertAllowedHost(host, allowPrivate);
  } catch (error) {
    if (error instanceof RelayError) throw new RelayError(error.code, `proxy.host: ${error.message}`);
    throw error;
  }
}

/** Of secrets the log shows that they were given. */
const trace = ({ credential, proxyPassword }: Secrets) => ({
  ...(credential === null ? {} : { credential: MASKED }),
  ...(proxyPassword === null ? {} : { proxyPassword: MASKED }),
});

/** The object first, since it checks the credential; then D1, then the snapshot made of it. */
async function store(
  context: Context<AdminEnv>,
  config: AccountConfig,
  secrets: Secrets,
  before: AccountConfig | null,
): Promise<void> {
  assertUsable(context, config);
  const object = accountObject(context.env, config.id);
  const result = await object.configure(config, secrets.credential, secrets.proxyPassword);
  if (result.kind === "invalid") throw new RelayError("invalid_request", result.message);
  const after = { ...config, ...trace(secrets) };
  const change: Change = before === null ? { after } : { before, after };
  const action: AuditAction = before === null ? "account.create" : "account.update";
  await saveAccount(context.env.DB, config, audited(context, action, config.id, change));
  await publish(context);
}

export async function createAccount(context: Context<AdminEnv>, input: AccountInput): Promise<AccountView> {
  const now = Date.now();
  const { credential, baseUrl, tokenUrl, proxy: entered, ...rest } = input;
  const proxy = enteredProxy(entered, null);
  const id = newAccountId(now, crypto.getRandomValues(new Uint8Array(16)));
  const config: AccountConfig = {
    ...rest,
    id,
    baseUrl: baseUrl ?? null,
    tokenUrl: tokenUrl ?? null,
    proxy: proxy.config,
    createdAt: now,
    updatedAt: now,
  };
  await store(context, config, { credential, proxyPassword: proxy.password }, null);
  return viewOf(context, config);
}

function changed(config: AccountConfig, patch: AccountPatch, proxy: ProxyConfig | null): AccountConfig {
  const { credential: _credential, proxy: _entered, ...fields } = patch;
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return {
    ...config,
    ...(Object.fromEntries(given) as Partial<AccountConfig>),
    proxy,
    updatedAt: Date.now(),
  };
}

async function required(context: Context<AdminEnv>): Promise<AccountConfig> {
  const id = idParam(accountIdSchema, context.req.param("id") ?? "");
  const config = await findAccount(context.env.DB, id);
  if (config === null) throw notFound();
  return config;
}

export const accountRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists accounts, the oldest first.", { 200: pageOf(accountAnswer) }),
    query(pageSchema),
    async (context) => {
      const { limit, offset } = offsetOf(context.req.valid("query"));
      const all = await listAccounts(context.env.DB);
      const page = all.slice(offset, offset + limit);
      const items = await Promise.all(page.map((config) => viewOf(context, config)));
      return context.json({ items, total: all.length });
    },
  )
  .post(
    "/",
    documented("Adds an account.", { 201: accountAnswer }),
    body(accountInputSchema),
    async (context) => context.json(await createAccount(context, context.req.valid("json")), 201),
  )
  .get("/:id", documented("Shows an account.", { 200: accountAnswer }), async (context) =>
    context.json(await viewOf(context, await required(context))),
  )
  .patch(
    "/:id",
    documented("Changes an account; what is left out stays as it is.", { 200: accountAnswer }),
    body(accountPatchSchema),
    async (context) => {
      const patch = context.req.valid("json");
      const before = await required(context);
      const proxy = enteredProxy(patch.proxy, before.proxy);
      const config = changed(before, patch, proxy.config);
      const secrets = { credential: patch.credential ?? null, proxyPassword: proxy.password };
      await store(context, config, secrets, before);
      return context.json(await viewOf(context, config));
    },
  )
  .delete("/:id", documented("Deletes an account and its credential.", { 204: null }), async (context) => {
    const before = await required(context);
    const { id } = before;
    await deleteAccount(context.env.DB, id, audited(context, "account.delete", id, { before }));
    await publish(context);
    await accountObject(context.env, id).erase();
    return context.body(null, 204);
  })
  .post(
    "/:id/test",
    documented("Makes one small call with an account.", { 200: testAnswer }),
    async (context) => context.json(await testAccount(context.env, await required(context))),
  )
  .post("/:id/reset", documented("Ends an account's cooldowns.", { 200: accountAnswer }), async (context) => {
    const config = await required(context);
    await accountObject(context.env, config.id).reset();
    await noted(context, "account.reset", config.id);
    return context.json(await viewOf(context, config));
  })
  .post(
    "/:id/refresh",
    documented("Refreshes an account's token.", { 200: accountAnswer }),
    async (context) => {
      const config = await required(context);
      await accountObject(context.env, config.id).refreshNow();
      await noted(context, "account.refresh", config.id);
      return context.json(await viewOf(context, config));
    },
  );
