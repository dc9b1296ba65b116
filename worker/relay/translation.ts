/** Puts a call to an account that speaks another dialect, and makes the account's answers the client's. */
import type { RelayErrorCode } from "../domain/errors.ts";
import { CROSSINGS } from "../protocols/crossings.ts";
import { PROTOCOLS } from "../protocols/index.ts";
import type { AnswerFacts, NeutralRequest } from "../protocols/neutral.ts";
import type { Protocol, RenderedError } from "../protocols/protocol.ts";
import {
  StreamTranslator,
  translateWhole,
  type AnswerDecoder,
  type AnswerEncoder,
} from "../protocols/translate.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import { withMediaInline } from "./inline-media.ts";
import type { Ports } from "./ports.ts";
import type { Call } from "./read-call.ts";

/** Both ends of an answer: what the account says, and how the client hears it. */
export interface Translation {
  /** The client's dialect: errors and heartbeats are its. */
  readonly client: Protocol;
  readonly omitted: readonly string[];
  readonly createDecoder: () => AnswerDecoder;
  readonly createEncoder: () => AnswerEncoder;
}

const utf8 = new TextEncoder();

/**
 * @param spoken the account's dialect
 * @param model as the account's upstream names it
 * @throws RelayError `invalid_request` that names what the account's dialect cannot carry
 */
export async function translated(call: Call, spoken: ProtocolId, model: string, ports: Ports): Promise<Call> {
  const { client } = CROSSINGS[call.protocol.id];
  const { upstream } = CROSSINGS[spoken];
  const decoded = client.decodeRequest(call.asked);
  const asked: NeutralRequest = { ...decoded, model };
  const request = upstream.needsInlineMedia ? await withMediaInline(asked, ports) : asked;
  const encoded = upstream.encodeRequest(request);
  const facts: AnswerFacts = { id: call.requestId, model: call.parsed.model, now: ports.now() };
  const protocol = PROTOCOLS[spoken];
  const { path, query } = encoded;
  const body = utf8.encode(JSON.stringify(encoded.body));
  return {
    ...call,
    protocol,
    path,
    query,
    body,
    parsed: protocol.parse({ path, query, body, headers: call.headers }),
    createFilter: null,
    translation: {
      client: call.protocol,
      omitted: [...new Set([...decoded.omitted, ...encoded.omitted])],
      createDecoder: () => encoded.createDecoder(facts),
      createEncoder: () => client.createEncoder(call.asked, facts),
    },
  };
}

export const createStreamTranslator = ({ createDecoder, createEncoder }: Translation): StreamTranslator =>
  new StreamTranslator(createDecoder(), createEncoder());

/** Of a complete answer, in every dialect. */
export const WHOLE_TYPE = "application/json";

/** A complete answer as the client's. */
export const wholeAnswer = (body: Uint8Array, { createDecoder, createEncoder }: Translation): Uint8Array =>
  utf8.encode(translateWhole(body, createDecoder(), createEncoder()));

/** What a status says where it is the client's fault. */
const CODES: Readonly<Record<number, RelayErrorCode>> = {
  404: "not_found",
  409: "conflict",
  413: "payload_too_large",
  429: "rate_limited",
};

/** An upstream's refusal in the client's dialect, with the upstream's own status and words. */
export function refusalFor(
  { client }: Translation,
  status: number,
  bodyText: string,
  requestId: string,
): RenderedError {
  const facts = {
    code: CODES[status] ?? "invalid_request",
    message: messageIn(bodyText) ?? "The upstream refused this request.",
    retryAfterMs: null,
  } as const;
  return { ...client.renderError(facts, requestId), status };
}

/** All dialects say `{"error": {"message": …}}`; Google's streams say it in an array. */
function messageIn(bodyText: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(bodyText);
  } catch {
    return null;
  }
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first !== "object" || first === null || !("error" in first)) return null;
  const { error } = first;
  if (typeof error === "string") return error;
  if (typeof error !== "object" || error === null || !("message" in error)) return null;
  return typeof error.message === "string" ? error.message : null;
}
