/** Turns as the messages that an upstream takes. Pure. */
import type { MediaPart, Part, TextPart, ToolCallPart, ToolResultPart, Turn } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { encodeMedia } from "./media.ts";
import { extraContent, reasoningFields } from "./reasoning.ts";

type Message = Readonly<Record<string, unknown>>;
type Shown = TextPart | MediaPart;

const isShown = (part: Part): part is Shown => part.kind === "text" || part.kind === "media";
const isText = (part: Part): part is TextPart => part.kind === "text";
const isMedia = (part: Part): part is MediaPart => part.kind === "media";
const isResult = (part: Part): part is ToolResultPart => part.kind === "tool_result";

/** Results must follow their calls at once, each in a message of its own; what cannot lie in one comes after them. */
export function encodeMessages(turns: readonly Turn[], names: ToolNames): readonly Message[] {
  const messages: Message[] = [];
  let attached: readonly Shown[] = [];
  for (const { role, said } of grouped(turns)) {
    const parts = said.flat();
    switch (role) {
      case "system":
        messages.push(...systemMessage(parts));
        break;
      case "assistant":
        messages.push(...assistantMessage(parts, names));
        attached = [...attached, ...painted(parts)];
        break;
      case "user": {
        const results = parts.filter(isResult);
        messages.splice(behindCalls(messages), 0, ...results.map(resultMessage));
        messages.push(...userMessage([...attached, ...results.flatMap(attachments)]));
        messages.push(...said.flatMap((one) => userMessage(one.filter(isShown))));
        attached = [];
        break;
      }
    }
  }
  return [...messages, ...userMessage(attached)];
}

interface Group {
  readonly role: Turn["role"];
  readonly said: (readonly Part[])[];
}

/** Neighbouring turns of one speaker together: calls must stand in one message, with nothing before their results. */
function grouped(turns: readonly Turn[]): readonly Group[] {
  const groups: Group[] = [];
  for (const { role, parts } of turns) {
    const last = groups.at(-1);
    if (last?.role === role && role !== "system") last.said.push(parts);
    else groups.push({ role, said: [parts] });
  }
  return groups;
}

/** Instructions may have come between; here they have to wait. */
function behindCalls(messages: readonly Message[]): number {
  const place = messages.findLastIndex(({ role }) => role !== "system");
  return messages[place]?.role === "assistant" ? place + 1 : messages.length;
}

/** A lone text as a string, which every upstream understands. */
function contentOf(parts: readonly Shown[]): unknown {
  const [first] = parts;
  if (parts.length === 1 && first?.kind === "text") return first.text;
  return parts.map((part) => (part.kind === "text" ? { type: "text", text: part.text } : encodeMedia(part)));
}

const userMessage = (parts: readonly Shown[]): readonly Message[] =>
  parts.length === 0 ? [] : [{ role: "user", content: contentOf(parts) }];

function systemMessage(parts: readonly Part[]): readonly Message[] {
  const texts = parts.filter(isText);
  return texts.length === 0 ? [] : [{ role: "system", content: contentOf(texts) }];
}

function assistantMessage(parts: readonly Part[], names: ToolNames): readonly Message[] {
  const texts = parts.filter(isText);
  const calls = parts.filter((part) => part.kind === "tool_call");
  const reasoning = reasoningFields(parts.filter((part) => part.kind === "thinking"));
  if (texts.length === 0 && calls.length === 0 && Object.keys(reasoning).length === 0) return [];
  const silent = calls.length > 0 ? null : "";
  return [
    {
      role: "assistant",
      content: texts.length === 0 ? silent : contentOf(texts),
      ...reasoning,
      ...(calls.length === 0 ? {} : { tool_calls: calls.map((call) => callOf(call, names)) }),
    },
  ];
}

const callOf = (call: ToolCallPart, names: ToolNames): Message => ({
  id: call.id,
  type: "function",
  function: { name: names.toUpstream(call.name), arguments: call.arguments },
  ...extraContent(call.signature),
});

const text = (value: string): TextPart => ({ kind: "text", text: value, cache: null });

/** Texts become one string: not every upstream takes a list here. */
function resultMessage({ callId, content }: ToolResultPart): Message {
  const texts = content.filter(isText).map((part) => part.text);
  const instead = content.some(isMedia) ? "See the attachment in the next message." : "";
  return { role: "tool", tool_call_id: callId, content: texts.length === 0 ? instead : texts.join("\n") };
}

function attachments({ callId, content }: ToolResultPart): readonly Shown[] {
  const media = content.filter(isMedia);
  return media.length === 0 ? [] : [text(`Attachment to the result of call ${callId}:`), ...media];
}

/** Only a person may show a picture. */
function painted(parts: readonly Part[]): readonly Shown[] {
  const media = parts.filter(isMedia);
  return media.length === 0 ? [] : [text("Pictures of your last answer:"), ...media];
}
