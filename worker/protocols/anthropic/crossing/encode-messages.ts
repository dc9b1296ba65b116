/** Turns as messages in the order that Anthropic wants: roles alternate, and every call has its result next. Pure. */
import type { Turn } from "../../neutral.ts";
import {
  assistantBlocks,
  spokenSystemBlocks,
  systemBlocks,
  textBlocks,
  userBlocks,
  type Block,
  type EncodeContext,
} from "./encode-blocks.ts";

export interface Message {
  readonly role: "user" | "assistant";
  readonly content: readonly Block[];
}

export interface Prompt {
  readonly system: readonly Block[];
  readonly messages: readonly Message[];
}

export function promptOf(turns: readonly Turn[], context: EncodeContext): Prompt {
  const spokenFrom = turns.findIndex(({ role }) => role !== "system");
  // Anthropic answers to messages only: instructions by themselves are what is asked.
  if (spokenFrom === -1) {
    const content = turns.flatMap(({ parts }) => systemBlocks(parts));
    return { system: [], messages: content.length === 0 ? [] : [{ role: "user", content }] };
  }
  const spoken = turns.slice(spokenFrom).map((turn) => messageOf(turn, context));
  return {
    system: turns.slice(0, spokenFrom).flatMap(({ parts }) => systemBlocks(parts)),
    messages: withResults(merged(spoken)),
  };
}

function messageOf({ role, parts }: Turn, context: EncodeContext): Message {
  switch (role) {
    case "assistant":
      return { role, content: assistantBlocks(parts, context) };
    case "user":
      return { role, content: userBlocks(parts, context) };
    case "system":
      return { role: "user", content: spokenSystemBlocks(parts) };
  }
}

function merged(messages: readonly Message[]): Message[] {
  const whole: Message[] = [];
  for (const message of messages) {
    const last = whole.at(-1);
    if (message.content.length === 0) continue;
    if (last?.role !== message.role) whole.push(message);
    else whole[whole.length - 1] = { ...last, content: [...last.content, ...message.content] };
  }
  return whole;
}

function withResults(messages: readonly Message[]): Message[] {
  return messages.flatMap((message, i): Message[] => {
    const before = messages[i - 1];
    const calls = before?.role === "assistant" ? callsOf(before) : [];
    if (message.role === "user") return [{ role: "user", content: answering(calls, message.content) }];
    const isLast = i === messages.length - 1;
    const open = isLast ? callsOf(message) : [];
    return open.length === 0 ? [message] : [message, { role: "user", content: answering(open, []) }];
  });
}

const callsOf = ({ content }: Message): readonly unknown[] =>
  content.filter(({ type }) => type === "tool_use").map(({ id }) => id);

/** The results of these calls first, one for each; a result of any other call is told as text. */
function answering(calls: readonly unknown[], content: readonly Block[]): Block[] {
  const waiting = new Set(calls);
  const results: Block[] = [];
  const rest: Block[] = [];
  for (const block of content) {
    if (block.type !== "tool_result") rest.push(block);
    else if (waiting.delete(block.tool_use_id)) results.push(block);
    else rest.push(...toldResult(block));
  }
  return [...results, ...[...waiting].map(missingResult), ...rest];
}

/** A call that was broken off: without a result Anthropic refuses the whole conversation. */
const missingResult = (id: unknown): Block => ({
  type: "tool_result",
  tool_use_id: id,
  content: [{ type: "text", text: "There is no result: the call was broken off." }],
  is_error: true,
});

const toldResult = ({ tool_use_id, content }: Block): Block[] => [
  ...textBlocks(`Result of the tool call ${String(tool_use_id)}:`),
  ...(content ?? []),
];
