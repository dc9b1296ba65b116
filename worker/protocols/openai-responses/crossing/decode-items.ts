/** The items of a call's input as turns. Pure. */
import { z } from "zod";
import type { Bound, Part, ToolResultPart, Turn } from "../../neutral.ts";
import { readBound } from "../../neutral.ts";
import { safeToolId } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import { readCallSignature } from "./call-signature.ts";
import { INPUT, TOOL_SEARCH, type ToolBook } from "./client-tools.ts";
import { readContent } from "./decode-content.ts";
import { invalid, readAs } from "./read-body.ts";

const anyItem = z.looseObject({ type: z.string().max(100).nullish(), role: z.string().nullish() });
const roles = z.enum(["user", "assistant", "system", "developer"]);
const message = z.object({ role: roles, content: z.unknown().optional() });
const agentMessage = z.object({ content: z.unknown().optional() });
const summaryText = z.object({ text: z.string() });
const reasoning = z.object({
  summary: z.array(summaryText).nullish(),
  content: z.array(summaryText).nullish(),
  encrypted_content: z.string().nullish(),
});
const callId = z.string().min(1);
const named = z.object({ call_id: callId, name: z.string().min(1), namespace: z.string().nullish() });
const functionCall = named.extend({ arguments: z.string() });
const customCall = named.extend({ input: z.string() });
const searchCall = z.object({ call_id: callId, arguments: z.unknown().optional() });
const actionCall = z.object({
  call_id: callId,
  action: z.unknown().optional(),
  operation: z.unknown().optional(),
});
const output = z.object({ call_id: callId.nullish(), id: callId.nullish(), output: z.unknown().optional() });
const searchOutput = z.object({ call_id: callId.nullish(), tools: z.array(z.unknown()) });
const picture = z.object({ result: z.string().nullish(), output_format: z.string().max(20).nullish() });

/** What an item comes to. */
type Said =
  { readonly role: Turn["role"]; readonly parts: readonly Part[] } | { readonly omitted: string } | null;

interface Scene {
  readonly book: ToolBook;
  readonly signatures: ReadonlyMap<string, Bound>;
  /** Names by the ids of the calls seen so far. */
  readonly names: Map<string, string>;
}

type ItemReader = (item: unknown, place: string, scene: Scene) => Said;

const READERS: Readonly<Record<string, ItemReader>> = {
  message: readMessage,
  // Another agent's words to this one: what is encrypted of them is refused with the content.
  agent_message: (item, place) => ({
    role: "user",
    parts: readContent(readAs(agentMessage, item, place).content, `${place}.content`),
  }),
  reasoning: readReasoning,
  function_call: (item, place, scene) => {
    const { arguments: json, ...call } = readAs(functionCall, item, place);
    return saidCall(
      scene,
      call.call_id,
      scene.book.flatName(call.namespace ?? null, call.name),
      objectText(json),
    );
  },
  custom_tool_call: (item, place, scene) => {
    const { input, ...call } = readAs(customCall, item, place);
    const name = scene.book.flatName(call.namespace ?? null, call.name);
    return saidCall(scene, call.call_id, name, JSON.stringify({ [INPUT]: input }));
  },
  tool_search_call: (item, place, scene) => {
    const call = readAs(searchCall, item, place);
    const name = scene.book.flatName(null, TOOL_SEARCH);
    return saidCall(scene, call.call_id, name, objectText(JSON.stringify(call.arguments ?? {})));
  },
  local_shell_call: readAction("local_shell"),
  shell_call: readAction("shell"),
  apply_patch_call: readAction("apply_patch"),
  function_call_output: readOutput,
  custom_tool_call_output: readOutput,
  local_shell_call_output: readOutput,
  shell_call_output: readOutput,
  apply_patch_call_output: readOutput,
  tool_search_output: (item, place, scene) => {
    const { call_id, tools } = readAs(searchOutput, item, place);
    // Found by OpenAI itself, it belongs to no call: the tools are told with the others.
    if (typeof call_id !== "string") return null;
    const text = JSON.stringify(tools);
    return saidResult(scene, call_id, [{ kind: "text", text, cache: null }]);
  },
  image_generation_call: (item, place) => {
    const { result, output_format } = readAs(picture, item, place);
    if (typeof result !== "string" || result === "") return null;
    const source = { kind: "base64", data: result } as const;
    const mediaType = `image/${output_format ?? "png"}`;
    return { role: "assistant", parts: [{ kind: "media", mediaType, source, name: null, cache: null }] };
  },
  additional_tools: () => null,
  // What OpenAI ran by itself went into the text that follows.
  web_search_call: () => ({ omitted: "input: web_search_call" }),
  file_search_call: () => ({ omitted: "input: file_search_call" }),
  code_interpreter_call: () => ({ omitted: "input: code_interpreter_call" }),
  mcp_list_tools: () => ({ omitted: "input: mcp_list_tools" }),
  mcp_call: () => ({ omitted: "input: mcp_call" }),
};

function readMessage(item: unknown, place: string): Said {
  const { role, content } = readAs(message, item, place);
  const parts = readContent(content, `${place}.content`);
  if (role === "user" || role === "assistant") return { role, parts };
  if (parts.some(({ kind }) => kind !== "text")) throw notCarried(`${place}: media in a ${role} message`);
  return { role: "system", parts };
}

/** An empty summary is thinking that the client may not see; a summary without text is thinking it was not shown. */
function readReasoning(item: unknown, place: string): Said {
  const { summary, content, encrypted_content: bound } = readAs(reasoning, item, place);
  const encrypted = bound ?? "";
  if (readCallSignature(encrypted) !== null) return null;
  const told = summary !== null && summary !== undefined && summary.length > 0 ? summary : (content ?? []);
  const text = told.map((part) => part.text).join("\n\n");
  if (text === "" && encrypted === "") return null;
  const signature = encrypted === "" ? null : readBound(encrypted, "openai-responses");
  const part: Part = { kind: "thinking", text, signature, redacted: told.length === 0 };
  return { role: "assistant", parts: [part] };
}

function saidCall(scene: Scene, clientId: string, name: string, json: string): Said {
  const id = safeToolId(clientId);
  scene.names.set(id, name);
  const signature = scene.signatures.get(id) ?? null;
  return { role: "assistant", parts: [{ kind: "tool_call", id, name, arguments: json, signature }] };
}

/** Tools of OpenAI's own that the client runs: the model that reads on knows them by their names only. */
function readAction(name: string): ItemReader {
  return (item, place, scene) => {
    const { call_id, action, operation } = readAs(actionCall, item, place);
    return saidCall(scene, call_id, name, objectText(JSON.stringify(action ?? operation ?? {})));
  };
}

function readOutput(item: unknown, place: string, scene: Scene): Said {
  const read = readAs(output, item, place);
  const id = read.call_id ?? read.id ?? null;
  if (id === null) throw invalid(`Missing required parameter: '${place}.call_id'.`);
  return saidResult(scene, id, outputContent(read.output, `${place}.output`));
}

/** Outputs of shells are lists of what was printed: text for whoever reads on. */
function outputContent(value: unknown, place: string): ToolResultPart["content"] {
  const isPrinted = Array.isArray(value) && value.some((part) => !anyItem.safeParse(part).data?.type);
  if (value === undefined || value === null) return [];
  return readContent(isPrinted ? JSON.stringify(value) : value, place);
}

function saidResult(scene: Scene, clientId: string, content: ToolResultPart["content"]): Said {
  const id = safeToolId(clientId);
  const name = scene.names.get(id) ?? "";
  const part: Part = { kind: "tool_result", callId: id, name, content, isError: false, cache: null };
  return { role: "user", parts: [part] };
}

/** Arguments that a model got wrong go back to it, in an object. */
export function objectText(json: string): string {
  if (json.trim() === "") return "{}";
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return json;
  } catch {
    // Not JSON: the text itself goes back.
  }
  return JSON.stringify({ arguments: json });
}

export interface Conversation {
  readonly turns: readonly Turn[];
  readonly omitted: readonly string[];
}

export function readInputItems(items: readonly unknown[], book: ToolBook): Conversation {
  const scene: Scene = { book, signatures: signaturesIn(items), names: new Map() };
  const turns: Turn[] = [];
  const omitted = new Set<string>();
  for (const [index, item] of items.entries()) {
    const said = readItem(item, `input[${String(index)}]`, scene);
    if (said === null) continue;
    if ("omitted" in said) omitted.add(said.omitted);
    else addTurn(turns, said);
  }
  return { turns, omitted: [...omitted] };
}

function readItem(item: unknown, place: string, scene: Scene): Said {
  const { type, role } = readAs(anyItem, item, place);
  const kind = type ?? (typeof role === "string" ? "message" : null);
  if (kind === null) throw invalid(`Missing required parameter: '${place}.type'.`);
  const reader = Object.hasOwn(READERS, kind) ? READERS[kind] : undefined;
  if (reader === undefined) throw notCarried(`${place}: ${kind}`);
  return reader(item, place, scene);
}

function signaturesIn(items: readonly unknown[]): ReadonlyMap<string, Bound> {
  const signatures = new Map<string, Bound>();
  for (const item of items) {
    const read = reasoning.extend({ type: z.literal("reasoning") }).safeParse(item);
    const found = readCallSignature(read.data?.encrypted_content ?? "");
    if (found !== null) signatures.set(found.callId, found.signature);
  }
  return signatures;
}

const isResult = ({ kind }: Part): boolean => kind === "tool_result";

/** The model's items are one turn, and so are results that follow each other; every other message is its own. */
function addTurn(turns: Turn[], { role, parts }: Turn): void {
  const last = turns.at(-1);
  const goesOn =
    last?.role === role && (role === "assistant" || (last.parts.every(isResult) && parts.every(isResult)));
  if (last !== undefined && goesOn) turns[turns.length - 1] = { role, parts: [...last.parts, ...parts] };
  else turns.push({ role, parts });
}
