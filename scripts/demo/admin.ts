/** The calls of the admin API that set the demo up. */
import { z } from "zod";
import type { accountInputSchema, AccountView } from "../../worker/domain/account.ts";
import type { keyInputSchema, KeyView } from "../../worker/domain/key.ts";
import type { Stack } from "../local/stack.ts";

const CALL_TIMEOUT_MS = 15_000;

export type Admin = Awaited<ReturnType<typeof signIn>>;

export async function signIn(stack: Stack) {
  const credentials = { username: stack.adminUsername, password: stack.adminPassword };
  const login = z.object({ token: z.string() });
  const { token } = login.parse(await post(`${stack.relayUrl}/admin/login`, {}, credentials));
  const create = (path: string, input: unknown) =>
    post(`${stack.relayUrl}/admin${path}`, { authorization: `Bearer ${token}` }, input);

  return {
    createAccount: async (input: z.input<typeof accountInputSchema>) =>
      (await create("/accounts", input)) as AccountView,
    createKey: async (input: z.input<typeof keyInputSchema>) =>
      (await create("/keys", input)) as KeyView & { readonly key: string },
  };
}

async function post(url: string, headers: Record<string, string>, body: unknown): Promise<unknown> {
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { ...headers, "content-type": "application/json" },
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url} answered ${String(response.status)}: ${await response.text()}`);
  return await response.json();
}
