/** The tools of a request, and which of them must be called. Pure. */
import type { Tool, ToolChoice } from "../../neutral.ts";
import { notCarried } from "../../translate.ts";
import {
  cacheMark,
  readAs,
  toolChangeBlock,
  type MessagesRequest,
  type ToolEntry,
} from "./request-schema.ts";

/** Tools that Anthropic runs itself; the others without a schema are the client's to run, and it waits for them. */
const HOSTED = /^(web_search|web_fetch|code_execution|tool_search_tool|mcp_toolset|advisor)/;

interface Offered {
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice | null;
  readonly parallelToolCalls: boolean | null;
}

export function toolsOf(request: MessagesRequest, omit: (what: string) => void): Offered {
  const entries = afterChanges(request);
  const hosted = entries.filter(isHosted);
  for (const { type } of hosted) omit(type ?? "");
  if (entries.some(({ defer_loading }) => defer_loading === true)) omit("defer_loading");
  const tools = entries.filter((entry) => !isHosted(entry)).map(toolOf);
  const choice = choiceOf(request.tool_choice, hosted, tools.length);
  return {
    tools,
    toolChoice: tools.length === 0 ? null : choice,
    parallelToolCalls: request.tool_choice?.disable_parallel_tool_use === true ? false : null,
  };
}

const isHosted = ({ type, input_schema }: ToolEntry): boolean =>
  HOSTED.test(type ?? "") && (input_schema === null || input_schema === undefined);

function toolOf(entry: ToolEntry): Tool {
  const { type, name, description, input_schema, strict, cache_control } = entry;
  if (input_schema === null || input_schema === undefined) throw notCarried(`tools: ${type ?? name ?? "?"}`);
  return {
    name: name ?? "",
    description: description ?? null,
    parameters: input_schema,
    strict: strict ?? null,
    cache: cacheMark(cache_control),
  };
}

/** The tools as they stand at the end of the conversation: a system message may bring some and take others away. */
function afterChanges({ tools, messages }: MessagesRequest): readonly ToolEntry[] {
  let entries: readonly ToolEntry[] = tools ?? [];
  const removed = new Set<string>();
  messages.forEach(({ role, content }, i) => {
    if (role !== "system" || !Array.isArray(content)) return;
    content.forEach((block, j) => {
      if (block.type !== "tool_addition" && block.type !== "tool_removal") return;
      const { tool } = readAs(toolChangeBlock, block, `messages.${String(i)}.content.${String(j)}`);
      const { definition } = tool;
      const name = definition?.name ?? tool.name ?? "";
      if (block.type === "tool_removal") removed.add(name);
      else removed.delete(name);
      if (definition !== null && definition !== undefined) {
        entries = [...entries.filter((entry) => entry.name !== name), definition];
      }
    });
  });
  return entries.filter(({ name }) => !removed.has(name ?? ""));
}

function choiceOf(
  choice: MessagesRequest["tool_choice"],
  hosted: readonly ToolEntry[],
  toolCount: number,
): ToolChoice | null {
  if (choice === null || choice === undefined) return null;
  switch (choice.type) {
    case "auto":
    case "none":
      return { kind: choice.type };
    case "any":
      if (toolCount === 0) throw notCarried(`tool_choice: ${hosted[0]?.type ?? "any"}`);
      return { kind: "required" };
    case "tool": {
      const name = choice.name ?? "";
      if (hosted.some((entry) => entry.name === name)) throw notCarried(`tool_choice: ${name}`);
      return { kind: "named", name };
    }
  }
}
