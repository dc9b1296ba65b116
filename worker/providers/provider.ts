/** The interface of one kind of upstream account: what varies between accounts, and nothing more. */
import type { z } from "zod";
import type { Operation } from "../protocols/protocol.ts";
import type { Balance } from "../domain/balance.ts";
import type { LimitWindow } from "../domain/cooldown.ts";
import type { EpochMs } from "../domain/ids.ts";
import type { TokenCall } from "../domain/token-call.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import type { Service } from "../domain/service.ts";
import type { AnswerFacts, Verdict } from "../domain/verdict.ts";

/** A client's call as a provider sees it: plain data, without the client's credential. */
export interface UpstreamCall {
  readonly protocol: ProtocolId;
  readonly operation: Operation;
  /** As the account's upstream names it. */
  readonly model: string;
  readonly stream: boolean;
  /** Path below the base URL, e.g. `/v1/messages`. */
  readonly path: string;
  /** Query without `?` and without the relay key; may be empty. */
  readonly query: string;
  /** The client's headers, its relay key among them: only an allow-list of them may go on. */
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** What ties it to the other calls of its conversation; null: it has none. */
  readonly affinity: string | null;
}

/** A call that no client made. */
export type TestCall = Omit<UpstreamCall, "headers" | "affinity">;

export interface UpstreamRequest {
  readonly url: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /**
   * Which part of a credential of several it was made with, in the provider's own terms; no secret. Where the verdict
   * is to refresh, `refresh` learns it and the attempt goes on with another part. Absent: the credential is one.
   */
  readonly credentialPart?: string;
}

/** What an answer is an answer to, for kinds of account where the same answer may mean different things. */
export interface Asked {
  readonly protocol: ProtocolId;
  readonly credentialPart: string | null;
}

/** What a provider's token calls need: a way to make them, the time, and the account's own endpoint. */
export interface TokenCallContext {
  readonly call: TokenCall;
  readonly now: EpochMs;
  /** Overrides the provider's token endpoint. */
  readonly tokenUrl: string | null;
  /** The part of the credential that an upstream refused; absent: nobody speaks of a part. */
  readonly refusedPart?: string | null;
  /** The account's own base URL, where more must be asked than the token endpoint. */
  readonly baseUrl?: string | null;
  /** What vendors call secret of a client that everybody has, from the environment; by provider. */
  readonly clientSecrets?: Readonly<Record<string, string | undefined>>;
}

export type RefreshResult<Credential> =
  | { readonly kind: "refreshed"; readonly credential: Credential }
  /** Nothing but a person can mend it, by signing in again or by another credential. */
  | {
      readonly kind: "rejected";
      readonly message: string;
      /** What is left of it, if that is something else than before. */
      readonly credential?: Credential;
    }
  /** The token endpoint could not be reached or understood: worth trying again. */
  | { readonly kind: "failed"; readonly message: string };

/** What the authorisation page needs; `verifier` and `state` are the caller's randomness (base64url, 32 bytes). */
export interface OAuthChallenge {
  readonly state: string;
  /** base64url(SHA-256(verifier)), RFC 7636. */
  readonly codeChallenge: string;
}

export interface OAuthFlow<Credential> {
  /** Where the page leads in the end; a pasted address must be this one. */
  readonly redirectUri: string;
  authorizeUrl(challenge: OAuthChallenge): string;
  exchange(
    grant: { readonly code: string; readonly state: string; readonly verifier: string },
    context: TokenCallContext,
  ): Promise<RefreshResult<Credential>>;
}

/** What a person must do to sign in on another device (RFC 8628). */
export type DeviceStart =
  | {
      readonly kind: "started";
      /** Secret: whoever has it gets the credential. */
      readonly deviceCode: string;
      /** For the person to enter, or to compare, on the page. */
      readonly userCode: string;
      readonly url: string;
      readonly expiresAt: EpochMs;
      /** Between two polls. */
      readonly intervalMs: number;
    }
  | { readonly kind: "failed"; readonly message: string };

export type DevicePoll<Credential> =
  | RefreshResult<Credential>
  /** The person has not finished; with `slowDown`, the polls come too fast. */
  | { readonly kind: "pending"; readonly slowDown: boolean };

/** A sign-in without an address to come back to: the page is opened anywhere, and the endpoint is polled. */
export interface DeviceFlow<Credential> {
  start(context: TokenCallContext): Promise<DeviceStart>;
  poll(deviceCode: string, context: TokenCallContext): Promise<DevicePoll<Credential>>;
}

/** One of them is enough to begin with: a refresh token is exchanged as soon as it is entered. */
export interface TokensIn {
  readonly access: boolean;
  readonly refresh: boolean;
}

/** A question about an account's money or windows, and what reads the answer. */
export interface BalanceCall {
  readonly url: string;
  readonly headers: Headers;
  /** null: the answer is none. */
  readonly parse: (text: string) => Balance | null;
}

/** A kind of upstream account. `Credential` is what its zod schema yields. */
export interface ProviderSpec<Credential> {
  readonly id: string;
  readonly label: string;
  /** What a key must be allowed to use to reach accounts of this kind. */
  readonly service: Service;
  readonly protocols: readonly ProtocolId[];
  readonly credentialSchema: z.ZodType<Credential>;
  /** There is no address to fall back on: each account must name its own. */
  readonly needsBaseUrl?: boolean;
  /** Where calls go if the account names no address; absent or null: it depends on the credential, or must be named. */
  readonly defaultBaseUrl?: string | null;
  /** Whose models of the price list it has, where the account names none; null: nobody's. */
  readonly vendor: string | null;
  /** The part of the account's limits that a model counts against; null: only the whole. */
  modelFamily(model: string): string | null;
  createRequest(
    call: UpstreamCall,
    credential: Credential,
    baseUrl: string | null,
    now: EpochMs,
  ): UpstreamRequest | Promise<UpstreamRequest>;
  /** Where the upstream speaks an encoding of its own around the protocol: the answer as the protocol has it. */
  readonly decodeAnswer?: (answer: Response, call: UpstreamCall) => Response;
  /** Where its refusals have a form of their own: the body of one that a client gets, as the protocol has it. */
  readonly decodeRefusal?: (answer: AnswerFacts) => string;
  /** The only place where a status code or a limit header is interpreted. Total over 100 to 599. */
  judge(answer: AnswerFacts, now: EpochMs, asked: Asked): Verdict;
  /** The account's limits as an answer's headers tell them; null: they say nothing. */
  readWindows(headers: Headers, now: EpochMs): readonly LimitWindow[] | null;
  /** What an error event inside a 200 means before any content was sent. */
  judgeEvent(errorType: string, message: string, now: EpochMs, protocol: ProtocolId): Verdict;
  /** When the credential stops working; null: never. */
  expiresAt(credential: Credential): EpochMs | null;
  /** Absent: the credential does not change by itself. */
  readonly refresh?: (
    credential: Credential,
    context: TokenCallContext,
  ) => Promise<RefreshResult<Credential>>;
  /** Which tokens a credential has, where it consists of tokens; null: it does not. Absent: it never does. */
  readonly tokensIn?: (credential: Credential) => TokensIn | null;
  readonly oauth?: OAuthFlow<Credential>;
  /** A sign-in that ends with a token of a year, which nothing renews. */
  readonly setupToken?: OAuthFlow<Credential>;
  readonly device?: DeviceFlow<Credential>;
  /** What an admin may know of a credential besides its masked values. */
  readonly describeCredential?: (credential: Credential) => Readonly<Record<string, string>>;
  /** Where an account's balance can be asked; null: not at this address. Absent: nowhere. */
  readonly balance?: (credential: Credential, baseUrl: string | null) => BalanceCall | null;
  /** A question without cost that any healthy upstream answers somehow. */
  probe(credential: Credential, baseUrl: string | null): Pick<UpstreamRequest, "url" | "headers">;
  /** The smallest call that proves the account works. */
  testCall(credential: Credential): TestCall;
}

/** A provider in the registry, where credentials of all kinds look alike. */
export type Provider = ProviderSpec<unknown>;

/**
 * Files a provider under the registry's one type. A credential is parsed by `credentialSchema` when it enters
 * the account's object, and only that object hands it to the provider of the same account.
 */
export const defineProvider = <Credential>(spec: ProviderSpec<Credential>): Provider =>
  spec as unknown as Provider;
