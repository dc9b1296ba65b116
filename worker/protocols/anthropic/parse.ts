/** Reads of a Messages call only what the relay needs; everything else passes through unseen. Pure. */
import { RelayError } from "../../domain/errors.ts";
import { parseAt, topLevelFields, type FieldRange } from "../json-fields.ts";
import type { AffinitySource, ClientCall, ParsedCall } from "../protocol.ts";
import { stablePrefix } from "./stable-prefix.ts";

const MODEL_LENGTH_MAX = 256;
const SESSION_ID = /^[A-Za-z0-9_-]{8,128}$/;
/** Claude Code until 2.1.6x: `user_<64 hex>_account_<uuid or empty>_session_<uuid>`. */
const OLD_USER_ID = /^user_[a-fA-F0-9]{64}_account_.*?_session_([a-f0-9-]+)$/;
const OPEN_BRACKET = 0x5b;

export function parseAnthropicCall({ body, headers }: ClientCall): ParsedCall {
  const fields = topLevelFields(body);
  const modelRange = fields.get("model");
  if (modelRange === undefined) throw new RelayError("invalid_request", "model: Field required");
  const messages = fields.get("messages");
  if (messages === undefined) throw new RelayError("invalid_request", "messages: Field required");
  if (body[messages.start] !== OPEN_BRACKET) {
    throw new RelayError("invalid_request", "messages: Input should be a valid list");
  }
  const stream = fields.get("stream");
  return {
    model: parseModel(body, modelRange),
    modelRange,
    stream: stream !== undefined && parseStream(body, stream),
    outputTokensMax: outputTokensMaxOf(body, fields.get("max_tokens")),
    affinitySource: affinityOf(body, fields, headers),
  };
}

/** What is no number is the upstream's to refuse. */
function outputTokensMaxOf(body: Uint8Array, range: FieldRange | undefined): number | null {
  const max = range === undefined ? null : parseAt(body, range);
  return typeof max === "number" && Number.isFinite(max) && max > 0 ? Math.ceil(max) : null;
}

function parseModel(body: Uint8Array, range: FieldRange): string {
  const model = parseAt(body, range);
  if (typeof model !== "string")
    throw new RelayError("invalid_request", "model: Input should be a valid string");
  if (model.length === 0 || model.length > MODEL_LENGTH_MAX || /[\p{Cc}\p{Cs}]/u.test(model)) {
    throw new RelayError("invalid_request", "model: Input should be a model name");
  }
  return model;
}

function parseStream(body: Uint8Array, range: FieldRange): boolean {
  const stream = parseAt(body, range);
  if (stream === null) return false;
  if (typeof stream !== "boolean")
    throw new RelayError("invalid_request", "stream: Input should be a valid boolean");
  return stream;
}

/** The client's own session id where it sends one, else the prompt's cacheable prefix. */
function affinityOf(body: Uint8Array, fields: Map<string, FieldRange>, headers: Headers): AffinitySource {
  const header = sessionOfHeaders(headers);
  if (header !== null) return { kind: "session", id: header };
  const metadata = fields.get("metadata");
  const session = metadata === undefined ? null : sessionOfUserId(parseAt(body, metadata));
  if (session !== null) return { kind: "session", id: session };
  const ranges = stablePrefix(body, fields);
  return ranges.length === 0 ? { kind: "none" } : { kind: "prefix", ranges };
}

export function sessionOfHeaders(headers: Headers): string | null {
  const header = headers.get("x-claude-code-session-id") ?? headers.get("x-session-id");
  return header !== null && SESSION_ID.test(header) ? header : null;
}

/** The session id inside `metadata.user_id`, in both forms that Claude Code has sent. */
export function sessionOfUserId(metadata: unknown): string | null {
  if (typeof metadata !== "object" || metadata === null || !("user_id" in metadata)) return null;
  const userId = metadata.user_id;
  if (typeof userId !== "string" || userId.length > 2000) return null;
  const session = userId.startsWith("{") ? sessionOfJson(userId) : OLD_USER_ID.exec(userId)?.[1];
  return session !== undefined && session !== null && SESSION_ID.test(session) ? session : null;
}

function sessionOfJson(text: string): string | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("session_id" in value)) return null;
    return typeof value.session_id === "string" ? value.session_id : null;
  } catch {
    return null;
  }
}
