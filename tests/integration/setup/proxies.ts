/** Accounts behind proxies: real ones, run by the proxy lab. */
import type { TestResult } from "../../../worker/admin/test-account.ts";
import { proxyLab } from "../../proxies/client.ts";
import { REMOTE_NAME, type ProxyOrder, type StartedProxy } from "../../proxies/orders.ts";
import { admin, createPair, env, relayWith, type TestAccount } from "./relay.ts";

export const control = proxyLab(env.TEST_PROXY_LAB_URL);
export const lab = await control.lab();

export const USER = { username: "me", password: "proxy-password-ä:1" } as const;

/** The upstream by the name that only proxies can resolve. */
export const REMOTE = `https://${REMOTE_NAME}:${String(lab.tlsPort)}`;
/** The same by one that everybody can: a call that does without its proxy would get there, and be counted. */
export const NEAR = `https://localhost:${String(lab.watchedPort)}`;

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

type Kind = ProxyOrder["kind"];
const running = new Map<string, Promise<StartedProxy>>();

/** A proxy that the tests of a file share; one that is to be killed is started with `control`. */
export function started(
  kind: Kind,
  user: { username?: string; password?: string } = {},
): Promise<StartedProxy> {
  const id = JSON.stringify([kind, user]);
  const proxy = running.get(id) ?? control.start({ kind, ...user });
  running.set(id, proxy);
  return proxy;
}

let token: Promise<string> | null = null;

async function login(): Promise<string> {
  const response = await relayBy("tunnel")("/admin/login", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
  });
  return (await response.json<{ token: string }>()).token;
}

/** Asks the admin API of the relay that goes one of the ways. */
export async function adminBy(way: Way, path: string, body?: unknown): Promise<Response> {
  token ??= login();
  return relayBy(way)(`/admin${path}`, {
    method: "POST",
    headers: { authorization: `Bearer ${await token}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

export const testBy = async (way: Way, account: Pick<TestAccount, "id">): Promise<TestResult> =>
  (await adminBy(way, `/accounts/${account.id}/test`)).json<TestResult>();

export const setProxy = (account: Pick<TestAccount, "id">, proxy: unknown): Promise<Response> =>
  admin("PATCH", `/accounts/${account.id}`, { proxy });
