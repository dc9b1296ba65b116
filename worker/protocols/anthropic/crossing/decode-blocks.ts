/** Content blocks of a request, as parts. Pure. */
import type { MediaPart, Part, TextPart } from "../../neutral.ts";
import { readBound } from "../../neutral.ts";
import { safeToolId } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import { readCallSignature } from "./call-signature.ts";
import {
  cacheMark,
  compactionBlock,
  mediaBlock,
  readAs,
  redactedBlock,
  searchResultBlock,
  textBlock,
  thinkingBlock,
  toolReferenceBlock,
  toolResultBlock,
  toolUseBlock,
  type Block,
  type Content,
  type MediaBlock,
} from "./request-schema.ts";

/** What the blocks of a conversation have in common. */
export interface BlockContext {
  /** Functions by the ids of their calls so far. */
  readonly names: Map<string, string>;
  /** Notes what is left out though the meaning stays. */
  readonly omit: (what: string) => void;
}

type ReadBlock<P extends Part> = (block: Block, at: string, context: BlockContext) => readonly P[];
type Said = TextPart | MediaPart;

const said = (text: string, cache: TextPart["cache"] = null): TextPart[] =>
  text === "" ? [] : [{ kind: "text", text, cache }];

const readText: ReadBlock<TextPart> = (block, at) => {
  const { text, cache_control } = readAs(textBlock, block, at);
  return said(text, cacheMark(cache_control));
};

const readMedia: ReadBlock<Said> = (block, at, context) => {
  const media = readAs(mediaBlock, block, at);
  if (media.citations?.enabled === true) context.omit("citations");
  return [...said(media.context ?? ""), ...sourceParts(media, block.type, at, context)];
};

function sourceParts(media: MediaBlock, type: string, at: string, context: BlockContext): readonly Said[] {
  const { source } = media;
  const rest = { name: media.title ?? null, cache: cacheMark(media.cache_control) };
  switch (source.type) {
    case "base64":
      return [
        {
          kind: "media",
          mediaType: source.media_type,
          source: { kind: "base64", data: source.data },
          ...rest,
        },
      ];
    case "url": {
      const mediaType = type === "document" ? "application/pdf" : null;
      return [{ kind: "media", mediaType, source: { kind: "url", url: source.url }, ...rest }];
    }
    case "text":
      return said([media.title ?? "", source.data].filter((text) => text !== "").join("\n\n"), rest.cache);
    case "content":
      // No document lies within another, however often a body says so.
      if (type !== "document") throw notCarried(`${at}.source.content`);
      return [
        ...said(media.title ?? ""),
        ...readBlocks(source.content, IN_DOCUMENT, `${at}.source.content`, context),
      ];
    case "file":
      throw notCarried(`${at}.source.file_id`);
  }
}

const readSearchResult: ReadBlock<TextPart> = (block, at) => {
  const { title, source, content, cache_control } = readAs(searchResultBlock, block, at);
  const text = [`${title} (${source})`, ...content.map((inner) => inner.text)].join("\n");
  return said(text, cacheMark(cache_control));
};

/** Every tool is offered from the beginning, so that nothing is left of a search among them but its answer. */
const readToolReference: ReadBlock<TextPart> = (block, at) =>
  said(`The tool ${readAs(toolReferenceBlock, block, at).tool_name} is available.`);

const IN_DOCUMENT: Readonly<Record<string, ReadBlock<Said>>> = { text: readText, image: readMedia };

const SAID: Readonly<Record<string, ReadBlock<Said>>> = {
  text: readText,
  image: readMedia,
  document: readMedia,
  search_result: readSearchResult,
  tool_reference: readToolReference,
};

const blocksOf = (content: Content | null | undefined): readonly Block[] =>
  typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);

function readBlocks<P extends Part>(
  content: Content | null | undefined,
  readers: Readonly<Record<string, ReadBlock<P>>>,
  at: string,
  context: BlockContext,
): P[] {
  return blocksOf(content).flatMap((block, i) => {
    const read = Object.hasOwn(readers, block.type) ? readers[block.type] : undefined;
    if (read === undefined)
      throw notCarried(`${at}.${String(i)}: a block of type ${block.type.slice(0, 60)}`);
    return read(block, `${at}.${String(i)}`, context);
  });
}

const saidParts = (content: Content | null | undefined, at: string, context: BlockContext): Said[] =>
  readBlocks(content, SAID, at, context);

const readToolResult: ReadBlock<Part> = (block, at, context) => {
  const result = readAs(toolResultBlock, block, at);
  const callId = safeToolId(result.tool_use_id);
  return [
    {
      kind: "tool_result",
      callId,
      name: context.names.get(callId) ?? "",
      content: saidParts(result.content, `${at}.content`, context),
      isError: result.is_error === true,
      cache: cacheMark(result.cache_control),
    },
  ];
};

const USER: Readonly<Record<string, ReadBlock<Part>>> = { ...SAID, tool_result: readToolResult };

/** Results first, as they are in every dialect. */
export function userParts(content: Content | null | undefined, at: string, context: BlockContext): Part[] {
  const parts = readBlocks(content, USER, at, context);
  const isResult = (part: Part) => part.kind === "tool_result";
  return [...parts.filter(isResult), ...parts.filter((part) => !isResult(part))];
}

const readThinking: ReadBlock<Part> = (block, at) => {
  const { thinking, signature } = readAs(thinkingBlock, block, at);
  if (signature === null || signature === undefined || signature === "") {
    return [{ kind: "thinking", text: thinking, signature: null, redacted: false }];
  }
  if (readCallSignature(signature) !== null) return [];
  return [
    { kind: "thinking", text: thinking, signature: readBound(signature, "anthropic"), redacted: false },
  ];
};

const readRedacted: ReadBlock<Part> = (block, at) => {
  const signature = readBound(readAs(redactedBlock, block, at).data, "anthropic");
  return [{ kind: "thinking", text: "", signature, redacted: true }];
};

const readToolUse: ReadBlock<Part> = (block, at, context) => {
  const call = readAs(toolUseBlock, block, at);
  const id = safeToolId(call.id);
  context.names.set(id, call.name);
  const input = JSON.stringify(call.input ?? {});
  return [{ kind: "tool_call", id, name: call.name, arguments: input, signature: null }];
};

const readCompaction: ReadBlock<Part> = (block, at) => said(readAs(compactionBlock, block, at).content ?? "");

/** Notes of tools that Anthropic ran: what the model made of them stands in the text beside them. */
const omitted: ReadBlock<Part> = (block, _at, { omit }) => {
  omit(block.type);
  return [];
};

const ASSISTANT: Readonly<Record<string, ReadBlock<Part>>> = {
  text: readText,
  thinking: readThinking,
  redacted_thinking: readRedacted,
  tool_use: readToolUse,
  compaction: readCompaction,
  fallback: omitted,
  server_tool_use: omitted,
  mcp_tool_use: omitted,
  mcp_tool_result: omitted,
  mcp_tool_listing: omitted,
  web_search_tool_result: omitted,
  web_fetch_tool_result: omitted,
  code_execution_tool_result: omitted,
  bash_code_execution_tool_result: omitted,
  text_editor_code_execution_tool_result: omitted,
  tool_search_tool_result: omitted,
  advisor_tool_result: omitted,
};

export function assistantParts(
  content: Content | null | undefined,
  at: string,
  context: BlockContext,
): readonly Part[] {
  const parts = readBlocks(content, ASSISTANT, at, context);
  const signatures = new Map(
    blocksOf(content)
      .map((block) => readCallSignature(typeof block.signature === "string" ? block.signature : ""))
      .filter((signed) => signed !== null)
      .map(({ callId, signature }) => [callId, signature]),
  );
  if (signatures.size === 0) return parts;
  return parts.map((part) =>
    part.kind === "tool_call" ? { ...part, signature: signatures.get(part.id) ?? null } : part,
  );
}

/** Beside text a system message may say which tools come and go; `decode-tools.ts` reads that. */
const SYSTEM: Readonly<Record<string, ReadBlock<TextPart>>> = {
  text: readText,
  tool_addition: () => [],
  tool_removal: () => [],
};

/** Claude Code names its version here, for Anthropic's accounts only: a text that changes and instructs nobody. */
const BILLING_TEXT = "x-anthropic-billing-header:";

export function systemParts(
  content: Content | null | undefined,
  at: string,
  context: BlockContext,
): readonly TextPart[] {
  const parts = readBlocks(content, SYSTEM, at, context);
  const kept = parts.filter(({ text }) => !text.startsWith(BILLING_TEXT));
  if (kept.length < parts.length) context.omit("x-anthropic-billing-header");
  return kept;
}
