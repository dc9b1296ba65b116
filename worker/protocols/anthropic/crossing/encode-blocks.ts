/** Parts of a conversation as content blocks. Pure. */
import { RelayError } from "../../../domain/errors.ts";
import type { CacheMark, MediaPart, Part, TextPart, ToolCallPart, ToolResultPart } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import { argumentsOf } from "./json.ts";

/** A content block, or a tool. */
export interface Block {
  readonly type?: string;
  readonly content?: readonly Block[];
  readonly [field: string]: unknown;
}

export interface EncodeContext {
  readonly names: ToolNames;
  readonly omit: (what: string) => void;
}

export const cacheField = (mark: CacheMark): { cache_control?: Block } => {
  if (mark === null) return {};
  return { cache_control: mark === "1h" ? { type: "ephemeral", ttl: "1h" } : { type: "ephemeral" } };
};

/** Blank text is refused as a block. */
export const textBlocks = (text: string, cache: CacheMark = null): Block[] =>
  text.trim() === "" ? [] : [{ type: "text", text, ...cacheField(cache) }];

export function userBlocks(parts: readonly Part[], context: EncodeContext): Block[] {
  return parts.flatMap((part): Block[] => {
    switch (part.kind) {
      case "text":
        return textBlocks(part.text, part.cache);
      case "media":
        return [mediaBlock(part)];
      case "tool_result":
        return [toolResultBlock(part)];
      case "tool_call":
      case "thinking":
        context.omit(`${part.kind} in a person's turn`);
        return [];
    }
  });
}

export function assistantBlocks(parts: readonly Part[], context: EncodeContext): Block[] {
  return parts.flatMap((part): Block[] => {
    switch (part.kind) {
      case "text":
        return textBlocks(part.text, part.cache);
      case "thinking":
        return thinkingBlocks(part);
      case "tool_call":
        return [toolUseBlock(part, context.names)];
      case "media":
        context.omit("pictures in the model's own turns");
        return textBlocks("[A picture that is not shown here.]");
      case "tool_result":
        context.omit("tool_result in the model's turn");
        return [];
    }
  });
}

/** Only what Claude thought itself, which its signature proves. */
function thinkingBlocks({ text, signature, redacted }: Extract<Part, { kind: "thinking" }>): Block[] {
  if (signature?.origin !== "anthropic") return [];
  return redacted
    ? [{ type: "redacted_thinking", data: signature.data }]
    : [{ type: "thinking", thinking: text, signature: signature.data }];
}

const toolUseBlock = ({ id, name, arguments: json }: ToolCallPart, names: ToolNames): Block => ({
  type: "tool_use",
  id,
  name: names.toUpstream(name),
  input: argumentsOf(json),
});

const toolResultBlock = ({ callId, content, isError, cache }: ToolResultPart): Block => {
  const blocks = content.flatMap((part) =>
    part.kind === "text" ? textBlocks(part.text) : [mediaBlock({ ...part, cache: null })],
  );
  return {
    type: "tool_result",
    tool_use_id: callId,
    ...(blocks.length === 0 ? {} : { content: blocks }),
    ...(isError ? { is_error: true } : {}),
    ...cacheField(cache),
  };
};

const IMAGE = /^image\/(jpeg|png|gif|webp)$/;
const TEXT = /^(text\/|application\/(json|xml|yaml|x-yaml|javascript)$)/;
const PDF = "application/pdf";

export function mediaBlock(part: MediaPart): Block {
  const mediaType =
    (part.mediaType ?? "").toLowerCase().replace("image/jpg", "image/jpeg").split(";")[0] ?? "";
  const cache = cacheField(part.cache);
  const title = part.name === null || part.name === "" ? {} : { title: part.name };
  const { source } = part;
  if (source.kind === "url") {
    const isDocument = mediaType === PDF || (mediaType === "" && /\.pdf($|[?#])/i.test(source.url));
    if (isDocument) return { type: "document", source: { type: "url", url: source.url }, ...title, ...cache };
    if (mediaType !== "" && !mediaType.startsWith("image/")) throw notCarried(`a link to ${mediaType}`);
    return { type: "image", source: { type: "url", url: source.url }, ...cache };
  }
  const bytes = { type: "base64", media_type: mediaType, data: source.data };
  if (IMAGE.test(mediaType)) return { type: "image", source: bytes, ...cache };
  if (mediaType === PDF) return { type: "document", source: bytes, ...title, ...cache };
  if (TEXT.test(mediaType)) {
    const text = { type: "text", media_type: "text/plain", data: textOfBase64(source.data) };
    return { type: "document", source: text, ...title, ...cache };
  }
  throw notCarried(mediaType === "" ? "media of unknown type" : mediaType.slice(0, 60));
}

function textOfBase64(data: string): string {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(data), (character) => character.charCodeAt(0)));
  } catch (cause) {
    throw new RelayError("invalid_request", "A document's data is not valid base64.", { cause });
  }
}

export const systemBlocks = (parts: readonly Part[]): Block[] =>
  parts.flatMap((part) => (part.kind === "text" ? textBlocks(part.text, part.cache) : []));

/** Where no system text may stand: said to the model in a person's turn, as what it is. */
export const spokenSystemBlocks = (parts: readonly Part[]): Block[] =>
  parts.flatMap((part: Part): Block[] =>
    part.kind === "text" && part.text.trim() !== "" ? spoken(part) : [],
  );

const spoken = ({ text, cache }: TextPart): Block[] => textBlocks(`<system>\n${text}\n</system>`, cache);
