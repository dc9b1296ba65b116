/** What an upstream of Chat Completions is asked. Pure. */
import type {
  Effort,
  JsonObject,
  NeutralRequest,
  OutputFormat,
  Reasoning,
  Tool,
  ToolChoice,
} from "../../neutral.ts";
import { safeToolId, toolNames, type ToolNames } from "../../tool-names.ts";
import type { EncodedRequest } from "../../translate.ts";
import { createDecoder } from "./decode-answer.ts";
import { encodeMessages } from "./encode-messages.ts";

/** Longer ids are refused with 400 (`string_above_max_length`). */
const ID_LENGTH_MAX = 64;
/** Budgets above these think harder; the steps lie between those that are usual for low, medium and high. */
const LOW_BUDGET_MAX = 4_096;
const MEDIUM_BUDGET_MAX = 16_384;

/** @throws RelayError `invalid_request` that names what this dialect cannot carry though it changes what is asked */
export function encodeRequest(request: NeutralRequest): EncodedRequest {
  const names = toolNames(toolNamesIn(request));
  const messages = encodeMessages(request.turns, names);
  const body = withoutNulls({
    model: request.model,
    messages: [...jsonWord(request), ...messages],
    ...(request.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...toolFields(request, names),
    max_completion_tokens: request.outputTokensMax,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    presence_penalty: request.presencePenalty,
    frequency_penalty: request.frequencyPenalty,
    stop: request.stop.length === 0 ? null : request.stop,
    reasoning_effort: effortOf(request.reasoning),
    response_format: formatOf(request.format),
    user: shortId(request.user),
    prompt_cache_key: shortId(request.cacheKey),
  });
  return {
    path: "/v1/chat/completions",
    query: "",
    body,
    omitted: omittedOf(request),
    createDecoder: (facts) => createDecoder(facts, names, request.stop),
  };
}

const withoutNulls = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

function toolNamesIn({ tools, turns, toolChoice }: NeutralRequest): readonly string[] {
  return [
    ...tools.map(({ name }) => name),
    ...turns.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === "tool_call" ? [part.name] : []))),
    ...(toolChoice?.kind === "named" ? [toolChoice.name] : []),
  ];
}

/** Nothing may be said about the use of tools where there are none. */
function toolFields({ tools, toolChoice, parallelToolCalls }: NeutralRequest, names: ToolNames): JsonObject {
  if (tools.length === 0) return {};
  return {
    tools: tools.map((tool) => toolOf(tool, names)),
    tool_choice: choiceOf(toolChoice, names),
    parallel_tool_calls: parallelToolCalls,
  };
}

const toolOf = ({ name, description, parameters, strict }: Tool, names: ToolNames): JsonObject => ({
  type: "function",
  function: withoutNulls({
    name: names.toUpstream(name),
    description,
    // An object without `properties` is refused.
    parameters: parameters.type === "object" ? { properties: {}, ...parameters } : parameters,
    strict,
  }),
});

function choiceOf(choice: ToolChoice | null, names: ToolNames): unknown {
  if (choice === null) return null;
  return choice.kind === "named"
    ? { type: "function", function: { name: names.toUpstream(choice.name) } }
    : choice.kind;
}

/** `max` is younger than what most of these upstreams know. */
const knownEffort = (effort: Effort): string => (effort === "max" ? "xhigh" : effort);

function effortOf(reasoning: Reasoning | null): string | null {
  if (reasoning === null) return null;
  const { effort, budgetTokens } = reasoning;
  if (effort !== null) return knownEffort(effort);
  if (budgetTokens === null) return null;
  if (budgetTokens === 0) return "none";
  if (budgetTokens <= LOW_BUDGET_MAX) return "low";
  return budgetTokens <= MEDIUM_BUDGET_MAX ? "medium" : "high";
}

function formatOf(format: OutputFormat | null): JsonObject | null {
  if (format === null) return null;
  if (format.kind === "json") return { type: "json_object" };
  const { name, schema, strict } = format;
  const short = toolNames([name]).toUpstream(name);
  return { type: "json_schema", json_schema: withoutNulls({ name: short, schema, strict }) };
}

/** JSON mode is refused unless the prompt says "JSON" somewhere. */
function jsonWord({ format, turns }: NeutralRequest): readonly JsonObject[] {
  if (format?.kind !== "json") return [];
  const isSaid = turns.some(({ parts }) =>
    parts.some((part) => part.kind === "text" && /json/i.test(part.text)),
  );
  return isSaid ? [] : [{ role: "system", content: "Answer in JSON." }];
}

const shortId = (id: string | null): string | null =>
  id === null || id === "" ? null : id.length <= ID_LENGTH_MAX ? id : safeToolId(id);

function omittedOf({ topK, tools, turns }: NeutralRequest): readonly string[] {
  const isMarked =
    tools.some(({ cache }) => cache !== null) ||
    turns.some(({ parts }) => parts.some((part) => "cache" in part && part.cache !== null));
  return [...(topK === null ? [] : ["top_k"]), ...(isMarked ? ["cache_control"] : [])];
}
