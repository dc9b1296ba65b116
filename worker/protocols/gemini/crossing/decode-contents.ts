/** The conversation of a Gemini client in the neutral form. Pure. */
import { RelayError } from "../../../domain/errors.ts";
import type {
  MediaPart,
  Part,
  TextPart,
  ThinkingPart,
  ToolCallPart,
  ToolResultPart,
  Turn,
} from "../../neutral.ts";
import { safeToolId } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import type { RequestContent, RequestPart } from "./request-schema.ts";
import { readSignature } from "./signatures.ts";

/** Where a part stands. */
interface Place {
  readonly role: "user" | "assistant";
  readonly content: number;
  readonly part: number;
}

const pathOf = ({ content, part }: Place): string => `contents[${String(content)}].parts[${String(part)}]`;

const textPart = (text: string): TextPart => ({ kind: "text", text, cache: null });

export function decodeContents(contents: readonly RequestContent[]): readonly Turn[] {
  const calls = new OpenCalls();
  return contents.flatMap(({ role, parts = [] }, content) => {
    const speaker = roleOf(role, content);
    const said = parts.flatMap((part, index) =>
      decodePart(part, { role: speaker, content, part: index }, calls),
    );
    return said.length === 0
      ? []
      : [{ role: speaker, parts: speaker === "user" ? resultsFirst(said) : joined(said) }];
  });
}

/** Results of functions once had a role of their own. */
function roleOf(role: string | undefined, content: number): Place["role"] {
  switch (role?.toLowerCase()) {
    case undefined:
    case "":
    case "user":
    case "function":
      return "user";
    case "model":
      return "assistant";
    default:
      throw new RelayError("invalid_request", `contents[${String(content)}].role: must be "user" or "model"`);
  }
}

/** Calls that have no result yet. Their ids are optional here, and elsewhere they are not. */
class OpenCalls {
  readonly #open: ToolCallPart[] = [];
  readonly #answered = new Set<string>();

  add(call: ToolCallPart): void {
    this.#open.push(call);
  }

  /** By its id, else the first of that name: clients give ids of their own to calls that had none. */
  take(id: string | null, name: string | undefined): ToolCallPart | "answered" | null {
    const byId = this.#open.findIndex((call) => call.id === id);
    if (byId === -1 && id !== null && this.#answered.has(id)) return "answered";
    const at = byId === -1 ? this.#open.findIndex((call) => call.name === name) : byId;
    const [call] = at === -1 ? [] : this.#open.splice(at, 1);
    if (call !== undefined) this.#answered.add(call.id);
    return call ?? null;
  }
}

function decodePart(part: RequestPart, place: Place, calls: OpenCalls): readonly Part[] {
  refuseBound(part, place);
  const { functionCall, functionResponse, inlineData, fileData } = part;
  if (functionCall !== undefined) return [callOf(functionCall, part, place, calls)];
  if (functionResponse !== undefined) return resultOf(functionResponse, place, calls);
  if (inlineData !== undefined) return [inlineMedia(inlineData)];
  if (fileData !== undefined) return [fileMedia(fileData, `${pathOf(place)}.fileData`)];
  if (place.role === "user") return part.text === undefined || part.text === "" ? [] : [textPart(part.text)];
  return part.thought === true ? thinkingOf(part) : wordsOf(part);
}

function refuseBound(part: RequestPart, place: Place): void {
  for (const name of ["videoMetadata", "toolCall", "toolResponse"] as const) {
    if (part[name] !== undefined) throw notCarried(`${pathOf(place)}.${name}`);
  }
}

function callOf(
  { id, name, args = {} }: NonNullable<RequestPart["functionCall"]>,
  { thoughtSignature }: RequestPart,
  place: Place,
  calls: OpenCalls,
): ToolCallPart {
  if (place.role !== "assistant") throw misplaced(place, "functionCall", "model");
  const call: ToolCallPart = {
    kind: "tool_call",
    // By its place, so that it is the same in the next request.
    id:
      id === undefined || id === "" ? `call_${String(place.content)}_${String(place.part)}` : safeToolId(id),
    name,
    arguments: JSON.stringify(args),
    signature: thoughtSignature === undefined ? null : readSignature(thoughtSignature),
  };
  calls.add(call);
  return call;
}

function resultOf(
  { id, name, response = {}, parts = [] }: NonNullable<RequestPart["functionResponse"]>,
  place: Place,
  calls: OpenCalls,
): readonly ToolResultPart[] {
  if (place.role !== "user") throw misplaced(place, "functionResponse", "user");
  const path = `${pathOf(place)}.functionResponse`;
  const call = calls.take(id === undefined ? null : safeToolId(id), name);
  if (call === null) throw new RelayError("invalid_request", `${path}: answers no functionCall before it`);
  // Gemini CLI says results twice in a conversation that it resumes (0.61.0); Gemini bears that, others do not.
  if (call === "answered") return [];
  const media = parts.flatMap(({ inlineData, fileData }) => [
    ...(inlineData === undefined ? [] : [inlineMedia(inlineData)]),
    ...(fileData === undefined ? [] : [fileMedia(fileData, `${path}.fileData`)]),
  ]);
  const { text, isError } = wordsOfResponse(response);
  return [
    {
      kind: "tool_result",
      callId: call.id,
      name: call.name,
      content: [textPart(text), ...media],
      isError,
      cache: null,
    },
  ];
}

/** Google reads `output` and `error` apart from the rest; `result` is what its SDKs write. */
function wordsOfResponse(response: object): { readonly text: string; readonly isError: boolean } {
  const [[name, value] = [], ...others] = Object.entries(response);
  const isAlone = others.length === 0 && (name === "result" || name === "output" || name === "error");
  const said: unknown = isAlone ? value : response;
  return {
    text: typeof said === "string" ? said : JSON.stringify(said),
    isError: isAlone && name === "error",
  };
}

const misplaced = (place: Place, what: string, role: string): RelayError =>
  new RelayError(
    "invalid_request",
    `${pathOf(place)}.${what}: is only allowed in a content of the role "${role}"`,
  );

const inlineMedia = ({ mimeType, data }: NonNullable<RequestPart["inlineData"]>): MediaPart => ({
  kind: "media",
  mediaType: mimeType,
  // Either alphabet may be written; other dialects know the plain one.
  source: { kind: "base64", data: data.replaceAll("-", "+").replaceAll("_", "/") },
  name: null,
  cache: null,
});

/** What lies with Google, or is a film there, can be read by no one else. */
const GOOGLES_OWN =
  /^https?:\/\/(generativelanguage\.googleapis\.com|(www\.|m\.)?youtube\.com|youtu\.be)(\/|:|$)/i;

function fileMedia({ mimeType, fileUri }: NonNullable<RequestPart["fileData"]>, path: string): MediaPart {
  if (!/^https?:\/\//i.test(fileUri) || GOOGLES_OWN.test(fileUri)) throw notCarried(path);
  return {
    kind: "media",
    mediaType: mimeType ?? null,
    source: { kind: "url", url: fileUri },
    name: null,
    cache: null,
  };
}

/** Thoughts that are redacted have no text, not even an empty one. */
function thinkingOf({ text, thoughtSignature }: RequestPart): readonly ThinkingPart[] {
  const signature = thoughtSignature === undefined ? null : readSignature(thoughtSignature);
  if ((text ?? "") === "" && signature === null) return [];
  return [{ kind: "thinking", text: text ?? "", signature, redacted: text === undefined }];
}

/** Words may be signed, but by Gemini alone, which will not see them. */
function wordsOf({ text, executableCode, codeExecutionResult }: RequestPart): readonly TextPart[] {
  const words = text ?? fenced(executableCode?.code) ?? fenced(codeExecutionResult?.output) ?? "";
  return words === "" ? [] : [textPart(words)];
}

const fenced = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : `\n\`\`\`\n${text}\n\`\`\`\n`;

const resultsFirst = (parts: readonly Part[]): readonly Part[] => [
  ...parts.filter(({ kind }) => kind === "tool_result"),
  ...parts.filter(({ kind }) => kind !== "tool_result"),
];

/** Thoughts come in pieces, of which the last one is signed. */
function joined(parts: readonly Part[]): readonly Part[] {
  const whole: Part[] = [];
  for (const part of parts) {
    const last = whole.at(-1);
    const goesOn = last?.kind === "thinking" && part.kind === "thinking" && !last.redacted && !part.redacted;
    if (goesOn && last.signature === null) whole[whole.length - 1] = { ...part, text: last.text + part.text };
    else whole.push(part);
  }
  return whole;
}
