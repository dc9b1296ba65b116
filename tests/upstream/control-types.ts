/** The control surface of the fake upstream: its calls and the JSON they take and give. Types only.
 *
 * A *credential* is what came as `x-api-key`, `x-goog-api-key` or `authorization: Bearer`. Its *subject* is the name under which behaviours
 * and figures are kept: the OAuth family when the credential is an access token of one (so that it survives rotation),
 * otherwise the credential itself.
 *
 * - `POST /__control/behaviour` takes a `BehaviourOrder`: queue behaviours for the next requests of a subject, or set its
 *   standing one. The queue goes first, then the standing behaviour, then a normal answer.
 * - `POST /__control/release` `{gate}` lets go the requests that wait in `{kind:"gate"}`, and those that come later.
 * - `GET /__control/log?subject=&afterSeq=&limit=` gives `{entries: LogEntry[]}`, oldest first, of the last 20 000.
 * - `GET /__control/stats?subject=` gives `Stats`.
 * - `POST /__control/oauth` takes an `OAuthSeed`: makes or replaces a family, or registers an authorization code.
 * - `POST /__control/record` `{bodies: boolean}` turns the recording of bodies on or off for everybody.
 * - `POST /__control/reset` `{subject?}` forgets everything, or all about one subject or family.
 *
 * A wrong order is answered 400 `{error}`, an unknown call 404.
 */
import type { Behaviour, Usage } from "./behaviour.ts";

/** `messages` is every call that generates, whatever the vendor; `count_tokens` also what Code Assist is asked besides. */
export type Endpoint = "messages" | "count_tokens" | "models";

export type BehaviourOrder = {
  readonly subject: string;
  /** Which calls it is for; `messages` when absent. */
  readonly endpoint?: Endpoint;
  /** Appended to what is already queued. */
  readonly queue?: readonly Behaviour[];
  /** null takes the standing behaviour away. */
  readonly standing?: Behaviour | null;
  /** Refuses with 401 every credential that starts with `subject`, unless it has behaviours or is a live access token. */
  readonly strict?: boolean;
  readonly recordBodies?: boolean;
};

export type LogEntry = {
  readonly seq: number;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly credential: string | null;
  readonly subject: string;
  /** The kind that was performed; null for what behaviours do not govern. */
  readonly behaviour: Behaviour["kind"] | null;
  readonly receivedAtMs: number;
  readonly endedAtMs: number | null;
  readonly status: number | null;
  readonly clientAborted: boolean;
  readonly bodyBytes: number;
  /** Only when bodies are recorded. */
  readonly bodySha256: string | null;
  /** Parsed; only when bodies are recorded and it is JSON of at most 64 KiB. */
  readonly body: unknown;
  /** What message_start has reported. */
  readonly usageStarted: Usage | null;
  /** What the end of the answer has reported; null when it never came so far. */
  readonly usageReported: Usage | null;
};

/** Sums of everything reported in full. */
export type UsageSums = {
  readonly inputTokens: number;
  readonly cacheCreationInputTokens: number;
  readonly cacheCreation5mInputTokens: number;
  readonly cacheCreation1hInputTokens: number;
  readonly cacheReadInputTokens: number;
  readonly outputTokens: number;
  readonly webSearchRequests: number;
};

/** `requests`, `open` and `openMax` count calls that generate only; the rest is in `otherRequests`. */
export type SubjectStats = {
  readonly requests: number;
  readonly otherRequests: number;
  readonly open: number;
  readonly openMax: number;
  readonly answersInFull: number;
  readonly clientAborts: number;
  readonly usage: UsageSums;
};

export type FamilyStats = {
  readonly calls: number;
  readonly open: number;
  readonly openMax: number;
  readonly refreshesGranted: number;
  readonly exchangesGranted: number;
  readonly reusesRefused: number;
};

export type Stats = {
  readonly subjects: Readonly<Record<string, SubjectStats>>;
  readonly families: Readonly<Record<string, FamilyStats>>;
  /** Token calls whose refresh token or code belongs to no family. */
  readonly unknownTokenCalls: number;
};

export type RefreshBehaviour =
  /** Rotates at once, answers later: a second call meanwhile is a reuse. */
  | { readonly delayMs?: number }
  | { readonly status: number; readonly body?: unknown }
  | { readonly hang: true }
  /** The worst case: the token is rotated, and the answer lost. */
  | { readonly dropAfterRotating: true }
  /** A 200 that is not JSON; nothing is rotated. */
  | { readonly garbage: true };

export type OAuthSeed = {
  readonly family: string;
  readonly refreshToken?: string;
  readonly accessToken?: string;
  /** Of the first access token, and of each later one; default 8 hours. May be negative: already expired. */
  readonly expiresInS?: number;
  /** Of the access tokens given by refreshes, when they differ from the first. */
  readonly refreshedExpiresInS?: number;
  /** One for each call of the token endpoint with a token of this family, in order; then normal. */
  readonly refreshBehaviours?: readonly RefreshBehaviour[];
  /** Expired and rotated-away access tokens get 401. */
  readonly strict?: boolean;
  /** false: a refresh gives an access token only, and the refresh token stays, as at Google. */
  readonly rotates?: boolean;
  /** Its tokens work only as Bearer with `anthropic-beta: oauth-2025-04-20`. */
  readonly requireBeta?: boolean;
  /** A reuse also ends the current refresh token, as RFC 9700 section 4.14.2 recommends. */
  readonly revokeOnReuse?: boolean;
  /** Registers an authorization code for this family. */
  readonly code?: { readonly code: string; readonly codeChallenge: string; readonly state?: string };
};
