/** A relay to test: accounts at the fake upstream, keys, calls, and the ledger, all through the public API. */
import { createExecutionContext } from "cloudflare:test";
import { env as rawEnv, exports } from "cloudflare:workers";
import type { AccountObject } from "../../../durable-objects/account/object.ts";
import type { KeyObject } from "../../../durable-objects/key/object.ts";
import type * as worker from "../../../worker/index.ts";
import { app } from "../../../worker/app.ts";
import type { AccountView } from "../../../worker/domain/account.ts";
import type { KeyView } from "../../../worker/domain/key.ts";
import { parseEnv } from "../../../worker/env.ts";
import type { UsageView } from "../../../worker/domain/usage.ts";
import { upstreamControl } from "../../upstream/client.ts";

declare global {
  // eslint-disable-next-line @typescript-eslint/no-namespace -- the types of `exports` are open for merging only there.
  namespace Cloudflare {
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}

export const env = rawEnv as Cloudflare.Env & {
  readonly KEYS: DurableObjectNamespace;
  readonly ACCOUNTS: DurableObjectNamespace;
  readonly NOTIFIER: DurableObjectNamespace;
  readonly FEED: DurableObjectNamespace;
  readonly PROXIES: DurableObjectNamespace;
  readonly CAPTURES: DurableObjectNamespace;
  readonly DB: D1Database;
  readonly KV: KVNamespace;
  readonly TEST_ARCHIVE: R2Bucket;
};

export const upstream = upstreamControl(env.TEST_UPSTREAM_URL);
const ORIGIN = "https://relay.test";

export const fetchRelay = (path: string, init: RequestInit = {}): Promise<Response> =>
  exports.default.fetch(new Request(`${ORIGIN}${path}`, init));

/** A relay with other variables than all tests have, over the same accounts and keys. */
export const relayWith =
  (variables: Readonly<Record<string, string>>) =>
  async (path: string, init: RequestInit = {}): Promise<Response> =>
    app.fetch(
      new Request(`${ORIGIN}${path}`, init),
      parseEnv({ ...rawEnv, ...variables }),
      createExecutionContext(),
    );

/** A relay that waits for slots and answers longer than any test does: only what the test does ends a wait. */
export const patientRelay = relayWith({
  QUEUE_TIMEOUT_MS: "60000",
  HEADERS_TIMEOUT_MS: "60000",
  ANSWER_TIMEOUT_MS: "60000",
});

export const keyStub = (key: { readonly id: string }) =>
  env.KEYS.get(env.KEYS.idFromName(key.id)) as unknown as DurableObjectStub<KeyObject>;
export const accountStub = (account: { readonly id: string }) =>
  env.ACCOUNTS.get(env.ACCOUNTS.idFromName(account.id)) as unknown as DurableObjectStub<AccountObject>;

let token: Promise<string> | null = null;

async function login(): Promise<string> {
  const response = await fetchRelay("/admin/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
  });
  return (await response.json<{ token: string }>()).token;
}

export async function admin(method: string, path: string, body?: unknown): Promise<Response> {
  token ??= login();
  return fetchRelay(`/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${await token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function created<Thing>(path: string, body: unknown): Promise<Thing> {
  const response = await admin("POST", path, body);
  if (response.status !== 201)
    throw new Error(`POST ${path}: ${String(response.status)} ${await response.text()}`);
  return response.json<Thing>();
}

let serial = 0;
/** A name nobody else uses, so that tests of all files can share one upstream. */
export const unique = (name: string): string =>
  `${name}-${crypto.randomUUID().slice(0, 8)}-${String(++serial)}`;

export type TestAccount = AccountView & { readonly secret: string };

/** An API-key account at the fake; its secret is what the fake's behaviours are ordered by. */
export async function createAccount(overrides: Record<string, unknown> = {}): Promise<TestAccount> {
  const secret = unique("sk-ant-test");
  const account = await created<AccountView>("/accounts", {
    name: unique("account"),
    provider: "claude-console",
    credential: { apiKey: secret },
    baseUrl: upstream.url,
    ...overrides,
  });
  return { ...account, secret };
}

export type TestKey = KeyView & { readonly key: string };

export const createKey = (overrides: Record<string, unknown> = {}): Promise<TestKey> =>
  created<TestKey>("/keys", { name: unique("key"), ...overrides });

/** One account in a group of its own and a key bound to it: what other tests do cannot reach it. */
export async function createPair(
  accountOverrides: Record<string, unknown> = {},
  keyOverrides: Record<string, unknown> = {},
): Promise<{ account: TestAccount; key: TestKey }> {
  const { accounts, key } = await createPool([accountOverrides], keyOverrides);
  const [account] = accounts;
  if (account === undefined) throw new Error("no account");
  return { account, key };
}

/** Accounts in a group of their own, and a key bound to the group. */
export async function createPool(
  overrides: readonly Record<string, unknown>[],
  keyOverrides: Record<string, unknown> = {},
): Promise<{ accounts: TestAccount[]; key: TestKey }> {
  const group = unique("group");
  const accounts: TestAccount[] = [];
  for (const each of overrides) accounts.push(await createAccount({ groups: [group], ...each }));
  const key = await createKey({ binding: { kind: "group", group }, ...keyOverrides });
  return { accounts, key };
}

export const MODEL = "claude-sonnet-4-5-20250929";

export const messagesBody = (overrides: Record<string, unknown> = {}) => ({
  model: MODEL,
  max_tokens: 100,
  messages: [{ role: "user", content: "Hello" }],
  ...overrides,
});

export interface CallOptions {
  readonly path?: string;
  readonly body?: Record<string, unknown>;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** The relay to send to, where it is not the one of all tests. */
  readonly relay?: typeof fetchRelay;
}

export const call = (key: { readonly key: string }, options: CallOptions = {}): Promise<Response> =>
  (options.relay ?? fetchRelay)(options.path ?? "/v1/messages", {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key.key, ...options.headers },
    body: JSON.stringify(messagesBody(options.body)),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

export const stream = (key: { readonly key: string }, options: CallOptions = {}): Promise<Response> =>
  call(key, { ...options, body: { stream: true, ...options.body } });

const POLL_MS = 20;
const WAIT_MS_MAX = 10_000;

/** Asks until the answer will do. */
export async function eventually<Value>(
  ask: () => Promise<Value>,
  will: (value: Value) => boolean,
): Promise<Value> {
  const deadline = performance.now() + WAIT_MS_MAX;
  for (;;) {
    const value = await ask();
    if (will(value)) return value;
    if (performance.now() > deadline) throw new Error(`not reached: ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** The ledger's records of a key, once there are `count` of them; the object's batch is sent without waiting. */
export async function usageOf(key: KeyView, count = 1): Promise<UsageView[]> {
  const object = keyStub(key);
  const { items } = await eventually(
    async () => {
      await (object as unknown as { ship(): Promise<void> }).ship();
      const response = await admin("GET", `/usage?keyId=${key.id}&limit=200`);
      return response.json<{ items: UsageView[]; total: number }>();
    },
    ({ total }) => total >= count,
  );
  return items;
}

export async function accountView(account: { readonly id: string }): Promise<AccountView> {
  return (await admin("GET", `/accounts/${account.id}`)).json<AccountView>();
}

export async function keyView(key: { readonly id: string }): Promise<KeyView> {
  return (await admin("GET", `/keys/${key.id}`)).json<KeyView>();
}

/** No lease and no permit is left. */
export const idle = (account: { readonly id: string }, key: { readonly id: string }) =>
  eventually(
    async () => ({ account: (await accountView(account)).status, key: (await keyView(key)).status }),
    (status) => status.account?.activeLeases === 0 && status.key?.activePermits === 0,
  );
