/** The messages of a call as turns. Pure. */
import type { MediaPart, Part, TextPart, ToolCallPart, Turn } from "../../neutral.ts";
import { safeToolId } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import { cacheOf, decodeMedia } from "./media.ts";
import { extraIn, thinkingIn } from "./reasoning.ts";
import { invalid, type ChatCall, type ChatMessage, type ChatPart } from "./request-schema.ts";

/** A message and its place, which errors name. */
interface Placed {
  readonly message: ChatMessage;
  /** As the client would write it: `messages[3]`. */
  readonly at: string;
}

/** What was called so far, for results to find. */
interface Calls {
  /** Names by id. */
  readonly names: Map<string, string>;
  /** Ids of calls in the form that had none, by name. */
  readonly legacy: Map<string, string>;
}

/** @throws RelayError `invalid_request` that names the message */
export function decodeMessages(messages: readonly ChatMessage[]): readonly Turn[] {
  const calls: Calls = { names: new Map(), legacy: new Map() };
  const turns: { readonly role: Turn["role"]; readonly parts: Part[] }[] = [];
  messages.forEach((message, position) => {
    const { role, parts } = turnOf({ message, at: `messages[${String(position)}]` }, calls);
    const isContinued = isResult(message) && isResult(messages[position - 1]);
    // The results of one turn come in messages of their own.
    if (isContinued) turns.at(-1)?.parts.push(...parts);
    else if (parts.length > 0) turns.push({ role, parts: [...parts] });
  });
  return turns;
}

const isResult = (message: ChatMessage | undefined): boolean =>
  message?.role === "tool" || message?.role === "function";

function turnOf(placed: Placed, calls: Calls): Turn {
  switch (placed.message.role) {
    case "system":
    case "developer":
      return { role: "system", parts: contentOf(placed).map((part) => textOnly(part, placed.at)) };
    case "user":
      return { role: "user", parts: contentOf(placed) };
    case "assistant":
      return { role: "assistant", parts: assistantParts(placed, calls) };
    case "tool":
    case "function":
      return { role: "user", parts: [resultOf(placed, calls)] };
  }
}

function textOnly(part: TextPart | MediaPart, at: string): TextPart {
  if (part.kind === "text") return part;
  throw invalid(`Invalid value for '${at}.content': only text may stand here.`);
}

const text = (value: string, part?: ChatPart): readonly TextPart[] =>
  value === "" ? [] : [{ kind: "text", text: value, cache: cacheOf(part?.cache_control) }];

/** Empty texts are left out: Anthropic refuses them. */
function contentOf({ message: { content }, at }: Placed): readonly (TextPart | MediaPart)[] {
  if (content === null || content === undefined) return [];
  if (typeof content === "string") return text(content);
  return content.flatMap((part, position) => partOf(part, `${at}.content[${String(position)}]`));
}

function partOf(part: ChatPart, at: string): readonly (TextPart | MediaPart)[] {
  if (part.type === "text" || part.type === "refusal") {
    const said = part[part.type];
    if (typeof said !== "string") throw invalid(`Missing required parameter: '${at}.${part.type}'.`);
    return text(said, part);
  }
  const medium = decodeMedia(part, at);
  if (medium === null) throw notCarried(`${at}.type`);
  return [medium];
}

function assistantParts(placed: Placed, calls: Calls): readonly Part[] {
  const { message, at } = placed;
  // A recording of the model's, by its id, which only the account that made it could find.
  if (message.audio !== null && message.audio !== undefined) throw notCarried(`${at}.audio`);
  const pictures = (message.images ?? []).flatMap((part, position) => {
    const medium = decodeMedia(part, `${at}.images[${String(position)}]`);
    return medium === null ? [] : [medium];
  });
  return [
    ...thinkingIn(message),
    ...contentOf(placed),
    ...text(message.refusal ?? ""),
    ...pictures,
    ...(message.tool_calls ?? []).map((call, position) =>
      callOf(call, `${at}.tool_calls[${String(position)}]`, calls),
    ),
    ...legacyCall(placed, calls),
  ];
}

function callOf(call: ChatCall, at: string, { names }: Calls): ToolCallPart {
  if (!call.function) throw notCarried(`${at} of type ${call.type ?? "unknown"}`);
  const { name } = call.function;
  const id = safeToolId(call.id);
  names.set(id, name);
  return {
    kind: "tool_call",
    id,
    name,
    arguments: argumentsOf(call.function.arguments),
    signature: extraIn(call.extra_content),
  };
}

/** Models write them, so they need not be an object; what is none is kept as a field of one. */
function argumentsOf(json: string): string {
  try {
    const value: unknown = json.trim() === "" ? {} : JSON.parse(json);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? json.trim() || "{}"
      : JSON.stringify({ value });
  } catch {
    return JSON.stringify({ value: json });
  }
}

function legacyCall(
  { message: { function_call: call }, at }: Placed,
  { names, legacy }: Calls,
): readonly Part[] {
  if (!call) return [];
  const id = safeToolId(`call_${at}`);
  names.set(id, call.name);
  legacy.set(call.name, id);
  return [
    { kind: "tool_call", id, name: call.name, arguments: argumentsOf(call.arguments), signature: null },
  ];
}

function resultOf(placed: Placed, { names, legacy }: Calls): Part {
  const { message, at } = placed;
  const isLegacy = message.role === "function";
  const callId = isLegacy ? legacy.get(message.name ?? "") : safeToolId(message.tool_call_id ?? "");
  const name = callId === undefined ? undefined : names.get(callId);
  if (callId === undefined || name === undefined)
    throw invalid(
      `Invalid value for '${at}.${isLegacy ? "name" : "tool_call_id"}': no message before it calls this tool.`,
    );
  return { kind: "tool_result", callId, name, content: contentOf(placed), isError: false, cache: null };
}
