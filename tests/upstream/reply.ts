/** Decides what the fake model says to a conversation. Pure. */
import type { AnswerShape, Usage } from "./behaviour.ts";
import type { Conversation } from "./conversation.ts";
import { derivedUsage, withFigures } from "./derived-usage.ts";
import { isRecord, textOf, type JsonRecord } from "./record.ts";
import { sampleObject } from "./schema-sample.ts";

/** `pieces` are what a stream sends one by one. */
export type Block =
  | { readonly type: "thinking"; readonly pieces: readonly string[]; readonly signature: string }
  | { readonly type: "text"; readonly pieces: readonly string[] }
  | {
      readonly type: "tool_use";
      readonly id: string;
      readonly name: string;
      readonly input: JsonRecord;
      /** For tools that take a text of their own instead of an input; only the Responses API has them. */
      readonly script?: string;
    };

export type Reply = {
  readonly id: string;
  readonly model: string;
  readonly blocks: readonly Block[];
  readonly stopReason: "end_turn" | "tool_use";
  readonly usage: Usage;
};

/** What the shell tool is asked to print, by the first call and by one beside it. */
export const TOOL_MARKERS = ["relay-tool-ok", "relay-tool-too"] as const;
type Marker = (typeof TOOL_MARKERS)[number];

/** The same in the words of Codex's newer models, whose one tool runs JavaScript that calls all others. */
const scriptThatPrints = (marker: Marker) =>
  `text((await tools.exec_command({ cmd: "echo ${marker}" })).output);`;

const EVENTS_DEFAULT = 3;
const PROMPT_ECHO_LENGTH = 40;
const SIGNATURE = "RmFrZVNpZ25hdHVyZU9mVGhlRmFrZVVwc3RyZWFtLi4u";
const SHELL_NAMES = [
  "bash",
  "shell",
  "exec_command",
  "local_shell",
  "run_shell_command",
  "execute",
  "terminal",
  "exec",
];
const FILE_NAMES = ["write", "create", "edit", "read", "write_file", "read_file"];
const wishesFor = (marker: Marker) => ({
  command: `echo ${marker}`,
  cmd: `echo ${marker}`,
  description: "Print a marker",
  file_path: `${marker}.txt`,
  path: `${marker}.txt`,
  content: marker,
  // Where a tool that takes a script is told to people who know only inputs.
  input: scriptThatPrints(marker),
});

export function composeReply(
  body: JsonRecord,
  conversation: Conversation,
  shape: AnswerShape,
  id: string,
): Reply {
  const tool =
    conversation.callsWanted > 0 && shape.text === undefined ? chooseTool(conversation.tools) : null;
  const text = tool === null ? answerText(conversation, shape) : "I will run the tool. 我来运行工具。";
  const blocks: Block[] = [
    ...thinkingBlocks(conversation),
    { type: "text", pieces: textPieces(text, shape) },
  ];
  if (tool !== null) {
    const markers = TOOL_MARKERS.slice(0, conversation.callsWanted);
    blocks.push(...markers.map((marker, index) => toolBlock(tool, marker, callIdOf(id, index))));
  }
  return {
    id,
    model: shape.model ?? conversation.model,
    blocks,
    stopReason: tool === null ? "end_turn" : "tool_use",
    usage: withFigures(derivedUsage(body), shape.usage),
  };
}

function answerText(conversation: Conversation, shape: AnswerShape): string {
  if (shape.text !== undefined) return shape.text;
  if (conversation.schema !== null) return JSON.stringify(sampleObject(conversation.schema));
  if (conversation.toolOutput !== null) return `fake answer: the tool said: ${conversation.toolOutput}`;
  // Cut before spreading into code points: a prompt may be megabytes long.
  const start = [...conversation.prompt.slice(0, 2 * PROMPT_ECHO_LENGTH)]
    .slice(0, PROMPT_ECHO_LENGTH)
    .join("");
  return `fake answer: ${start} 你好，世界 🌍`;
}

function thinkingBlocks(conversation: Conversation): readonly Block[] {
  switch (conversation.thinking) {
    case "none":
      return [];
    case "shown":
      return [{ type: "thinking", pieces: ["Let me think. ", "想一想… 🤔"], signature: SIGNATURE }];
    case "omitted":
      return [{ type: "thinking", pieces: [], signature: SIGNATURE }];
  }
}

/** Exactly as many pieces as asked for, never cutting a code point. */
function textPieces(text: string, shape: AnswerShape): readonly string[] {
  const count = Math.max(1, shape.events ?? EVENTS_DEFAULT);
  const points = [...text];
  const size = Math.max(1, Math.ceil(points.length / count));
  const pieces = Array.from({ length: count }, (_, index) =>
    index * size < points.length ? points.slice(index * size, (index + 1) * size).join("") : ` 片${index}`,
  );
  const [first = "", ...rest] = pieces;
  return shape.largeEventBytes === undefined
    ? pieces
    : [first + "大".repeat(shape.largeEventBytes / 3 + 1), ...rest];
}

/** A shell tool first, then a file tool; exact names before resembling ones (`BashOutput` is no shell). */
function chooseTool(tools: readonly JsonRecord[]): JsonRecord | null {
  const nameOf = (tool: JsonRecord) => textOf(tool["name"]).toLowerCase();
  for (const name of [...SHELL_NAMES, ...FILE_NAMES]) {
    const tool = tools.find((candidate) => nameOf(candidate) === name);
    if (tool !== undefined) return tool;
  }
  return tools.find((candidate) => /bash|shell|exec|terminal|file/.test(nameOf(candidate))) ?? null;
}

const callIdOf = (replyId: string, index: number) =>
  replyId.replace("msg_", "toolu_") + (index === 0 ? "" : `_${String(index + 1)}`);

function toolBlock(tool: JsonRecord, marker: Marker, id: string): Block {
  const schema = isRecord(tool["input_schema"]) ? tool["input_schema"] : {};
  return {
    type: "tool_use",
    id,
    name: textOf(tool["name"]),
    input: sampleObject(schema, wishesFor(marker)),
    ...(tool["takes_script"] === true ? { script: scriptThatPrints(marker) } : {}),
  };
}
