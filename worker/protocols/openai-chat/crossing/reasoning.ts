/**
 * Where reasoning and signatures live in Chat Completions: `reasoning_content` for the text, as DeepSeek has it,
 * `reasoning_details` on a message for signed and hidden reasoning, as OpenRouter has it, and `extra_content` on a
 * call, as Google's own compatible API has it. Pure.
 */
import { isObject, type Json } from "../../../domain/json.ts";
import { boundText, readBound, type Bound, type ThinkingPart } from "../../neutral.ts";

const OWN = "openai-chat";

/** Fields of a message that hold nothing but the text of reasoning; an upstream gets it back in its own. */
export const TEXT_FIELDS = ["reasoning_content", "reasoning"] as const;
export type TextField = (typeof TEXT_FIELDS)[number];

const DETAIL_TEXT = "reasoning.text";
export const DETAIL_ENCRYPTED = "reasoning.encrypted";

const objectIn = (text: string): Json | null => {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
};

const filled = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);

// What clients are told, and send back.

/** A whole part of reasoning for the client to keep; null where there is nothing that must come back. */
export function detailFor(
  part: Pick<ThinkingPart, "text" | "redacted" | "signature">,
  index: number,
): Json | null {
  if (part.signature === null) return null;
  const sealed = boundText(part.signature, OWN);
  return part.redacted
    ? { type: DETAIL_ENCRYPTED, data: sealed, index }
    : { type: DETAIL_TEXT, text: part.text, signature: sealed, index };
}

/** What the client sends back of reasoning, in whatever fields it kept. */
export function thinkingIn(message: {
  readonly reasoning_content?: string | null | undefined;
  readonly reasoning?: string | null | undefined;
  readonly reasoning_details?: unknown;
}): readonly ThinkingPart[] {
  const details = Array.isArray(message.reasoning_details)
    ? message.reasoning_details.flatMap(detailPart)
    : [];
  const text = filled(message.reasoning_content) ?? filled(message.reasoning);
  // The details repeat the text where they have any.
  if (text === null || details.some((part) => part.text !== "")) return details;
  return [{ kind: "thinking", text, signature: null, redacted: false }, ...details];
}

function detailPart(detail: unknown): readonly ThinkingPart[] {
  if (!isObject(detail)) return [];
  const text = filled(detail.text) ?? filled(detail.summary) ?? "";
  const sealed = filled(detail.signature) ?? filled(detail.data);
  const redacted = detail.type === DETAIL_ENCRYPTED;
  if (sealed === null)
    return text === "" ? [] : [{ kind: "thinking", text, signature: null, redacted: false }];
  const bound = readBound(sealed, OWN);
  const signature = bound.origin === OWN ? boundDetail(detail) : bound;
  return [{ kind: "thinking", text: redacted ? "" : text, signature, redacted }];
}

/** A signature as `extra_content` of a call. */
export function extraFor(signature: Bound): Json {
  if (signature.origin === "gemini") return { google: { thought_signature: signature.data } };
  return { edge_relay: { signature: boundText(signature, OWN) } };
}

/** Google's field holds what Gemini made, wherever the client got it. */
export function extraIn(extra: unknown): Bound | null {
  if (!isObject(extra)) return null;
  const google = isObject(extra.google) ? filled(extra.google.thought_signature) : null;
  if (google !== null) return { origin: "gemini", data: google };
  const sealed = isObject(extra.edge_relay) ? filled(extra.edge_relay.signature) : null;
  return sealed === null ? null : readBound(sealed, OWN);
}

// What upstreams say, and get back: as they said it, so a bound value is the name of a field or an object as JSON.

export const boundField = (field: TextField): Bound => ({ origin: OWN, data: field });

/** A detail without its text, which the part of reasoning holds. */
export function boundDetail(detail: Json): Bound {
  const { text: _, ...rest } = detail;
  return { origin: OWN, data: JSON.stringify(rest) };
}

export const boundExtra = (extra: Json): Bound => ({ origin: OWN, data: JSON.stringify(extra) });

/** The fields of an assistant message for reasoning that an upstream of this dialect made; the rest stays behind. */
export function reasoningFields(parts: readonly ThinkingPart[]): Json {
  const own = parts.filter(({ signature }) => signature?.origin === OWN);
  const fields: Record<string, unknown> = {};
  for (const field of TEXT_FIELDS) {
    const said = own.filter(({ signature }) => signature?.data === field);
    if (said.length > 0) fields[field] = said.map(({ text }) => text).join("");
  }
  const details = own.flatMap(({ text, signature }) => {
    const detail = signature === null ? null : objectIn(signature.data);
    if (detail === null) return [];
    return [detail.type === DETAIL_TEXT ? { ...detail, text } : detail];
  });
  return details.length > 0 ? { ...fields, reasoning_details: details } : fields;
}

export function extraContent(signature: Bound | null): Json {
  const extra = signature?.origin === OWN ? objectIn(signature.data) : null;
  return extra === null ? {} : { extra_content: extra };
}
