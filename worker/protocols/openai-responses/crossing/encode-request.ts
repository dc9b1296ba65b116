/** A call in the neutral form as an upstream of this dialect takes it. Pure. */
import type { JsonObject, NeutralRequest, Part, Reasoning, Tool } from "../../neutral.ts";
import { toolNames, type ToolNames } from "../../tool-names.ts";
import { notCarried, type EncodedRequest } from "../../translate.ts";
import { createDecoder } from "./decode-answer.ts";
import { encodeTurns } from "./encode-turns.ts";

/** Fewer are refused: clients that only want to know whether they are let in ask for one. */
const OUTPUT_TOKENS_MIN = 16;
/** Longer ones are refused ("string too long"). */
const IDENTIFIER_LENGTH_MAX = 64;

/** Models of OpenAI's that always reason: they refuse sampling parameters. */
const REASONS = /^(?:[\w.-]+\/)?(?:o\d|gpt-(?:[5-9]|\d\d)|codex)/;
/** Models of OpenAI's that never do: they refuse to be told how. */
const NEVER_REASONS = /^(?:[\w.-]+\/)?(?:gpt-[34]|chatgpt|gpt-[\d.]+-chat)/;

export function encodeRequest(request: NeutralRequest): EncodedRequest {
  if (request.stop.length > 0) throw notCarried("stop");
  const names = toolNames(namesIn(request));
  const { instructions, input } = encodeTurns(request.turns, names);
  const parts = [
    toolFields(request, names),
    samplingFields(request),
    reasoningFields(request),
    identityFields(request),
  ];
  const body: JsonObject = {
    model: request.model,
    ...(instructions === null ? {} : { instructions }),
    input,
    stream: request.stream,
    store: false,
    ...formatFields(request),
    ...(request.outputTokensMax === null
      ? {}
      : { max_output_tokens: Math.max(OUTPUT_TOKENS_MIN, request.outputTokensMax) }),
    ...Object.fromEntries(parts.flatMap(({ fields }) => Object.entries(fields))),
  };
  return {
    path: "/v1/responses",
    query: "",
    body,
    omitted: parts.flatMap(({ omitted }) => omitted),
    createDecoder: () => createDecoder(names),
  };
}

/** Fields of the body, and the names of what was asked for and is not among them. */
interface Encoded {
  readonly fields: JsonObject;
  readonly omitted: readonly string[];
}

function namesIn({ tools, turns, toolChoice }: NeutralRequest): Set<string> {
  const nameOf = (part: Part): string[] => (part.kind === "tool_call" ? [part.name] : []);
  return new Set([
    ...tools.map(({ name }) => name),
    ...turns.flatMap(({ parts }) => parts.flatMap(nameOf)),
    ...(toolChoice?.kind === "named" ? [toolChoice.name] : []),
  ]);
}

function toolFields({ tools, toolChoice, parallelToolCalls }: NeutralRequest, names: ToolNames): Encoded {
  if (tools.length === 0) return { fields: {}, omitted: [] };
  const choice =
    toolChoice?.kind === "named"
      ? { type: "function", name: names.toUpstream(toolChoice.name) }
      : (toolChoice?.kind ?? null);
  return {
    fields: {
      tools: tools.map((tool) => functionOf(tool, names)),
      ...(choice === null ? {} : { tool_choice: choice }),
      ...(parallelToolCalls === null ? {} : { parallel_tool_calls: parallelToolCalls }),
    },
    omitted: [],
  };
}

/** Here a function is strict unless it says otherwise, and a strict one may not have optional parameters. */
const functionOf = ({ name, description, parameters, strict }: Tool, names: ToolNames): JsonObject => ({
  type: "function",
  name: names.toUpstream(name),
  ...(description === null ? {} : { description }),
  parameters,
  strict: strict ?? false,
});

function samplingFields(request: NeutralRequest): Encoded {
  const { temperature, topP, topK, seed, presencePenalty, frequencyPenalty } = request;
  // 1 is what a model does by itself: those that refuse the parameter do the same without.
  const asked = { temperature: temperature === 1 ? null : temperature, top_p: topP === 1 ? null : topP };
  const isRefused = REASONS.test(request.model) && !NEVER_REASONS.test(request.model);
  const unknown = {
    ...(isRefused ? asked : {}),
    top_k: topK,
    seed,
    presence_penalty: presencePenalty,
    frequency_penalty: frequencyPenalty,
  };
  return { fields: isRefused ? {} : withoutNull(asked), omitted: Object.keys(withoutNull(unknown)) };
}

const withoutNull = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

/** What the model thought must come back with the next call, since nothing is stored: encrypted, it travels along. */
function reasoningFields({ model, reasoning }: NeutralRequest): Encoded {
  if (NEVER_REASONS.test(model)) return { fields: {}, omitted: reasoning === null ? [] : ["reasoning"] };
  const include = { include: ["reasoning.encrypted_content"] };
  if (reasoning === null) return { fields: include, omitted: [] };
  const effort = effortOf(reasoning);
  const asked = { ...(effort === null ? {} : { effort }), ...(reasoning.visible ? { summary: "auto" } : {}) };
  return {
    fields: Object.keys(asked).length === 0 ? include : { ...include, reasoning: asked },
    omitted: [],
  };
}

/** Budgets, in tokens, up to which an effort is the nearest word for them. */
const LOW_BUDGET_MAX = 4096;
const MEDIUM_BUDGET_MAX = 16_384;

function effortOf({ effort, budgetTokens }: Reasoning): string | null {
  if (effort !== null || budgetTokens === null) return effort;
  if (budgetTokens <= 0) return "none";
  if (budgetTokens <= LOW_BUDGET_MAX) return "low";
  return budgetTokens <= MEDIUM_BUDGET_MAX ? "medium" : "high";
}

function formatFields({ format }: NeutralRequest): JsonObject {
  if (format === null) return {};
  if (format.kind === "json") return { text: { format: { type: "json_object" } } };
  const { name, schema, strict } = format;
  return { text: { format: { type: "json_schema", name, schema, strict: strict ?? false } } };
}

function identityFields({ user, cacheKey }: NeutralRequest): Encoded {
  const asked = { user, prompt_cache_key: cacheKey };
  const isLong = (value: unknown) => typeof value === "string" && value.length > IDENTIFIER_LENGTH_MAX;
  return {
    fields: Object.fromEntries(Object.entries(withoutNull(asked)).filter(([, value]) => !isLong(value))),
    omitted: Object.entries(asked).flatMap(([name, value]) => (isLong(value) ? [name] : [])),
  };
}
