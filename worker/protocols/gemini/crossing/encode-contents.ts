/** A conversation of the neutral form as Gemini's contents. Pure. */
import type { MediaPart, Part, ThinkingPart, ToolCallPart, ToolResultPart, Turn } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { argsOf, type WrittenPart } from "./parts.ts";
import { NO_SIGNATURE } from "./signatures.ts";

export interface WrittenContent {
  readonly role?: "user" | "model";
  readonly parts: readonly WrittenPart[];
}

export interface Conversation {
  readonly systemInstruction: WrittenContent | null;
  readonly contents: readonly WrittenContent[];
}

/** @param requiresSignatures of the model: calls made elsewhere get the stand-in for one */
export function encodeContents(
  turns: readonly Turn[],
  names: ToolNames,
  requiresSignatures: boolean,
): Conversation {
  const system = turns
    .filter(({ role }) => role === "system")
    .flatMap(({ parts }) => parts.flatMap(writeText));
  const calls = callNames(turns);
  const contents = merged(turns).map(({ role, parts }): WrittenContent =>
    role === "user"
      ? { role, parts: writeUser(parts, names, calls) }
      : { role: "model", parts: parts.flatMap((part) => writeModel(part, names)) },
  );
  // Instructions alone are no conversation; they are what is asked then.
  if (contents.length === 0) return { systemInstruction: null, contents: [{ role: "user", parts: system }] };
  return {
    systemInstruction: system.length === 0 ? null : { parts: system },
    contents: requiresSignatures ? withSignatures(contents) : contents,
  };
}

/** Turns that say something here; those of one speaker side by side become one. */
function merged(turns: readonly Turn[]): readonly Turn[] {
  const together: Turn[] = [];
  for (const { role, parts } of turns) {
    const carried = role === "system" ? [] : parts.filter(isCarried);
    if (carried.length === 0) continue;
    const last = together.at(-1);
    if (last?.role === role) together[together.length - 1] = { role, parts: [...last.parts, ...carried] };
    else together.push({ role, parts: carried });
  }
  return together;
}

/** Thoughts of other models, and without a signature, are for people. */
function isCarried(part: Part): boolean {
  if (part.kind === "thinking") return part.signature?.origin === "gemini";
  return part.kind !== "text" || part.text !== "";
}

/** For results that do not say of which function they are. */
const callNames = (turns: readonly Turn[]): ReadonlyMap<string, string> =>
  new Map(
    turns.flatMap(({ parts }) =>
      parts.flatMap((part) => (part.kind === "tool_call" ? [[part.id, part.name] as const] : [])),
    ),
  );

/** Results stand together, before what they show and what the person says. */
function writeUser(
  parts: readonly Part[],
  names: ToolNames,
  calls: ReadonlyMap<string, string>,
): readonly WrittenPart[] {
  const results = parts.filter((part) => part.kind === "tool_result");
  const shown = results.flatMap(({ content }) => content.filter((part) => part.kind === "media"));
  const nameOf = ({ name, callId }: ToolResultPart) =>
    names.toUpstream(name === "" ? (calls.get(callId) ?? callId) : name);
  return [
    ...results.map((result) => writeResult(result, nameOf(result))),
    ...shown.map(writeMedia),
    ...parts.flatMap((part) => (part.kind === "media" ? [writeMedia(part)] : writeText(part))),
  ];
}

function writeModel(part: Part, names: ToolNames): readonly WrittenPart[] {
  switch (part.kind) {
    case "text":
      return writeText(part);
    case "media":
      return [writeMedia(part)];
    case "thinking":
      return [writeThinking(part)];
    case "tool_call":
      return [writeCall(part, names)];
    case "tool_result":
      return [];
  }
}

const writeText = (part: Part): readonly WrittenPart[] =>
  part.kind === "text" && part.text !== "" ? [{ text: part.text }] : [];

function writeMedia({ mediaType, source }: MediaPart): WrittenPart {
  if (source.kind === "base64") {
    return { inlineData: { mimeType: mediaType ?? "application/octet-stream", data: source.data } };
  }
  return { fileData: { ...(mediaType === null ? {} : { mimeType: mediaType }), fileUri: source.url } };
}

const writeThinking = ({ text, signature }: ThinkingPart): WrittenPart => ({
  text,
  thought: true,
  ...(signature === null ? {} : { thoughtSignature: signature.data }),
});

const writeCall = (
  { id, name, arguments: args, signature }: ToolCallPart,
  names: ToolNames,
): WrittenPart => ({
  functionCall: { id, name: names.toUpstream(name), args: argsOf(args) },
  ...(signature?.origin === "gemini" ? { thoughtSignature: signature.data } : {}),
});

function writeResult({ callId, content, isError }: ToolResultPart, name: string): WrittenPart {
  const text = content.flatMap((part) => (part.kind === "text" ? [part.text] : [])).join("\n");
  return { functionResponse: { id: callId, name, response: isError ? { error: text } : { result: text } } };
}

/** Only the running turn is checked, and in it the first call of each step. */
function withSignatures(contents: readonly WrittenContent[]): readonly WrittenContent[] {
  const begins = contents.findLastIndex(
    ({ role, parts }) => role === "user" && !parts.some((part) => "functionResponse" in part),
  );
  return contents.map((content, at) =>
    at > begins && content.role === "model" ? { ...content, parts: signed(content.parts) } : content,
  );
}

function signed(parts: readonly WrittenPart[]): readonly WrittenPart[] {
  const first = parts.findIndex((part) => "functionCall" in part);
  return parts.map((part, at) =>
    at === first && part.thoughtSignature === undefined ? { ...part, thoughtSignature: NO_SIGNATURE } : part,
  );
}
