/** The admin API as typed functions: the only file of the admin that knows HTTP. */
import type { AccountInput, AccountPatch, AccountView, EpochMs, KeyInput, KeyPatch, KeyView } from "./domain";
import type { Group, NanoDollars, RequestView, UsageView } from "./domain";
import type { ApiResult } from "./failure";
import { parseFailure, unreachable } from "./failure";

/** Without what its form does not have. */
type NewAccount = Omit<AccountInput, "schedulable" | "expiresAt" | "proxyId">;

/** The part of a service binding that is used here. */
export interface RelayBinding {
  fetch(input: string, init?: RequestInit): Promise<Response>;
}

export interface Session {
  readonly token: string;
  readonly expiresAt: EpochMs;
}

/** Which ways there are to sign in. */
export interface SignInWays {
  /** A page of this site that leads to the provider; null: there is none. */
  readonly oidc: { readonly label: string; readonly url: string } | null;
}

/** The password was right; a second factor makes a session of the ticket. */
export interface FactorAsked {
  readonly factor: { readonly kinds: readonly string[]; readonly ticket: string };
}

export interface Totals {
  readonly requests: number;
  readonly tokens: number;
  readonly cost: NanoDollars;
  readonly failed: number;
}

/** What passed in one hour; `hour` is when it began. */
export interface HourTotals extends Totals {
  readonly hour: EpochMs;
}

export interface Overview {
  readonly today: Totals;
  /** The last 24 hours, oldest first. */
  readonly hours: readonly HourTotals[];
  readonly accounts: {
    readonly total: number;
    readonly available: number;
    readonly full: number;
    readonly cooling: number;
    readonly disabled: number;
    readonly paused: number;
    readonly expired: number;
  };
  readonly keys: { readonly total: number; readonly enabled: number };
}

export interface ProviderView {
  readonly id: string;
  readonly label: string;
  /** JSON Schema of the credential. */
  readonly credential: unknown;
  /** Accounts can be connected by signing in at the provider. */
  readonly oauth: boolean;
}

export interface TestReport {
  readonly ok: boolean;
  readonly status: number | null;
  readonly latencyMs: number;
  readonly message: string;
}

export interface OAuthStart {
  readonly sessionId: string;
  readonly url: string;
  /** To be entered or compared on the page; null: the page shows a code to bring back. */
  readonly userCode: string | null;
  readonly expiresAt: EpochMs;
}

export interface OAuthPoll {
  readonly sessionId: string;
  readonly account: Omit<NewAccount, "credential" | "provider">;
}

/** The person has not finished at the provider. */
export interface OAuthPending {
  readonly kind: "pending";
  readonly retryAfterMs: number;
}

export interface OAuthExchange {
  readonly sessionId: string;
  readonly code: string;
  readonly account: Omit<NewAccount, "credential" | "provider">;
}

/** The key text is in the answer to creation and rotation, and nowhere else. */
export type NewKeyView = KeyView & { readonly key: string };

/** A group with its accounts; of the shared pool, those that are in no group. */
export type GroupView = Group & { readonly accounts: readonly string[] };

export interface Listing<Item> {
  readonly items: readonly Item[];
  readonly total: number;
}

export interface PageQuery {
  readonly page: number;
  readonly limit: number;
}

export interface UsageQuery extends PageQuery {
  readonly keyId: string | null;
  readonly accountId: string | null;
  readonly model: string | null;
  readonly from: EpochMs | null;
  readonly to: EpochMs | null;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type Query = Readonly<Record<string, string | number | null>>;

/** Any host does: a service binding leads to its worker whatever the name. */
const ORIGIN = "http://relay";
/** Testing an account or refreshing a token waits for an upstream; past this nobody is waiting any more. */
const TIMEOUT_MS = 60_000;

function address(path: string, query: Query): string {
  const url = new URL(`/admin${path}`, ORIGIN);
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== "") url.searchParams.set(name, String(value));
  }
  return url.href;
}

const segment = encodeURIComponent;

/** Who asks, as the edge saw them: tries to sign in are counted by it. */
export interface Visitor {
  readonly address: string | null;
  readonly agent: string | null;
}

/** Binds the admin API to one visitor's session; `token` is null before sign-in. */
export function createApi(relay: RelayBinding, token: string | null, visitor: Visitor) {
  async function call<T>(
    method: Method,
    path: string,
    body?: unknown,
    query: Query = {},
  ): Promise<ApiResult<T>> {
    const headers = new Headers({ accept: "application/json" });
    if (token !== null) headers.set("authorization", `Bearer ${token}`);
    if (visitor.address !== null) headers.set("cf-connecting-ip", visitor.address);
    if (visitor.agent !== null) headers.set("user-agent", visitor.agent);
    if (body !== undefined) headers.set("content-type", "application/json");
    const init: RequestInit = { method, headers, signal: AbortSignal.timeout(TIMEOUT_MS) };
    if (body !== undefined) init.body = JSON.stringify(body);

    let response: Response;
    let text: string;
    try {
      response = await relay.fetch(address(path, query), init);
      text = await response.text();
    } catch (cause) {
      return unreachable(cause);
    }
    if (!response.ok) return { kind: "failed", failure: parseFailure(response.status, text) };
    return { kind: "ok", value: (text === "" ? null : JSON.parse(text)) as T };
  }

  return {
    login: (username: string, password: string) =>
      call<Session | FactorAsked>("POST", "/login", { username, password }),
    secondStep: (ticket: string, proof: { readonly code: string } | { readonly recovery: string }) =>
      call<Session>("POST", "/login/factor", { ticket, ...proof }),
    signInWays: () => call<SignInWays>("GET", "/sign-in"),
    logout: () => call<null>("POST", "/logout"),
    me: () => call<{ readonly username: string }>("GET", "/me"),
    overview: () => call<Overview>("GET", "/overview"),
    providers: () => call<Listing<ProviderView>>("GET", "/providers"),

    accounts: (query: PageQuery) => call<Listing<AccountView>>("GET", "/accounts", undefined, { ...query }),
    account: (id: string) => call<AccountView>("GET", `/accounts/${segment(id)}`),
    createAccount: (input: NewAccount) => call<AccountView>("POST", "/accounts", input),
    updateAccount: (id: string, patch: AccountPatch) =>
      call<AccountView>("PATCH", `/accounts/${segment(id)}`, patch),
    deleteAccount: (id: string) => call<null>("DELETE", `/accounts/${segment(id)}`),
    testAccount: (id: string) => call<TestReport>("POST", `/accounts/${segment(id)}/test`),
    resetAccount: (id: string) => call<AccountView>("POST", `/accounts/${segment(id)}/reset`),
    refreshAccount: (id: string) => call<AccountView>("POST", `/accounts/${segment(id)}/refresh`),
    startOAuth: (provider: string) => call<OAuthStart>("POST", "/accounts/oauth/start", { provider }),
    exchangeOAuth: (exchange: OAuthExchange) =>
      call<AccountView>("POST", "/accounts/oauth/exchange", exchange),
    pollOAuth: (poll: OAuthPoll) => call<AccountView | OAuthPending>("POST", "/accounts/oauth/poll", poll),

    groups: () => call<Listing<GroupView>>("GET", "/groups"),
    saveGroup: ({ name, ...settings }: Group) => call<GroupView>("PUT", `/groups/${segment(name)}`, settings),
    forgetGroup: (name: string) => call<null>("DELETE", `/groups/${segment(name)}`),

    keys: (query: PageQuery) => call<Listing<KeyView>>("GET", "/keys", undefined, { ...query }),
    key: (id: string) => call<KeyView>("GET", `/keys/${segment(id)}`),
    createKey: (input: KeyInput) => call<NewKeyView>("POST", "/keys", input),
    updateKey: (id: string, patch: KeyPatch) => call<KeyView>("PATCH", `/keys/${segment(id)}`, patch),
    rotateKey: (id: string) => call<NewKeyView>("POST", `/keys/${segment(id)}/rotate`),
    deleteKey: (id: string) => call<null>("DELETE", `/keys/${segment(id)}`),

    usage: (query: UsageQuery) => call<Listing<UsageView>>("GET", "/usage", undefined, { ...query }),
    request: (id: string) => call<RequestView>("GET", `/requests/${segment(id)}`),
  };
}

export type AdminApiClient = ReturnType<typeof createApi>;
