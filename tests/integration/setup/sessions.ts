/** Conversations at the relay: how a test sends them, and which account it sees serving them. */
import { upstream, type TestAccount } from "./relay.ts";

export const newSession = (): string => crypto.randomUUID();

export const inSession = (session: string) => ({ headers: { "x-claude-code-session-id": session } });

/** What each account has served, in their order. */
export const requestsOf = (accounts: readonly TestAccount[]): Promise<number[]> =>
  Promise.all(accounts.map(async ({ secret }) => (await upstream.statsOf(secret)).requests));

/** The account that serves a request, by which of them saw a new one. */
export async function servedBy(
  accounts: readonly TestAccount[],
  send: () => Promise<Response>,
): Promise<TestAccount> {
  const before = await requestsOf(accounts);
  const response = await send();
  if (response.status !== 200) throw new Error(`not served: ${String(response.status)}`);
  const after = await requestsOf(accounts);
  const account = accounts.find((_, index) => after[index] === (before[index] ?? 0) + 1);
  if (account === undefined) throw new Error("nobody served it");
  return account;
}
