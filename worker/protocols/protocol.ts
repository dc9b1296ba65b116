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
  /** Where the model's JSON string lies in the body, for accounts that map it; null: it is in the path. */
  readonly modelRange: FieldRange | null;
  readonly stream: boolean;
  /** The longest answer the client wants, in tokens; null where it names none. */
  readonly outputTokensMax: number | null;
  readonly affinitySource: AffinitySource;
}

/**
 * Accounts that speak another dialect may answer, too: those of the route's own service, or of the service that the
 * model's name picks.
 */
export type Crosses = "own_service" | "any_service";

export interface ProtocolRoute {
  readonly method: "POST";
  /** Path below each prefix, in the router's syntax: `/v1beta/models/:call{.+:countTokens}`. */
  readonly path: string;
  /** Where it is mounted, if not below the protocol's own prefixes. */
  readonly prefixes?: readonly string[];
  readonly operation: Operation;
  /** What a key must be allowed to use for it, if not the protocol's own service. */
  readonly service?: Service;
  /** Only accounts of this provider answer here. */
  readonly provider?: string;
  readonly crosses?: Crosses;
  /** No upstream behind it has such a call: what the client is told, in its own dialect. */
  readonly refusal?: string;
}

/** A client's call as it came, for its protocol to read. */
export interface ClientCall {
  readonly body: Uint8Array;
  readonly headers: Headers;
  /** Below the prefix: some dialects name the model here. */
  readonly path: string;
  /** Without `?` and without the relay key; may be empty. */
  readonly query: string;
}

/** Makes a stream into another of the same dialect, event by event. */
export interface StreamFilter {
  /** What the client is to get for these bytes; may be empty. */
  push(bytes: Uint8Array): Uint8Array;
  /** What is left at the end. */
  end(): Uint8Array;
  /** Where what was passed on stands, if it is not where the upstream's stream stands. */
  readonly position?: Pick<UsageReader, "atBoundary" | "frame">;
}

/** A body that asks the upstream for something which the client did not ask for, and takes it out of the answer. */
export interface PreparedCall {
  readonly body: Uint8Array;
  readonly createFilter: (() => StreamFilter) | null;
}

/** What one more element needs around it in a stream that is a single JSON array. */
export interface ElementFrame {
  /** Closes what is half said, and separates. */
  readonly before: string;
  readonly after: string;
}

/** Reads usage out of an answer as it passes; the same result for every slicing of the bytes. */
export interface UsageReader {
  push(bytes: Uint8Array): void;
  /** Flushes a last event that lacks its blank line. */
  end(): void;
  readonly reading: UsageReading;
  /** The bytes so far end between two events: something may be inserted here. */
  readonly atBoundary: boolean;
  /** Of a stream that is a JSON array, after the bytes so far; null: it is closed; absent: events lie side by side. */
  readonly frame?: ElementFrame | null | undefined;
  /** Some content event was seen: from here on the client has part of an answer. */
  readonly sawContent: boolean;
  /** The message of an error event, once one was seen. */
  readonly errorMessage: string | null;
}

export interface OfferedModel {
  readonly id: string;
  readonly name: string;
}

/** Where a dialect's clients ask which models there are, and how they are told. */
export interface ModelList {
  readonly path: string;
  /** Where it is mounted, if not below the protocol's own prefixes. */
  readonly prefixes?: readonly string[];
  /** What a key must be allowed to use for the models, if not the protocol's own service. */
  readonly service?: Service;
  render(models: readonly OfferedModel[]): unknown;
  /** One of them, asked for by its id below the list's path; absent: clients do not ask so. */
  renderOne?(model: OfferedModel): unknown;
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
  parse(call: ClientCall): ParsedCall;
  /** The path that names another model, where the path names it. */
  pathWithModel?(path: string, model: string): string;
  /** What must be asked for besides, so that usage can be read; absent or null: nothing. */
  prepare?(call: ClientCall, parsed: ParsedCall): PreparedCall | null;
  /** Whether the last word is a person's, and not a tool's answer. Looks at the whole conversation. */
  isUserTurn(body: Uint8Array): boolean;
  /** The call without what only the account that made it can read; null: there is nothing of the kind. */
  withoutBoundParts(body: Uint8Array): { readonly body: Uint8Array; readonly removed: string } | null;
  /** @param contentType of the answer, for dialects that stream in more than one form */
  createStreamReader(contentType: string): UsageReader;
  /** Usage of a complete JSON answer; never throws on what an upstream may send. */
  readAnswer(body: Uint8Array): UsageReading;
  renderError(error: ErrorFacts, requestId: string): RenderedError;
  /** An error inside a stream that already began, with a leading blank line if an event was cut. */
  renderErrorEvent(
    error: ErrorFacts,
    requestId: string,
    atBoundary: boolean,
    frame?: ElementFrame | null,
  ): Uint8Array;
  /** Whether an answer of this content type is a stream that the reader understands. */
  isStream(contentType: string, parsed: ParsedCall): boolean;
  readonly modelLists: readonly ModelList[];
  /** Sent between two events while the upstream is silent; null where clients cannot bear it. */
  readonly heartbeat: Uint8Array | null;
}
