/** The tools that Claude may call, and which of them it must. Pure. */
import type { NeutralRequest, Tool } from "../../neutral.ts";
import { toolNames, type ToolNames } from "../../tool-names.ts";
import { notCarried } from "../../translate.ts";
import { cacheField, type Block, type EncodeContext } from "./encode-blocks.ts";
import type { ModelTraits } from "./model-traits.ts";

/** Every name that the conversation knows, so that one that is too long is the same everywhere. */
export function namesOf({ tools, turns, toolChoice }: NeutralRequest): ToolNames {
  const called = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === "tool_call" ? [part.name] : [])),
  );
  const demanded = toolChoice?.kind === "named" ? [toolChoice.name] : [];
  return toolNames([...tools.map(({ name }) => name), ...called, ...demanded]);
}

export function toolBlocks({ tools, turns }: NeutralRequest, { names, omit }: EncodeContext): Block[] {
  if (tools.some(({ strict }) => strict === true)) omit("tools.strict");
  if (tools.length > 0) return tools.map((tool) => toolBlock(tool, names));
  // Calls of the past are refused where no tool is named: they are named, and not offered (`choiceField`).
  const called = turns.flatMap(({ parts }) =>
    parts.flatMap((part) => (part.kind === "tool_call" ? [part.name] : [])),
  );
  return [...new Set(called)].map((name) => ({
    name: names.toUpstream(name),
    input_schema: { type: "object", properties: {} },
  }));
}

const toolBlock = ({ name, description, parameters, cache }: Tool, names: ToolNames): Block => ({
  name: names.toUpstream(name),
  ...(description === null || description === "" ? {} : { description }),
  input_schema: parameters.type === "object" ? parameters : { properties: {}, ...parameters, type: "object" },
  ...cacheField(cache),
});

export function choiceField(
  { tools, toolChoice, parallelToolCalls }: NeutralRequest,
  named: readonly Block[],
  { hasForcedTools }: ModelTraits,
  names: ToolNames,
): { readonly tool_choice?: Block } {
  if (named.length === 0) return {};
  if (tools.length === 0) return { tool_choice: { type: "none" } };
  const single = parallelToolCalls === false ? { disable_parallel_tool_use: true } : {};
  switch (toolChoice?.kind) {
    case undefined:
    case "auto":
      if (toolChoice === null && parallelToolCalls !== false) return {};
      return { tool_choice: { type: "auto", ...single } };
    case "none":
      return { tool_choice: { type: "none" } };
    case "required":
    case "named": {
      if (!hasForcedTools) throw notCarried("tool_choice that demands a call, which this model refuses");
      const forced =
        toolChoice.kind === "required"
          ? { type: "any" }
          : { type: "tool", name: names.toUpstream(toolChoice.name) };
      return { tool_choice: { ...forced, ...single } };
    }
  }
}
