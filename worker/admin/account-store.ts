/** How an account is stored: its secrets in its object, the rest in D1, and what schedules it in the directory. */
import type { Context } from "hono";
import type { AccountConfig, AccountInput, AccountPatch, AccountView } from "../domain/account.ts";
import { MASKED, type AuditAction, type Change } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { accountIdSchema, newAccountId } from "../domain/ids.ts";
import type { ProxyConfig } from "../domain/proxy.ts";
import { assertAllowedHost, assertAllowedTarget } from "../net/guard.ts";
import { PROVIDERS } from "../providers/index.ts";
import { findAccount, readDirectory, saveAccount } from "../storage/accounts.ts";
import { putDirectory } from "../storage/snapshots.ts";
import { audited } from "./audited.ts";
import { holdsAfter, idParam, notFound, snapshotsOf, type AdminEnv } from "./context.ts";
import { accountObject } from "./objects.ts";
import { chosenProxy } from "./proxy.ts";

export async function viewOf(context: Context<AdminEnv>, config: AccountConfig): Promise<AccountView> {
  return { ...config, status: await accountObject(context.env, config.id).status() };
}

/** Every isolate learns of a change from the directory; this one at once. */
export async function publish(context: Context<AdminEnv>): Promise<void> {
  await putDirectory(await readDirectory(context.env.DB), snapshotsOf(context));
}

/** @throws RelayError `not_found` */
export async function requiredAccount(context: Context<AdminEnv>): Promise<AccountConfig> {
  const id = idParam(accountIdSchema, context.req.param("id") ?? "");
  const config = await findAccount(context.env.DB, id);
  if (config === null) throw notFound();
  return config;
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

export function assertAllowedProxy({ host }: ProxyConfig, allowPrivate: boolean): void {
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
  holdsAfter(context, result.standsMs);
  const after = { ...config, ...trace(secrets) };
  const change: Change = before === null ? { after } : { before, after };
  const action: AuditAction = before === null ? "account.create" : "account.update";
  await saveAccount(context.env.DB, config, audited(context, action, config.id, change));
  await publish(context);
}

const NO_PROXY = { proxy: null, proxyId: null } as const;

export async function createAccount(context: Context<AdminEnv>, input: AccountInput): Promise<AccountView> {
  const now = Date.now();
  const { credential, baseUrl, tokenUrl, proxy: _, proxyId: __, ...rest } = input;
  const chosen = await chosenProxy(context.env, input, NO_PROXY);
  const config: AccountConfig = {
    ...rest,
    id: newAccountId(now, crypto.getRandomValues(new Uint8Array(16))),
    baseUrl: baseUrl ?? null,
    tokenUrl: tokenUrl ?? null,
    proxy: chosen.config,
    proxyId: chosen.proxyId,
    createdAt: now,
    updatedAt: now,
  };
  await store(context, config, { credential, proxyPassword: chosen.password }, null);
  return viewOf(context, config);
}

export async function changeAccount(
  context: Context<AdminEnv>,
  before: AccountConfig,
  patch: AccountPatch,
): Promise<AccountView> {
  const { credential = null, proxy: _, proxyId: __, ...fields } = patch;
  const chosen = await chosenProxy(context.env, patch, before);
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const config: AccountConfig = {
    ...before,
    ...(Object.fromEntries(given) as Partial<AccountConfig>),
    proxy: chosen.config,
    proxyId: chosen.proxyId,
    updatedAt: Date.now(),
  };
  await store(context, config, { credential, proxyPassword: chosen.password }, before);
  return viewOf(context, config);
}
