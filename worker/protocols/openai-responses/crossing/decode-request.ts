/** A client's call in the neutral form. Pure. */
import { z } from "zod";
import {
  BARE_REQUEST,
  EFFORTS,
  type NeutralRequest,
  type OutputFormat,
  type Reasoning,
  type Tool,
  type ToolChoice,
  type Turn,
} from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { notCarried } from "../../translate.ts";
import { toolBook, toolsInInput, type ToolBook } from "./client-tools.ts";
import { readInputItems, type Conversation } from "./decode-items.ts";
import { invalid, readAs, readJson } from "./read-body.ts";

const count = z.number().int().min(1);
const namedTool = z.object({ type: z.string(), name: z.string().nullish(), namespace: z.string().nullish() });
const jsonSchema = z.record(z.string(), z.unknown());

const toolChoice = z.union([
  z.enum(["auto", "none", "required"]),
  z.object({
    type: z.literal("allowed_tools"),
    mode: z.enum(["auto", "required"]),
    tools: z.array(namedTool),
  }),
  namedTool,
]);

const format = z.union([
  z.object({
    type: z.literal("json_schema"),
    name: z.string().min(1),
    schema: jsonSchema,
    strict: z.boolean().nullish(),
  }),
  z.object({ type: z.enum(["text", "json_object"]) }),
]);

const body = z.object({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.unknown())]).nullish(),
  instructions: z.string().nullish(),
  stream: z.boolean().nullish(),
  tools: z.array(z.unknown()).nullish(),
  tool_choice: toolChoice.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  max_output_tokens: count.nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  reasoning: z
    .object({
      effort: z.string().nullish(),
      summary: z.string().nullish(),
      generate_summary: z.string().nullish(),
    })
    .nullish(),
  text: z.object({ format: format.nullish(), verbosity: z.string().nullish() }).nullish(),
  user: z.string().nullish(),
  safety_identifier: z.string().nullish(),
  prompt_cache_key: z.string().nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  previous_response_id: z.unknown().optional(),
  conversation: z.unknown().optional(),
  prompt: z.unknown().optional(),
  metadata: z.unknown().optional(),
  service_tier: z.string().nullish(),
  truncation: z.string().nullish(),
  include: z.array(z.string()).nullish(),
  top_logprobs: z.number().nullish(),
  max_tool_calls: z.number().nullish(),
  prompt_cache_retention: z.unknown().optional(),
  prompt_cache_options: z.unknown().optional(),
  context_management: z.unknown().optional(),
  moderation: z.unknown().optional(),
});

type Body = z.output<typeof body>;

const COMPACT = /\/compact$/;
const isGiven = (value: unknown): boolean => value !== undefined && value !== null;

export function decodeRequest(call: ClientCall): NeutralRequest {
  if (COMPACT.test(call.path)) throw notCarried("compact");
  const asked = readAs(body, readJson(call.body));
  refuseForeign(asked);
  const book = toolBook([...(asked.tools ?? []), ...toolsInInput(asked.input)]);
  const { turns, omitted } = conversationOf(asked, book);
  const { tools, choice } = chosenTools(asked.tool_choice ?? null, book);
  return {
    ...BARE_REQUEST,
    model: asked.model,
    stream: asked.stream ?? false,
    turns,
    tools,
    toolChoice: choice,
    parallelToolCalls: tools.length === 0 ? null : (asked.parallel_tool_calls ?? null),
    outputTokensMax: asked.max_output_tokens ?? null,
    temperature: asked.temperature ?? null,
    topP: asked.top_p ?? null,
    reasoning: reasoningOf(asked),
    format: formatOf(asked),
    user: asked.safety_identifier ?? asked.user ?? null,
    cacheKey: asked.prompt_cache_key ?? null,
    omitted: [...omittedFields(asked), ...book.omitted, ...omitted],
  };
}

/** What lies with OpenAI, and what would be answered later. */
function refuseForeign(asked: Body): void {
  for (const name of ["previous_response_id", "conversation", "prompt"] as const) {
    if (isGiven(asked[name])) throw notCarried(name);
  }
  if (asked.background === true) throw notCarried("background");
}

function conversationOf({ input, instructions }: Body, book: ToolBook): Conversation {
  if (!isGiven(input)) throw invalid("Missing required parameter: 'input'.");
  const items = typeof input === "string" ? [{ role: "user", content: input }] : (input ?? []);
  const { turns, omitted } = readInputItems(items, book);
  const first: Turn[] =
    typeof instructions === "string" && instructions !== ""
      ? [{ role: "system", parts: [{ kind: "text", text: instructions, cache: null }] }]
      : [];
  if (turns.length === 0) throw invalid("Invalid value for 'input': expected at least one message.");
  return { turns: [...first, ...turns], omitted };
}

interface Chosen {
  readonly tools: readonly Tool[];
  readonly choice: ToolChoice | null;
}

function chosenTools(choice: (Body["tool_choice"] & {}) | null, book: ToolBook): Chosen {
  const { tools } = book;
  if (choice === null) return { tools, choice: null };
  if (typeof choice === "string") return byMode(choice, tools);
  if ("tools" in choice) {
    const allowed = new Set(
      choice.tools.map((tool) => book.flatName(tool.namespace ?? null, tool.name ?? tool.type)),
    );
    return byMode(
      choice.mode,
      tools.filter(({ name }) => allowed.has(name)),
    );
  }
  const name = book.flatName(choice.namespace ?? null, choice.name ?? choice.type);
  if (!tools.some((tool) => tool.name === name))
    throw notCarried(`tool_choice: ${choice.name ?? choice.type}`);
  return { tools, choice: { kind: "named", name } };
}

/** Without a tool that can be offered there is nothing to choose; to demand one nevertheless would change the answer. */
function byMode(kind: "auto" | "none" | "required", tools: readonly Tool[]): Chosen {
  if (tools.length > 0) return { tools, choice: { kind } };
  if (kind === "required") throw notCarried("tool_choice");
  return { tools, choice: null };
}

function reasoningOf({ reasoning }: Body): Reasoning | null {
  const effort = EFFORTS.find((known) => known === reasoning?.effort) ?? null;
  const visible = isGiven(reasoning?.summary ?? reasoning?.generate_summary);
  return effort === null && !visible ? null : { effort, budgetTokens: null, visible };
}

function formatOf({ text }: Body): OutputFormat | null {
  const asked = text?.format ?? null;
  if (asked === null || asked.type === "text") return null;
  if (asked.type !== "json_schema") return { kind: "json" };
  const { name, schema, strict } = asked;
  return { kind: "schema", name, schema, strict: strict ?? null };
}

/** Asked for, but without weight for what the model is to say. */
function omittedFields(asked: Body): string[] {
  const { service_tier: tier, reasoning } = asked;
  const isUnknownEffort = isGiven(reasoning?.effort) && !EFFORTS.some((known) => known === reasoning?.effort);
  const found: Readonly<Record<string, boolean>> = {
    store: asked.store === true,
    metadata: isGiven(asked.metadata) && Object.keys(asked.metadata ?? {}).length > 0,
    service_tier: isGiven(tier) && tier !== "auto" && tier !== "default",
    truncation: asked.truncation === "auto",
    "text.verbosity": isGiven(asked.text?.verbosity),
    "reasoning.effort": isUnknownEffort,
    top_logprobs: (asked.top_logprobs ?? 0) > 0,
    max_tool_calls: isGiven(asked.max_tool_calls),
    prompt_cache_retention: isGiven(asked.prompt_cache_retention),
    prompt_cache_options: isGiven(asked.prompt_cache_options),
    context_management: isGiven(asked.context_management),
    moderation: isGiven(asked.moderation),
  };
  const included = (asked.include ?? []).filter((name) => name !== "reasoning.encrypted_content");
  return [
    ...Object.keys(found).filter((name) => found[name] === true),
    ...included.map((name) => `include: ${name.slice(0, 100)}`),
  ];
}
