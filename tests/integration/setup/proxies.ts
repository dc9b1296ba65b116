/** Accounts behind proxies: real ones, run by the proxy lab. */
import type { TestResult } from "../../../worker/admin/test-account.ts";
import { proxyLab } from "../../proxies/client.ts";
import { REMOTE_NAME, type StartedProxy } from "../../proxies/orders.ts";
import { admin, createPair, env, relayWith, type TestAccount } from "./relay.ts";

export const control = proxyLab(env.TEST_PROXY_LAB_URL);
export const lab = await control.lab();

export const USER = { username: "me", password: "proxy-password-ä:1" } as const;

/** The upstream by the name that only proxies can resolve. */
export const REMOTE = `https://${REMOTE_NAME}:${String(lab.tlsPort)}`;
/** The same by one that everybody can: a call that does without its proxy would get there. */
export const NEAR = `https://localhost:${String(lab.tlsPort)}`;

export type Way = "tunnel" | "forwarder";
export const WAYS: readonly Way[] = ["tunnel", "forwarder"];

/** The relay that goes this way; the tests' own has no forwarder. */
export const relayBy = (way: Way, variables: Record<string, string> = {}) =>
  relayWith({
    ...variables,
    ...(way === "tunnel" ? {} : { EGRESS_URL: lab.egress.url, EGRESS_TOKEN: lab.egress.token }),
  });

export const placeOf = (type: string, { port }: { readonly port: number }, user: object = {}) => ({
  type,
  host: "127.0.0.1",
  port,
  ...user,
});

/** An account behind a proxy, and a key bound to it. */
export const createProxiedPair = (proxy: unknown, overrides: Record<string, unknown> = {}) =>
  createPair({ baseUrl: REMOTE, proxy, ...overrides });

/** The account test, by one of the ways. */
export async function testBy(way: Way, account: Pick<TestAccount, "id">): Promise<TestResult> {
  const login = await relayBy(way)("/admin/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
  });
  const { token } = await login.json<{ token: string }>();
  const answer = await relayBy(way)(`/admin/accounts/${account.id}/test`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.json<TestResult>();
}

export const setProxy = (account: Pick<TestAccount, "id">, proxy: unknown): Promise<Response> =>
  admin("PATCH", `/accounts/${account.id}`, { proxy });

export type { StartedProxy };
