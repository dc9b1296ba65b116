/** Turns as the items of a call's input. Pure. */
import type { JsonObject, MediaPart, Part, TextPart, ToolResultPart, Turn } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";

type Content = TextPart | MediaPart;
type Role = "user" | "assistant" | "developer";

export interface EncodedTurns {
  /** What the conversation begins with, where that is said to the model and not to a person. */
  readonly instructions: string | null;
  readonly input: readonly JsonObject[];
}

export function encodeTurns(turns: readonly Turn[], names: ToolNames): EncodedTurns {
  const begun = turns.findIndex(({ role }) => role !== "system");
  const opening = turns.slice(0, begun === -1 ? turns.length : begun);
  const instructions = opening.flatMap(({ parts }) => parts.flatMap(textOf)).join("\n\n");
  return {
    instructions: instructions === "" ? null : instructions,
    input: turns.slice(opening.length).flatMap((turn) => itemsOf(turn, names)),
  };
}

const textOf = (part: Part): string[] => (part.kind === "text" && part.text !== "" ? [part.text] : []);

const isContent = (part: Part): part is Content => part.kind === "text" || part.kind === "media";

/** Text and pictures that stand side by side are one message. */
function itemsOf({ role, parts }: Turn, names: ToolNames): JsonObject[] {
  const items: JsonObject[] = [];
  let content: Content[] = [];
  const flush = () => {
    items.push(...messagesOf(role === "system" ? "developer" : role, content));
    content = [];
  };
  for (const part of parts) {
    if (isContent(part)) {
      content.push(part);
      continue;
    }
    flush();
    items.push(...itemOf(part, names));
  }
  flush();
  return items;
}

/** The model's own pictures have no place in its messages: they are shown to it. */
function messagesOf(role: Role, content: readonly Content[]): JsonObject[] {
  const said = content.filter((part) => part.kind === "media" || part.text !== "");
  if (role !== "assistant") return said.length === 0 ? [] : [message(role, said.map(inputContent))];
  const text = said.filter((part) => part.kind === "text");
  const pictures = said.filter((part) => part.kind === "media");
  return [
    ...(text.length === 0
      ? []
      : [
          message(
            role,
            text.map((part) => ({ type: "output_text", text: part.text })),
          ),
        ]),
    ...(pictures.length === 0 ? [] : [message("user", pictures.map(inputContent))]),
  ];
}

const message = (role: Role, content: readonly JsonObject[]): JsonObject => ({
  type: "message",
  role,
  content,
});

function itemOf(part: Exclude<Part, Content>, names: ToolNames): JsonObject[] {
  switch (part.kind) {
    case "thinking":
      if (part.signature?.origin !== "openai-responses") return [];
      return [
        {
          type: "reasoning",
          summary: part.text === "" ? [] : [{ type: "summary_text", text: part.text }],
          encrypted_content: part.signature.data,
        },
      ];
    case "tool_call":
      return [
        {
          type: "function_call",
          call_id: part.id,
          name: names.toUpstream(part.name),
          arguments: part.arguments,
        },
      ];
    case "tool_result":
      return [{ type: "function_call_output", call_id: part.callId, output: outputOf(part) }];
  }
}

const SAYS_ERROR = /^\W*(?:[\w-]{0,20}_)?error/i;
const SAYS_ERROR_WITHIN = 40;
const saysError = (text: string): boolean => SAYS_ERROR.test(text.slice(0, SAYS_ERROR_WITHIN));

/** There is no flag for a call that failed: the text must say so. */
function outputOf({ content, isError }: ToolResultPart): string | readonly JsonObject[] {
  const [first] = content;
  const told =
    isError && !(first?.kind === "text" && saysError(first.text))
      ? [{ kind: "text", text: "Error:", cache: null } as const, ...content]
      : content;
  const [only] = told;
  if (only === undefined) return "";
  if (told.every((part) => part.kind === "text") && (told.length === 1 || isError)) {
    return told.map((part) => part.text).join(" ");
  }
  return told.map(inputContent);
}

const inputContent = (part: Content): JsonObject =>
  part.kind === "text" ? { type: "input_text", text: part.text } : mediaContent(part);

const DOCUMENT_PATH = /\.pdf$/i;

function mediaContent(part: MediaPart): JsonObject {
  if (part.mediaType?.startsWith("audio/") === true || part.mediaType?.startsWith("video/") === true) {
    throw notCarried(part.mediaType);
  }
  return isPicture(part) ? pictureContent(part) : documentContent(part);
}

/** An address without a type is a picture's, unless its end says otherwise. */
function isPicture({ mediaType, source, name }: MediaPart): boolean {
  if (mediaType !== null) return mediaType.startsWith("image/");
  if (DOCUMENT_PATH.test(name ?? "")) return false;
  return source.kind !== "url" || !DOCUMENT_PATH.test(source.url.split(/[?#]/, 1)[0] ?? "");
}

const pictureContent = ({ source, mediaType }: MediaPart): JsonObject => ({
  type: "input_image",
  image_url: source.kind === "url" ? source.url : dataUrl(mediaType ?? "image/png", source.data),
  detail: "auto",
});

/** Bytes need a file name; an address brings its own. */
function documentContent({ source, mediaType, name }: MediaPart): JsonObject {
  if (source.kind === "url") return { type: "input_file", file_url: source.url };
  const type = mediaType ?? "application/pdf";
  return {
    type: "input_file",
    filename: name ?? `document.${extensionOf(type)}`,
    file_data: dataUrl(type, source.data),
  };
}

const dataUrl = (mediaType: string, data: string): string => `data:${mediaType};base64,${data}`;
const EXTENSIONS: Readonly<Record<string, string>> = { "text/plain": "txt", "text/markdown": "md" };
const extensionOf = (mediaType: string): string =>
  EXTENSIONS[mediaType] ?? mediaType.slice(mediaType.lastIndexOf("/") + 1);
