/** The interface of a wire dialect that clients speak. Pure: no clock, no randomness, no fetch. */
import type { ErrorFacts } from "../domain/errors.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import type { Service } from "../domain/service.ts";
import type { UsageReading } from "../domain/usage.ts";
import type { FieldRange } from "./json-fields.ts";

/** What a call asks for; only `generate` is metered. */
export type Operation = "generate" | "count_tokens";

/** Where a conversation's identity was found. */
export type AffinitySource =
  | { readonly kind: "session"; readonly id: string }
  /** No session id: the stable prefix of the prompt, to be hashed (never stored). */
  | { readonly kind: "prefix"; readonly ranges: readonly FieldRange[] }
  | { readonly kind: "none" };

/** A client's call as far as the relay needs to understand it; the body stays the bytes received. */
export interface ParsedCall {
  readonly model: string;
  /** Where the model's JSON string lies in the body, for providers that must map it. */
  readonly modelRange: FieldRange;
  readonly stream: boolean;
  /** The longest answer the client wants, in tokens; null where it names none. */
  readonly outputTokensMax: number | null;
  readonly affinitySource: AffinitySource;
}

export interface ProtocolRoute {
  readonly method: "POST";
  /** Path below each of the protocol's prefixes. */
  readonly path: string;
  readonly operation: Operation;
}

/** Reads usage out of an answer as it passes; the same result for every slicing of the bytes. */
export interface UsageReader {
  push(bytes: Uint8Array): void;
  /** Flushes a last event that lacks its blank line. */
  end(): void;
  readonly reading: UsageReading;
  /** The bytes so far end between two events: something may be inserted here. */
  readonly atBoundary: boolean;
  /** Some content event was seen: from here on the client has part of an answer. */
  readonly sawContent: boolean;
  /** The message of an error event, once one was seen. */
  readonly errorMessage: string | null;
}

export interface RenderedError {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

export interface Protocol {
  readonly id: ProtocolId;
  /** What a key must be allowed to use for calls of this dialect. */
  readonly service: Service;
  readonly prefixes: readonly string[];
  readonly routes: readonly ProtocolRoute[];
  /** @throws RelayError `invalid_request` when the body is not a call of this protocol */
  parse(body: Uint8Array, headers: Headers): ParsedCall;
  /** Whether the last word is a person's, and not a tool's answer. Looks at the whole conversation. */
  isUserTurn(body: Uint8Array): boolean;
  /** The call without what only the account that made it can read; null: there is nothing of the kind. */
  withoutBoundParts(body: Uint8Array): { readonly body: Uint8Array; readonly removed: string } | null;
  createStreamReader(): UsageReader;
  /** Usage of a complete JSON answer; never throws on what an upstream may send. */
  readAnswer(body: Uint8Array): UsageReading;
  renderError(error: ErrorFacts, requestId: string): RenderedError;
  /** An error inside a stream that already began, with a leading blank line if an event was cut. */
  renderErrorEvent(error: ErrorFacts, requestId: string, atBoundary: boolean): Uint8Array;
  /** Sent between two events while the upstream is silent; null where clients cannot bear it. */
  readonly heartbeat: Uint8Array | null;
}
