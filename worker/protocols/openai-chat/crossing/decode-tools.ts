/** The tools of a call and what is said of their use, with the older form in which they were functions. Pure. */
import type { NeutralRequest, Tool, ToolChoice } from "../../neutral.ts";
import { notCarried } from "../../translate.ts";
import { cacheOf } from "./media.ts";
import { invalid, type ChatFunction, type ChatRequest, type ChatTool } from "./request-schema.ts";

type Asked = Pick<NeutralRequest, "tools" | "toolChoice" | "parallelToolCalls" | "omitted">;

/** The older form was left behind before calls could be parallel. */
export const hasLegacyTools = (fields: { has(name: string): boolean }): boolean =>
  fields.has("functions") && !fields.has("tools");

export function decodeTools(request: ChatRequest): Asked {
  if (request.functions && !request.tools) return legacyTools(request.functions, request.function_call);
  const tools = (request.tools ?? []).map(toolOf);
  const omitted = (request.tools ?? [])
    .filter(({ type }) => type !== "function")
    .map(({ type }) => `tools: ${type}`);
  const { choice, names } = choiceOf(request.tool_choice);
  const known = tools.filter((tool) => tool !== null);
  return {
    tools: names === null ? known : known.filter(({ name }) => names.has(name)),
    toolChoice: choice,
    parallelToolCalls: request.parallel_tool_calls ?? null,
    omitted: [...new Set(omitted)],
  };
}

/** null: a tool of the upstream's own, which the model can do without. */
function toolOf(tool: ChatTool, position: number): Tool | null {
  const at = `tools[${String(position)}]`;
  // The client runs it, and would wait for calls in a form that no other dialect has.
  if (tool.type === "custom") throw notCarried(`${at} of type custom`);
  if (tool.type !== "function") return null;
  if (!tool.function) throw invalid(`Missing required parameter: '${at}.function'.`);
  return { ...functionOf(tool.function), cache: cacheOf(tool.cache_control) };
}

const functionOf = ({ name, description, parameters, strict }: ChatFunction): Tool => ({
  name,
  description: description ?? null,
  parameters: parameters ?? { type: "object", properties: {} },
  strict: strict ?? null,
  cache: null,
});

interface Choice {
  readonly choice: ToolChoice | null;
  /** Tools the model must do with; null: all of them. */
  readonly names: ReadonlySet<string> | null;
}

const all = (choice: ToolChoice | null): Choice => ({ choice, names: null });

function choiceOf(choice: ChatRequest["tool_choice"]): Choice {
  if (choice === null || choice === undefined) return all(null);
  if (typeof choice === "string") return all({ kind: choice });
  if (choice.type === "function" && choice.function)
    return all({ kind: "named", name: choice.function.name });
  if (choice.type === "allowed_tools" && choice.allowed_tools) {
    const { mode, tools } = choice.allowed_tools;
    return { choice: { kind: mode }, names: new Set(tools.flatMap((tool) => tool.function?.name ?? [])) };
  }
  throw notCarried(`tool_choice of type ${choice.type}`);
}

function legacyTools(functions: readonly ChatFunction[], call: ChatRequest["function_call"]): Asked {
  const choice: ToolChoice | null =
    call === null || call === undefined
      ? null
      : typeof call === "string"
        ? { kind: call }
        : { kind: "named", name: call.name };
  return { tools: functions.map(functionOf), toolChoice: choice, parallelToolCalls: false, omitted: [] };
}
