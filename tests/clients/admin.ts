/** The calls of the admin API that these checks need. */
import { z } from "zod";
import type { accountInputSchema, AccountView } from "../../worker/domain/account.ts";
import type { keyInputSchema, KeyView } from "../../worker/domain/key.ts";
import type { UsageRecord } from "../../worker/domain/usage.ts";
import type { Stack } from "../../scripts/local/stack.ts";

const CALL_TIMEOUT_MS = 15_000;

export interface UsagePage {
  readonly items: readonly UsageRecord[];
  readonly total: number;
}

export type Admin = Awaited<ReturnType<typeof signIn>>;

export async function signIn(stack: Stack) {
  const credentials = { username: stack.adminUsername, password: stack.adminPassword };
  const login = z.object({ token: z.string() });
  const { token } = login.parse(await call(`${stack.relayUrl}/admin/login`, {}, credentials));
  const ask = (path: string, body?: unknown) =>
    call(`${stack.relayUrl}/admin${path}`, { authorization: `Bearer ${token}` }, body);

  return {
    createAccount: async (input: z.input<typeof accountInputSchema>) =>
      (await ask("/accounts", input)) as AccountView,
    createKey: async (input: z.input<typeof keyInputSchema>) =>
      (await ask("/keys", input)) as KeyView & { readonly key: string },
    account: async (id: string) => (await ask(`/accounts/${id}`)) as AccountView,
    key: async (id: string) => (await ask(`/keys/${id}`)) as KeyView,
    /** The newest 200 records of a key; no check makes as many. */
    usageOfKey: async (id: string) => (await ask(`/usage?keyId=${id}&limit=200`)) as UsagePage,
  };
}

async function call(url: string, headers: Record<string, string>, body?: unknown): Promise<unknown> {
  const post = { method: "POST", body: JSON.stringify(body) };
  const response = await fetch(url, {
    ...(body === undefined ? {} : post),
    headers: { ...headers, "content-type": "application/json" },
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answered ${String(response.status)}: ${await response.text()}`);
  return await response.json();
}
