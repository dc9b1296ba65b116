/** Where Anthropic should cache the prompt. Pure. */
import type { Block } from "./encode-blocks.ts";
import type { Message, Prompt } from "./encode-messages.ts";

/** Anthropic refuses more. */
const MARKS_MAX = 4;

export interface MarkedPrompt extends Prompt {
  readonly tools: readonly Block[];
}

/**
 * Keeps the client's marks, at most the last four. A client that knows none gets two where the prompt will come
 * again, as it does with tools or in a conversation: after the instructions and at the end. Without them Anthropic
 * caches nothing, and each round would pay for the whole conversation; with them what is new costs a quarter more,
 * and what is known a tenth.
 */
export function withCacheMarks(prompt: MarkedPrompt): MarkedPrompt {
  const marks = countMarks(prompt);
  if (marks > MARKS_MAX) return withoutFirstMarks(prompt, marks - MARKS_MAX);
  const comesAgain = prompt.tools.length > 0 || prompt.messages.some(({ role }) => role === "assistant");
  if (marks > 0 || !comesAgain) return prompt;
  const { system, tools, messages } = prompt;
  const last = messages.at(-1);
  return {
    system: markedLast(system),
    tools: system.length === 0 ? markedLast(tools) : tools,
    messages:
      last === undefined ? [] : [...messages.slice(0, -1), { ...last, content: markedLast(last.content) }],
  };
}

const isMarked = (block: Block): boolean => block.cache_control !== undefined;
const marksIn = (blocks: readonly Block[]): number => blocks.filter(isMarked).length;

const countMarks = ({ tools, system, messages }: MarkedPrompt): number =>
  marksIn(tools) + marksIn(system) + messages.reduce((sum, { content }) => sum + marksIn(content), 0);

const isMarkable = ({ type }: Block): boolean => type !== "thinking" && type !== "redacted_thinking";

function markedLast(blocks: readonly Block[]): Block[] {
  const last = blocks.findLastIndex(isMarkable);
  return blocks.map((block, i) => (i === last ? { ...block, cache_control: { type: "ephemeral" } } : block));
}

/** The later a mark, the more it covers. */
function withoutFirstMarks({ tools, system, messages }: MarkedPrompt, count: number): MarkedPrompt {
  let left = count;
  const unmarked = (blocks: readonly Block[]): Block[] =>
    blocks.map((block) => {
      if (left === 0 || !isMarked(block)) return block;
      left--;
      const { cache_control: _, ...rest } = block;
      return rest;
    });
  return {
    tools: unmarked(tools),
    system: unmarked(system),
    messages: messages.map((message): Message => ({ ...message, content: unmarked(message.content) })),
  };
}
