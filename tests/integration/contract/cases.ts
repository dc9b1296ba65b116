/** What the contract is tried on: every provider of the registry, in each dialect that it serves natively. */
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import { PROVIDERS } from "../../../worker/providers/index.ts";
import type { Provider } from "../../../worker/providers/provider.ts";
import { toHex } from "../../../worker/domain/encoding.ts";
import { createPool, fetchRelay, type TestAccount, type TestKey } from "../setup/relay.ts";
import { placeOf, started, USER } from "../setup/proxies.ts";
import { DIALECTS, type Dialect } from "./dialects.ts";
import type { Vendor } from "./vendors.ts";
import { fixtureOf, type ProviderFixture, type TokenState } from "./fixtures.ts";

/** A way to the upstream, and what an account needs besides to take it. */
interface Way {
  readonly name: string;
  readonly account: Readonly<Record<string, unknown>>;
}

/** The whole contract is tried on each. */
const WAYS: readonly Way[] = [
  { name: "directly", account: {} },
  { name: "through a proxy", account: { proxy: placeOf("socks5", await started("socks5", USER), USER) } },
];

export interface Case {
  /** For people, in the titles of tests. */
  readonly name: string;
  readonly provider: Provider;
  readonly fixture: ProviderFixture;
  readonly protocol: ProtocolId;
  readonly dialect: Dialect;
  readonly way: Way;
}

const casesOf = (dialectsOf: (protocol: ProtocolId) => readonly Dialect[]): Case[] =>
  [...PROVIDERS.values()].flatMap((provider) =>
    provider.protocols.flatMap((protocol) =>
      dialectsOf(protocol).flatMap((dialect) =>
        WAYS.map((way) => ({
          name: `${provider.id}, ${dialect.name}, ${way.name}`,
          provider,
          fixture: fixtureOf(provider.id),
          protocol,
          dialect,
          way,
        })),
      ),
    ),
  );

/** One for each form that a stream can have. */
export const STREAM_CASES = casesOf((protocol) => DIALECTS[protocol]);
/** One for each protocol of each provider. */
export const CASES = casesOf((protocol) => DIALECTS[protocol].slice(0, 1));

export interface Served {
  readonly key: TestKey;
  readonly account: TestAccount;
  /** By which the fake knows the account. */
  readonly subject: string;
}

export interface Setup {
  readonly state?: TokenState;
  readonly account?: Readonly<Record<string, unknown>>;
}

/** One account, and a key that reaches no other. */
export async function serve(each: Case, { state = "good", account: more = {} }: Setup = {}): Promise<Served> {
  const { subject, input } = await each.fixture.account(state);
  const { accounts, key } = await createPool([{ ...input, ...each.way.account, ...more }]);
  const [account] = accounts;
  if (account === undefined) throw new Error("no account");
  return { key, account, subject };
}

/** Two accounts, of which the first is tried first. */
export async function servePair(each: Case) {
  const first = await each.fixture.account("good");
  const second = await each.fixture.account("good");
  const { accounts, key } = await createPool(
    [first, second].map(({ input }, index) => ({ ...input, ...each.way.account, priority: index + 1 })),
  );
  const [a, b] = accounts;
  if (a === undefined || b === undefined) throw new Error("no accounts");
  return { key, first: { ...a, subject: first.subject }, second: { ...b, subject: second.subject } };
}

export interface Sending {
  readonly stream?: boolean;
  readonly text?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The relay to send to, where it is not the one of all tests. */
  readonly relay?: typeof fetchRelay;
}

export const pathOf = ({ fixture, protocol, dialect }: Case, stream: boolean): string =>
  `${fixture.prefixOf?.(protocol) ?? ""}${dialect.path(stream)}`;

/** How the upstream of a case says no. */
export const vendorOf = ({ fixture, protocol }: Case): Vendor => fixture.vendorOf(protocol);

export const send = (each: Case, { key }: { readonly key: TestKey }, options: Sending = {}) =>
  (options.relay ?? fetchRelay)(pathOf(each, options.stream === true), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${key.key}`,
      ...options.headers,
    },
    body: JSON.stringify(each.dialect.body(options.text ?? "Hello", options.stream === true)),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });

export async function sha256(bytes: BufferSource): Promise<string> {
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}
